/** Recommendations in both languages: each rule by its evidence, the server's words where that does not tell enough. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Recommendation } from "../stores/recommendations";
import { speak } from "../text";
import { adviceWords } from "../text/advice-words";
import { adviceSays } from "./advice";

const SAID = { title: "the title", action: "the action" };

type Facts = Record<string, unknown>;
const advice = (rule: string, facts: readonly Facts[], device = "pump-1") =>
  ({
    ...SAID,
    rule,
    device_id: device,
    evidence: facts.map((one, index) => ({ kind: "series", id: String(index), facts: one })),
  }) as unknown as Recommendation;
const said = (rule: string, facts: readonly Facts[], device?: string) => {
  const { title, action } = adviceSays(advice(rule, facts, device));
  return [title, action].map((one) => one.replace(/[\u00a0\u202f]/g, " "));
};

const told: readonly (readonly [string, readonly Facts[], string, string])[] = [
  [
    "rising_trend",
    [{ tag: "vibration", hours_to_limit: 90, slope_per_hour: 0.1 }],
    "vibration bewegt sich auf die Grenze zu",
    "vibration von pump-1 untersuchen: In 3 d 18 h ist die kritische Grenze erreicht",
  ],
  [
    "critical_health",
    [{ score: 0.31, data_quality: 0.1, computed_at: "2026-01-15T10:30:00+00:00" }],
    "Die Gesundheit ist kritisch",
    "pump-1 prüfen: Gesundheit 31 %, am schlechtesten steht es um die Datenqualität",
  ],
  [
    "stuck_sensor",
    [{ tag: "flow" }, { tag: "level" }, { tag: "flow" }],
    "Ein Sensor steckt fest",
    "Sensor prüfen: flow, level von pump-1 bewegt sich nicht",
  ],
  [
    "noise_step",
    [{ tag: "flow" }],
    "Das Rauschen ist gewachsen",
    "Leitungen und Befestigung prüfen: Das Rauschen von flow von pump-1 ist auf einen Schlag gewachsen",
  ],
  [
    "drift_without_violation",
    [{ tag: "flow", checks_in_a_row: 3 }],
    "Dauernde Drift innerhalb der Grenzen",
    "flow von pump-1 neu kalibrieren, oder sein Modell neu trainieren, wenn sich der Prozess geändert hat",
  ],
  [
    "clock_skew",
    [{ occurrences: 2 }, { occurrences: 3 }],
    "Die Uhr geht nicht gleichmäßig",
    "Die Zeitsynchronisation von pump-1 prüfen: Seine Uhr wurde in einer Woche 5 Mal gestellt",
  ],
  [
    "repeated_buffering",
    [{ occurrences: 4 }],
    "Ein Gateway puffert immer wieder",
    "Das Netz von pump-1 prüfen: Es war in einer Woche 4 Mal abgeschnitten oder hat Messwerte verloren",
  ],
  [
    "chattering_alarm",
    [
      { kind: "anomaly", tag: "", occurrences: 3 },
      { kind: "rate", tag: "flow", occurrences: 9 },
    ],
    "Ein Alarm flattert",
    "Hysterese oder Verzögerung vergrößern: Alarm „zu schnelle Änderung: flow“ von pump-1",
  ],
];

beforeEach(() => speak("de"));

test("every rule that has sentences is looked at", () => {
  expect(told.map(([rule]) => rule)).toEqual(Object.keys(adviceWords));
});

describe.each(told)("%s", (rule, facts, title, action) => {
  test("is told in German by its evidence", () => {
    expect(said(rule, facts)).toEqual([title, action]);
  });

  test("is told in the server's words in English, without evidence, and without somebody whom it is about", () => {
    const own = [SAID.title, SAID.action];
    expect([said(rule, []), said(rule, facts, "")]).toEqual([own, own]);
    speak("en");
    expect(said(rule, facts)).toEqual(own);
  });
});

test.each([
  ["oversized_pool_api", [{ instances: 3 }]],
  ["constructor", [{ tag: "flow" }]],
  ["rising_trend", [{ tag: "vibration", hours_to_limit: null }]],
  ["critical_health", [{ score: 0.31 }]],
  ["stuck_sensor", [{ tag: "flow" }, { level: 1 }]],
  ["chattering_alarm", [{ occurrences: 3 }]],
  ["clock_skew", [{ occurrences: 2 }, {}]],
])("%s with the evidence %j is told in the server's words", (rule, facts) => {
  expect(said(rule, facts)).toEqual([SAID.title, SAID.action]);
});
