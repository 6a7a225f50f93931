/** Addresses: the path, the query, links that do not load the page anew. */
import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, expect, test } from "vitest";
import { go, href, Link, listen, match, path, query, setQuery } from "./router";

beforeEach(() => go("/"));

test("the path is told below /ui", () => {
  go("/alarms?tab=history");
  expect([path.value, query.value.get("tab"), location.pathname]).toEqual(["/alarms", "history", "/ui/alarms"]);
  go("/");
  expect([path.value, location.pathname]).toEqual(["/", "/ui/"]);
  expect([href("/x"), href("/ui/x"), href("/")]).toEqual(["/ui/x", "/ui/x", "/ui/"]);
});

test("parts of the query change and the rest stays, without a step to go back to", () => {
  go("/alarms?tab=history&alarm=a");
  const steps = history.length;
  setQuery({ alarm: null, only: "old", page: 2 });
  expect([path.value, query.value.toString()]).toEqual(["/alarms", "tab=history&only=old&page=2"]);
  expect(history.length).toBe(steps);
  setQuery({ tab: "", only: null, page: null });
  expect(location.search).toBe("");
  setQuery({ tab: "x" }, { replace: false });
  expect(history.length).toBe(steps + 1);
});

test("patterns give the values of their names, decoded, and only for their own paths", () => {
  expect(match("/devices/:id", "/devices/pump%2F1")).toEqual({ id: "pump/1" });
  expect(match("/devices/:id", "/devices/pump-1/more")).toBeNull();
  expect(match("/", "/")).toEqual({});
  expect(match("/alarms", "/alarmsx")).toBeNull();
});

test("a link to where one is says so", async () => {
  const box = document.createElement("div");
  go("/alarms");
  const links = [
    <Link key="1" to="/alarms?tab=history">
      here
    </Link>,
    <Link key="2" to="/">
      there
    </Link>,
  ];
  await act(() => render(links, box));
  expect([...box.querySelectorAll("a")].map((one) => one.getAttribute("aria-current"))).toEqual(["page", null]);
});

test("clicks on our links stay in the page, others are left to the browser", async () => {
  listen();
  document.body.innerHTML =
    '<main id="main" tabindex="-1"></main><a id="ours" href="/ui/alarms?x=1"><b>a</b></a><a id="api" href="/api/v1/x">b</a><a id="file" href="/ui/x" download>c</a>';
  const click = (id: string, more: MouseEventInit = {}) => {
    const event = new MouseEvent("click", { bubbles: true, cancelable: true, button: 0, ...more });
    addEventListener("click", (last) => last.preventDefault(), { once: true });
    const before = path.value;
    (document.querySelector(`#${id} b`) ?? document.getElementById(id))?.dispatchEvent(event);
    return before !== path.value;
  };
  expect(click("ours", { ctrlKey: true })).toBe(false);
  expect(click("api")).toBe(false);
  expect(click("file")).toBe(false);
  expect(click("ours")).toBe(true);
  expect([path.value, query.value.get("x"), document.activeElement?.id]).toEqual(["/alarms", "1", "main"]);
});

test("the browser's own steps are followed", () => {
  history.replaceState(null, "", "/ui/jobs?x=2");
  dispatchEvent(new PopStateEvent("popstate"));
  expect([path.value, query.value.get("x")]).toEqual(["/jobs", "2"]);
});
