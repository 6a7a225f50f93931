/** An analogue bar: where a value lies in its range, with its normal band and limits, instead of a bare number. */

export interface Band {
  low: number;
  high: number;
}

export interface BarProps {
  value: number | null;
  /** The whole range shown. */
  range: Band;
  /** Where it usually is. */
  normal?: Band | null;
  /** Limits, drawn as lines. */
  limits?: readonly number[];
  tone?: "normal" | "warning" | "critical";
  label: string;
}

const WIDTH = 100;

/** Return where a value lies in a range, 0 to 1, kept at the edges. */
export function share(value: number, range: Band): number {
  const span = range.high - range.low;
  return span > 0 ? Math.min(1, Math.max(0, (value - range.low) / span)) : 0.5;
}

export function Bar({ value, range, normal, limits = [], tone = "normal", label }: BarProps) {
  const x = (one: number) => share(one, range) * WIDTH;
  const isThere = value !== null && Number.isFinite(value);
  return (
    <svg class={`bar ${tone}`} viewBox={`0 0 ${WIDTH} 14`} preserveAspectRatio="none" role="img" aria-label={label}>
      <title>{label}</title>
      <rect class="ground" x="0" y="4" width={WIDTH} height="6" rx="1" />
      {normal && (
        <rect class="band" x={x(normal.low)} y="4" width={Math.max(1, x(normal.high) - x(normal.low))} height="6" />
      )}
      {limits.map((one) => (
        <line key={one} class="limit" x1={x(one)} x2={x(one)} y1="2" y2="12" vector-effect="non-scaling-stroke" />
      ))}
      {isThere && (
        <line class="pointer" x1={x(value)} x2={x(value)} y1="1" y2="13" vector-effect="non-scaling-stroke" />
      )}
    </svg>
  );
}
