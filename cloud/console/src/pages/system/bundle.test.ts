import { expect, test } from "vitest";
import { cleaned, collect } from "./bundle";

test("nothing that opens a door is in the bundle, wherever it stands", () => {
  const found = cleaned({
    slackWebhookUrl: "https://hooks.slack.example/T1",
    nested: [{ password: "hunter22", note: "used lsk_1a2b_0123abcd and whsec_99ff" }],
    url: "https://user:pass@host/path",
    jwt: "eyJhbGciOi.eyJzdWIi.c2ln",
    level: "info",
  });
  expect(JSON.stringify(found)).not.toMatch(/hunter22|0123abcd|99ff|pass@|eyJ|slack\.example/);
  expect(found).toMatchObject({ level: "info", url: "https://********@host/path" });
});

test("numbers and what is empty stay", () => {
  expect(cleaned({ password: "", key: 5, on: true, none: null })).toEqual({
    password: "",
    key: 5,
    on: true,
    none: null,
  });
});

test("a part that cannot be read says why, and the rest is there", async () => {
  const found = await collect({ good: () => Promise.resolve({ a: 1 }), bad: () => Promise.reject(new Error("away")) });
  expect(found).toMatchObject({ good: { a: 1 }, bad: { not_read: "away" } });
});
