/** Shortcuts: single keys, two after the other, and when they are left alone. */
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { press, type Shortcut, shortcuts, useShortcuts } from "./keys";

let done: string[] = [];
const cut = (keys: string): Shortcut => ({ keys, text: keys, act: () => done.push(keys) });

function key(name: string, on: EventTarget = document.body, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more });
  on.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  vi.setSystemTime(Date.now() + 1e9);
  done = [];
  shortcuts.value = ["a", "g a", "Enter", "g"].map(cut);
  document.body.innerHTML =
    '<input id="i"><button id="b" type="button">b</button><a id="l" href="/x">l</a><p id="p"></p>';
  addEventListener("keydown", press);
});
afterEach(() => {
  removeEventListener("keydown", press);
  vi.useRealTimers();
});

test("a key does its work and is taken from the page", () => {
  expect(key("a").defaultPrevented).toBe(true);
  expect(key("z").defaultPrevented).toBe(false);
  expect(done).toEqual(["a"]);
});

test("two keys soon after each other mean their pair, later each for itself", () => {
  shortcuts.value = ["a", "g a"].map(cut);
  key("g");
  key("a");
  key("g");
  vi.setSystemTime(Date.now() + 1_300);
  key("a");
  expect(done).toEqual(["g a", "a"]);
});

test("the last one offered wins", () => {
  shortcuts.value = [...shortcuts.value, { keys: "a", text: "page", act: () => done.push("page") }];
  key("a");
  expect(done).toEqual(["page"]);
});

test("nothing happens while somebody types, with modifiers, in a dialog, or where the page took the key", () => {
  key("a", document.getElementById("i") as Element);
  key("a", document.body, { ctrlKey: true });
  const taken = document.getElementById("p") as Element;
  taken.addEventListener("keydown", (event) => event.preventDefault());
  key("a", taken);
  document.body.insertAdjacentHTML("beforeend", "<dialog open></dialog>");
  key("a");
  expect(done).toEqual([]);
});

test("Enter belongs to the button or link that has the focus", () => {
  key("Enter", document.getElementById("b") as Element);
  key("Enter", document.getElementById("l") as Element);
  expect(done).toEqual([]);
  key("Enter", document.getElementById("p") as Element);
  expect(done).toEqual(["Enter"]);
});

test("a component offers its keys while it is shown", async () => {
  function Page() {
    useShortcuts([cut("x")]);
    return null;
  }
  const box = document.createElement("div");
  vi.useRealTimers();
  await act(() => render(<Page />, box));
  key("x");
  await act(() => render(null, box));
  key("x");
  expect(done).toEqual(["x"]);
});
