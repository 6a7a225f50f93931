/** Alarms in both languages: each type by its fields, the server's words where the fields do not tell enough. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Alarm } from "../stores/alarms";
import { speak } from "../text";
import { alarmTypes } from "../text/alarm-words";
import { zone } from "../time/zone";
import { alarmSays, serverSays, typeSays } from "./alarm";

const SAID = "what the server says";

const alarm = (type: string, more: Partial<Alarm> = {}): Alarm =>
  ({
    type,
    message: SAID,
    device_id: "pump-1",
    gateway_id: "gw-1",
    channel: "",
    shares: [],
    score: null,
    value: null,
    limit: "",
    onset_at: "2026-01-15T10:29:57Z",
    occurrences: 1,
    ...more,
  }) as Alarm;

/** No-break spaces as plain ones: the locale sets them before units. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");
const german = (type: string, more: Partial<Alarm> = {}) => plain(alarmSays(alarm(type, more)));

const shares = ["vibration", "pressure", "flow", "level"].map((channel, index) => ({
  channel,
  share: [0.71, 0.18, 0.08, 0.02][index] ?? 0,
}));
const anomaly = { channel: "vibration", score: 0.934, value: 0.934, shares };

/** Each type with fields that make a sentence, and the sentence. */
const told: readonly (readonly [string, Partial<Alarm>, string])[] = [
  [
    "anomaly",
    anomaly,
    "vibration von pump-1 weicht vom normalen Verhalten ab (Wert 0,93, 71 % vibration, 18 % pressure, 8 % flow)",
  ],
  [
    "frozen",
    { channel: "flow", message: "s: 5 for 60 s", limit: "5 for 60 s" },
    "flow von pump-1 bewegt sich nicht mehr: 5 for 60 s",
  ],
  [
    "range",
    { channel: "flow", message: "s: 12.5 above 10 bar", limit: "12.5 above 10 bar" },
    "flow von pump-1 ist außerhalb seines Bereichs: 12.5 above 10 bar",
  ],
  ["rate", { channel: "flow" }, "flow von pump-1 ändert sich zu schnell"],
  ["silence", {}, "pump-1 hat seit 15.01.2026, 11:29:57 nichts gesendet"],
  ["silence", { channel: "flow" }, "flow von pump-1 hat seit 15.01.2026, 11:29:57 nichts gesendet"],
  ["health", { value: 0.31 }, "Die Gesundheit von pump-1 ist kritisch: 31 %"],
  ["device_lost", {}, "pump-1 antwortet nicht mehr"],
  ["model_off", {}, "Kein Modell beurteilt pump-1 mehr; die Regeln gelten weiter"],
  ["model_replaced", {}, "Ein Modell von pump-1 ist ausgefallen; ein anderes urteilt an seiner Stelle"],
  ["model_refused", {}, "Ein Modell für pump-1 wurde abgelehnt"],
  ["model_rolled_back", {}, "pump-1 ist zum vorigen Modell zurückgekehrt"],
  ["model_lost", {}, "Ein Modell von pump-1 fehlt auf der Platte"],
  ["models_not_on_disk", {}, "Wonach pump-1 beurteilt wird, lässt sich nicht auf der Platte behalten"],
  ["clock_stepped", {}, "Die Uhr von pump-1 wurde gestellt"],
  ["readings_lost", { value: 1234 }, "pump-1 hat 1.234 Messwerte verloren, bevor sie gepuffert waren"],
  ["readings_lost", {}, "pump-1 hat Messwerte verloren, bevor sie gepuffert waren"],
  ["readings_refused", { value: 12 }, "Der Puffer von pump-1 hat 12 Messwerte abgelehnt"],
  ["readings_refused", {}, "Der Puffer von pump-1 hat Messwerte abgelehnt"],
  ["readings_dropped", { value: 5000 }, "pump-1 hat aus Platzmangel Messwerte aufgegeben, insgesamt 5.000"],
  ["buffer_damaged", {}, "Der Puffer von pump-1 war beschädigt"],
  [
    "store_went_back",
    {},
    "Dem Speicher fehlt, was er pump-1 bestätigt hatte, wie einer alten Kopie; es wird noch einmal gesendet",
  ],
  ["identity_cloned", {}, "Unter dem Namen pump-1 laufen offenbar zwei Gateways"],
  ["identity_conflict", {}, "pump-1 hat unter einer Nummer zwei verschiedene Sendungen geschickt"],
  ["gateway_offline", {}, "pump-1 ist offline; seine Messwerte warten dort"],
  ["dead_letters", { value: 1, device_id: "" }, "Ein Ereignis hat keines seiner Ziele erreicht: siehe Unzustellbar"],
  ["dead_letters", { value: 3, device_id: "" }, "3 Ereignisse haben keines ihrer Ziele erreicht: siehe Unzustellbar"],
  ["account_gap", { value: 40 }, "Die Messwerte von pump-1 gehen nicht auf: Unterschied 40"],
];

