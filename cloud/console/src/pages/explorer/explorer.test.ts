import { describe, expect, test } from "vitest";
import { complaint, type Document, found, operationsOf, valueFrom } from "./operations";
import { curlOf, prepare, pretty } from "./request";
import { check, type Schemas } from "./schema";

const schemas: Schemas = {
  Level: { type: "string", enum: ["info", "debug"] },
  Body: {
    type: "object",
    required: ["name"],
    additionalProperties: false,
    properties: {
      name: { type: "string", minLength: 1, maxLength: 5 },
      level: { anyOf: [{ $ref: "#/components/schemas/Level" }, { type: "null" }] },
      days: { anyOf: [{ type: "integer", minimum: 1, maximum: 9 }, { type: "null" }] },
      rows: { type: "array", maxItems: 2, items: { type: "number" } },
      on: { type: "boolean", default: true },
    },
  },
};
const document: Document = {
  components: { schemas },
  paths: {
    "/api/v1/things/{id}": {
      put: {
        operationId: "change",
        tags: ["things"],
        summary: "Change a thing",
        security: [{ ApiKey: ["admin"] }, { Cookie: ["admin"] }],
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string" } },
          { name: "state", in: "query", schema: { type: "array", items: { $ref: "#/components/schemas/Level" } } },
          { name: "session", in: "cookie", schema: { type: "string" } },
        ],
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Body" } } } },
      },
    },
    "/api/v1/upload": {
      post: {
        requestBody: {
          content: {
            "multipart/form-data": {
              schema: {
                type: "object",
                properties: { file: { type: "string", format: "binary" }, name: { type: "string" } },
              },
            },
          },
        },
      },
    },
    "/api/v1/settings": {
      put: {
        requestBody: {
          content: { "application/json": { schema: { type: "object", additionalProperties: { type: "object" } } } },
        },
      },
    },
  },
};
const [change, upload, settings] = operationsOf(document);
if (!change || !upload || !settings) throw new Error("three operations");
const input = (name: string) => {
  const one = change.inputs.find((it) => it.name === name);
  if (!one) throw new Error(name);
  return one;
};

describe("operations", () => {
  test("every input has the kind that its schema says, and cookies are left to the browser", () => {
    expect(change.inputs.map((one) => [one.name, one.place, one.kind, one.isNeeded])).toEqual([
      ["id", "path", "text", true],
      ["state", "query", "list", false],
      ["name", "body", "text", true],
      ["level", "body", "choice", false],
      ["days", "body", "number", false],
      ["rows", "body", "json", false],
      ["on", "body", "switch", false],
    ]);
    expect(change.scopes).toEqual(["admin"]);
    expect(upload.inputs.map((one) => one.kind)).toEqual(["file", "text"]);
    expect(settings.isWhole).toBe(true);
  });

  test("the search finds all of its words anywhere", () => {
    expect(found([change, upload], "put thing").map((one) => one.id)).toEqual(["change"]);
    expect(found([change, upload], "nothing such")).toEqual([]);
  });

  test("what is wrong is told while one types", () => {
    expect(complaint(input("name"), "", schemas)?.code).toBe("needed");
    expect(complaint(input("name"), "sixsix", schemas)?.code).toBe("long");
    expect(complaint(input("days"), "10", schemas)).toMatchObject({ code: "most", wanted: "9" });
    expect(complaint(input("days"), "x", schemas)?.code).toBe("type");
    expect(complaint(input("days"), "", schemas)).toBeNull();
    expect(complaint(input("rows"), "[1, 2", schemas)?.code).toBe("syntax");
    expect(complaint(input("rows"), '[1, "a"]', schemas)).toMatchObject({ code: "type", at: "[1]" });
    expect(complaint(input("rows"), "[1,2,3]", schemas)?.code).toBe("many");
  });
});

test("an object is checked in depth: what is missing, unknown and wrong", () => {
  const body = { $ref: "#/components/schemas/Body" };
  expect(check(body, {}, schemas)).toMatchObject({ code: "required", at: "name" });
  expect(check(body, { name: "a", nmae: 1 }, schemas)).toMatchObject({ code: "unknown", at: "nmae" });
  expect(check(body, { name: "a", level: "loud" }, schemas)).toMatchObject({ at: "level", code: "enum" });
  expect(check(body, { name: "a", level: null, days: 3, rows: [], on: false }, schemas)).toBeNull();
});

describe("requests", () => {
  const texts = {
    "path.id": "a/b",
    "query.state": "info, debug",
    "body.name": "it's",
    "body.days": "3",
    "body.on": "false",
  };

  test("only what was typed is sent, each with its own type", () => {
    const request = prepare(change, texts, {});
    expect(request.path).toBe("/api/v1/things/a%2Fb?state=info&state=debug");
    expect(JSON.parse(String(request.body))).toEqual({ name: "it's", days: 3, on: false });
  });

  test("the curl line survives quotes and holds no secret", () => {
    const line = curlOf(prepare(change, texts, {}), "http://host");
    expect(line).toContain(`'{"name":"it'\\''s","days":3,"on":false}'`);
    expect(line).toContain('"X-API-Key: $LINESIDE_KEY"');
  });

  test("a whole body is sent as it is, a file as a form", () => {
    expect(prepare(settings, { "body.(body)": '{"a": {"b": 1}}' }, {}).body).toBe('{"a":{"b":1}}');
    const form = prepare(upload, { "body.name": "n" }, { file: new File(["x"], "x.csv") }).body as FormData;
    expect([...form.keys()].sort()).toEqual(["file", "name"]);
  });

  test("an answer is put in order where it is JSON, and left alone where it is not", () => {
    expect(pretty('{"a":1}', "application/json")).toBe('{\n  "a": 1\n}');
    expect(pretty("{broken", "application/json")).toBe("{broken");
    expect(valueFrom(input("state"), " info ,, debug")).toEqual(["info", "debug"]);
  });
});
