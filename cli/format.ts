/** Numbers as people read them. */
import { pluralOf } from "../compiler/diagnostics/plural.js";

/** `61,100,840`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** `0.42 s`, `12 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** A metric as people read it: a percentage if it is a share. */
export function formatMetric(name: string, value: number, fractions: readonly string[]): string {
  return fractions.includes(name) ? formatPercent(value) : formatNumber(value);
}

/** `loss 0.0712, top1 98.1%`. */
export function formatMetrics(
  metrics: Readonly<Record<string, number>>,
  fractions: readonly string[],
): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(name, value, fractions)}`)
    .join(", ");
}

/** A fraction as `98.3%`. */
export function formatPercent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`;
}

/** `1 image`, `2 images`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${count === 1 ? noun : pluralOf(noun)}`;
}

/** At most four significant digits, without a needless exponent: `0.01`, `2.303`, `5e-7`. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
