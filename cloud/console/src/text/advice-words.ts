/** What recommendations say in German, by their rule: what is wrong, and what to do; in English the server says it. */
export const adviceWords = {
  rising_trend: [
    "{tags} bewegt sich auf die Grenze zu",
    "{tags} von {device} untersuchen: In {time} ist die kritische Grenze erreicht",
  ],
  critical_health: [
    "Die Gesundheit ist kritisch",
    "{device} prüfen: Gesundheit {score}, am schlechtesten steht es um {part}",
  ],
  stuck_sensor: ["Ein Sensor steckt fest", "Sensor prüfen: {tags} von {device} bewegt sich nicht"],
  noise_step: [
    "Das Rauschen ist gewachsen",
    "Leitungen und Befestigung prüfen: Das Rauschen von {tags} von {device} ist auf einen Schlag gewachsen",
  ],
  drift_without_violation: [
    "Dauernde Drift innerhalb der Grenzen",
    "{tags} von {device} neu kalibrieren, oder sein Modell neu trainieren, wenn sich der Prozess geändert hat",
  ],
  clock_skew: [
    "Die Uhr geht nicht gleichmäßig",
    "Die Zeitsynchronisation von {device} prüfen: Seine Uhr wurde in einer Woche {n} Mal gestellt",
  ],
  repeated_buffering: [
    "Ein Gateway puffert immer wieder",
    "Das Netz von {device} prüfen: Es war in einer Woche {n} Mal abgeschnitten oder hat Messwerte verloren",
  ],
  chattering_alarm: ["Ein Alarm flattert", "Hysterese oder Verzögerung vergrößern: Alarm „{type}“ von {device}"],
} as const satisfies Record<string, readonly [title: string, action: string]>;

/** The parts of a health score, as they stand in a sentence. */
export const healthParts: Readonly<Record<string, string>> = {
  limit_margin: "den Abstand zu den Grenzen",
  anomaly_burden: "die Anomalien",
  trend: "den Trend",
  drift: "die Drift",
  data_quality: "die Datenqualität",
};
