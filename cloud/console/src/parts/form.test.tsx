/** Forms: what is wrong is said at once, the server's word beside its field, nothing is sent twice. */
import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, describe, expect, test } from "vitest";
import { Refused, Unreachable } from "../api/errors";
import { speak } from "../text";
import { between, Form, FormIssue, Input, needed, shorter } from "./form";

beforeEach(() => speak("en"));

const person = () => new Form({ name: ["", needed, shorter(5)], age: ["", between(1, 120)] });

test.each([
  ["", ""],
  ["1", ""],
  ["120", ""],
  ["0.9", "At least 1."],
  ["121", "At most 120."],
  ["x", "A number, please."],
])("%j within 1 and 120 is answered with %j", (value, issue) => {
  expect(between(1, 120)(value)).toBe(issue);
});

describe("a form", () => {
  test("says nothing before somebody was there, and does no work that is wrong", async () => {
    const form = person();
    let isDone = false;
    expect(form.fields.name.shownIssue).toBe("");
    const work = async () => {
      isDone = true;
    };
    expect(await form.submit(work)).toBe(false);
    expect([form.fields.name.shownIssue, isDone]).toEqual(["This is needed.", false]);
    form.fields.name.value.value = "Ada";
    expect(await form.submit(work)).toBe(true);
    expect(isDone).toBe(true);
  });

  test("shows what the server said of a value until that is another one", async () => {
    const form = person();
    form.fields.name.value.value = "Ada";
    const refused = new Refused(422, "INVALID", "bad", [{ field: "body.name", message: "is taken" }]);
    expect(await form.submit(() => Promise.reject(refused))).toBe(false);
    expect([form.fields.name.shownIssue, form.issue.value]).toEqual(["is taken", ""]);
    form.fields.name.value.value = "Eve";
    expect([form.fields.name.shownIssue, form.isGood]).toEqual(["", true]);
    form.fields.name.value.value = "Ada";
    expect(form.isGood).toBe(false);
  });

  test("shows for the whole what belongs to no field", async () => {
    const form = person();
    form.fields.name.value.value = "Ada";
    await form.submit(() => Promise.reject(new Unreachable()));
    expect(form.issue.value).toBe("the server does not answer");
    await form.submit(async () => undefined);
    expect(form.issue.value).toBe("");
  });

  test("tells a refusal in the console's language, beside its field and for the whole", async () => {
    speak("de");
    const form = person();
    form.fields.name.value.value = "Ada";
    const taken = [{ field: "name", message: "Ada already exists" }];
    await form.submit(() => Promise.reject(new Refused(409, "USERNAME_TAKEN", "name: Ada already exists", taken)));
    expect([form.fields.name.shownIssue, form.issue.value]).toEqual(["Dieser Name ist schon vergeben.", ""]);
    await form.submit(() => Promise.reject(new Refused(401, "SESSION_OVER", "the session is over: log in again")));
    expect(form.issue.value).toBe("Die Sitzung ist zu Ende: bitte neu anmelden.");
  });

  test("is sent once, however often it is pressed", async () => {
    const form = person();
    form.fields.name.value.value = "Ada";
    let count = 0;
    let answer: () => void = () => undefined;
    const work = () => {
      count += 1;
      return new Promise<void>((resolve) => {
        answer = resolve;
      });
    };
    const first = form.submit(work);
    expect([await form.submit(work), form.isBusy.value, count]).toEqual([false, true, 1]);
    answer();
    expect([await first, form.isBusy.value]).toEqual([true, false]);
  });
});

test("an input is labelled and tells its issue to those who do not see it", async () => {
  const form = person();
  const box = document.createElement("div");
  const all = (
    <>
      <Input field={form.fields.name} label="Name" hint="Five letters" />
      <FormIssue form={form as Form<string>} />
    </>
  );
  await act(() => render(all, box));
  const input = box.querySelector("input") as HTMLInputElement;
  const about = () => box.querySelector(`#${CSS.escape(input.getAttribute("aria-describedby") ?? "")}`)?.textContent;
  expect(box.querySelector("label")?.getAttribute("for")).toBe(input.id);
  expect(about()).toBe("Five letters");
  await act(() => {
    input.value = "Augusta";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("blur"));
  });
  expect([about(), input.getAttribute("aria-invalid")]).toEqual(["At most 5 characters.", "true"]);
});
