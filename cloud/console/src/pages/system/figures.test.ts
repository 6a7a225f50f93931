import { expect, test } from "vitest";
import { figure } from "./figures";

test("a figure has the unit that its name says", () => {
  expect(figure("response_time_ms", 1.7)).toEqual(["response time", "1.7 ms"]);
  expect(figure("bytes_used", 724_992)[1]).toBe("725 KB");
  expect(figure("free_share", 0.2841)[1]).toBe("28.4%");
  expect(figure("uptime_seconds", 3700)[1]).toBe("1 h 1 min");
  expect(figure("readings", 94_556)[1]).toBe("94,556");
  expect(figure("takes_readings", true)[1]).toBe("yes");
  expect(figure("list", [1])[1]).toBe("[1]");
});
