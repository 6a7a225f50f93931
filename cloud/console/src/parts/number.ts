/** Numbers as people read them: few digits, with their unit. */
import { locale } from "../text";

/** Return a number with so many significant digits and its unit; a dash where there is none. */
export function number(value: unknown, unit = "", digits = 4): string {
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "string") return unit ? `${value} ${unit}` : value;
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const isWhole = Number.isInteger(value) && size < 1e9;
  const text =
    size !== 0 && (size >= 1e9 || size < 1e-4)
      ? value.toExponential(2)
      : value.toLocaleString(locale.value, isWhole ? {} : { maximumSignificantDigits: digits });
  return unit ? `${text} ${unit}` : text;
}

export function percent(share: unknown, digits = 0): string {
  if (typeof share !== "number" || !Number.isFinite(share)) return "–";
  return share.toLocaleString(locale.value, { style: "percent", maximumFractionDigits: digits });
}

const SIZES = ["B", "KB", "MB", "GB", "TB"] as const;

export function bytes(size: unknown): string {
  if (typeof size !== "number" || !Number.isFinite(size)) return "–";
  let left = size;
  let index = 0;
  while (Math.abs(left) >= 1000 && index < SIZES.length - 1) {
    left /= 1000;
    index += 1;
  }
  return number(left, SIZES[index], 3);
}