beforeEach(() => {
  speak("de");
  zone.value = "Europe/Berlin";
});

describe.each(told)("%s %j", (type, more, sentence) => {
  test("is told in German by its fields", () => {
    expect(german(type, more)).toBe(sentence);
  });

  test("is the server's message in English, which is then not told twice", () => {
    speak("en");
    const one = alarm(type, more);
    expect([alarmSays(one), serverSays(one)]).toEqual([one.message, ""]);
  });
});

describe("the server's message is shown as it is", () => {
  test.each(["limit", "made_up", "toString", ""])("for the type %j, which no sentence is made of", (type) => {
    expect(german(type, { ...anomaly, limit: "high 10" })).toBe(SAID);
  });

  test.each([
    ["an anomaly without a channel", "anomaly", { ...anomaly, channel: "" }],
    ["an anomaly without a score", "anomaly", { ...anomaly, score: null }],
    ["an anomaly whose score is of another time than its value", "anomaly", { ...anomaly, value: 0.8 }],
    ["a frozen channel that is not named", "frozen", {}],
    ["a limit that is not of this message", "range", { channel: "flow", limit: "12.5 above 10 bar" }],
    ["a silence that came again: its onset is that of the first", "silence", { occurrences: 2 }],
    ["a silence without an onset", "silence", { onset_at: undefined }],
    ["health without a score", "health", {}],
    ["readings that were given up without their number", "readings_dropped", {}],
    ["a gap without its size", "account_gap", { value: Number.NaN }],
    ["dead letters without their number", "dead_letters", { device_id: "" }],
    ["nobody whom it is about", "gateway_offline", { device_id: "" }],
  ] as const)("for %s", (_, type, more) => {
    expect(german(type, more as Partial<Alarm>)).toBe(SAID);
  });

  test("for an alarm of which only the live feed told yet", () => {
    const news = { type: "range", message: SAID, device_id: "pump-1", value: 0.5, occurrences: 1, shares: [] };
    expect(alarmSays(news as unknown as Alarm)).toBe(SAID);
  });
});

test("an anomaly without shares tells its score alone", () => {
  expect(german("anomaly", { ...anomaly, shares: [] })).toBe(
    "vibration von pump-1 weicht vom normalen Verhalten ab (Wert 0,93)",
  );
});

test("the server's words stay within reach where the sentence tells less than they do", () => {
  expect(serverSays(alarm("device_lost"))).toBe(SAID);
  expect(serverSays(alarm("gateway_offline"))).toBe("");
  expect(serverSays(alarm("health"))).toBe("");
});

test("types have German names, unknown ones are shown as the API says them", () => {
  expect([typeSays("gateway_offline"), typeSays("made_up")]).toEqual(["Gateway offline", "made up"]);
  for (const [type] of told) expect(Object.keys(alarmTypes)).toContain(type);
  speak("en");
  expect(typeSays("gateway_offline")).toBe("gateway offline");
});

test("a sentence follows the plant's zone and the language, though it is made once", () => {
  const one = alarm("silence");
  const before = alarmSays(one);
  zone.value = "UTC";
  expect([before, alarmSays(one)]).toEqual([
    "pump-1 hat seit 15.01.2026, 11:29:57 nichts gesendet",
    "pump-1 hat seit 15.01.2026, 10:29:57 nichts gesendet",
  ]);
  speak("en");
  expect(alarmSays(one)).toBe(SAID);
});
