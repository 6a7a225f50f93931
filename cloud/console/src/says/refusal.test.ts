/** Refusals in both languages: by code, with the facts of the answer; unknown ones in the server's words. */
import { beforeEach, describe, expect, test } from "vitest";
import { Refused, refusedBy, Unreachable } from "../api/errors";
import { speak } from "../text";
import { refusals } from "../text/refusals";
import { codeSays, issueOf, reason } from "./refusal";

const SAID = "what the server says";

/** An answer as the server gives it. */
const answered = (status: number, body: object, headers: Record<string, string> = {}) =>
  refusedBy(new Response(JSON.stringify(body), { status, headers }));
const refused = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}) =>
  answered(status, { detail: SAID, error_code: code, ...more }, headers);
const details = (facts: object) => ({ error: { code: "CONFLICT", message: SAID, details: facts } });

beforeEach(() => speak("de"));

describe.each(Object.entries(refusals))("%s", (code, words) => {
  const facts = { s: 7, scope: "alarms:write", state: "genehmigt", limit: "50 MB", request: "r-1" };

  test("is told in German, with all of its facts", () => {
    const told = codeSays(code, SAID, facts);
    expect(told).not.toBe(SAID);
    expect(told).not.toMatch(/[{}|]/);
    expect(told.includes(SAID)).toBe(words.includes("{said}"));
  });

  test("is told in the server's words in English, and where a fact of it is missing", () => {
    const isWhole = !/\{(?!said)/.test(words);
    expect(codeSays(code, SAID) === SAID).toBe(!isWhole);
    speak("en");
    expect(codeSays(code, SAID, facts)).toBe(SAID);
  });
});

test("facts come from the answer: the wait, the right, the state, the bound, the request", async () => {
  const all = await Promise.all([
    refused(429, "RATE_LIMITED", {}, { "retry-after": "30" }),
    refused(403, "MISSING_SCOPE", details({ required_scope: "alarms:write" })),
    refused(409, "DECISION_CLOSED", details({ state: "approved" })),
    refused(413, "FILE_TOO_LARGE", details({ limit: 50_000_000 })),
    refused(500, "INTERNAL_ERROR", { request_id: "r-1" }),
    refused(409, "MODEL_IN_USE", { detail: "pump@3 is the champion." }),
  ]);
  expect(all.map((one) => reason(one))).toEqual([
    "Zu viele Anfragen oder Versuche: bitte in 30 s noch einmal.",
    "Ihre Rolle darf das nicht (alarms:write).",
    "Darüber ist schon entschieden: genehmigt.",
    "Die Datei ist zu groß: höchstens 50 MB.",
    "Im Server ist etwas schiefgegangen (Anfrage r-1).",
    "Diese Version des Modells ist noch in Gebrauch (pump@3 is the champion).",
  ]);
});

test("without its facts a refusal is told in the server's words", async () => {
  expect(reason(await refused(429, "RATE_LIMITED"))).toBe(SAID);
  expect(reason(await refused(413, "FILE_TOO_LARGE", { error: "a string, as older routes say" }))).toBe(SAID);
});

test.each(["MADE_UP", "constructor", ""])("the unknown code %j keeps the server's words", async (code) => {
  expect(reason(await refused(409, code))).toBe(SAID);
});

test("an answer that is none of ours is told by its status", async () => {
  const told = await refusedBy(new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  expect(reason(told)).toBe("Bad Gateway");
});

test("fields are named with what is wrong with them, one that is missing in German", async () => {
  const errors = [
    { field: "body.for_s", message: "at least 60" },
    { field: "name", message: "This field is required" },
  ];
  const invalid = await refused(422, "INVALID_PARAMETERS", { errors });
  expect(reason(invalid)).toBe("body.for_s: at least 60; name: Das wird gebraucht.");
  expect([issueOf(invalid, "name"), issueOf(invalid, "for_s"), issueOf(invalid, "other")]).toEqual([
    "Das wird gebraucht.",
    "at least 60",
    "",
  ]);
  speak("en");
  expect(reason(invalid)).toBe("body.for_s: at least 60; name: This field is required");
  expect(issueOf(invalid, "name")).toBe("This field is required");
});

test("beside a field stands the sentence of the code where it has one", async () => {
  const taken = await refused(409, "USERNAME_TAKEN", {
    errors: [{ field: "username", message: "anna already exists" }],
  });
  expect([issueOf(taken, "username"), issueOf(taken, "email")]).toEqual(["Dieser Name ist schon vergeben.", ""]);
  speak("en");
  expect(issueOf(taken, "username")).toBe("anna already exists");
});

test("a server that does not answer is told in both languages, an error of ours as it is", () => {
  expect([reason(new Unreachable()), reason(new Error("ours"))]).toEqual(["Der Server antwortet nicht.", "ours"]);
  expect(reason(new Refused(401, "SESSION_OVER", SAID))).toBe("Die Sitzung ist zu Ende: bitte neu anmelden.");
  speak("en");
  expect(reason(new Unreachable())).toBe("the server does not answer");
});
