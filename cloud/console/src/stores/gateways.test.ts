/** Gateways by their id. */
import { afterEach, expect, test, vi } from "vitest";
import { serve } from "../testing/fakes";
import { gateways } from "./gateways";

afterEach(() => vi.unstubAllGlobals());

test("each gateway is known by its id, as the newest list says", async () => {
  let isOnline = true;
  serve(() => [{ gateway_id: "gw-1", is_online: isOnline }]);
  await gateways.load();
  expect(gateways.get("gw-1")?.is_online).toBe(true);
  isOnline = false;
  await gateways.load();
  expect([gateways.size, gateways.get("gw-1")?.is_online]).toEqual([1, false]);
});
