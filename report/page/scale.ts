/** An axis with round numbers. */
import type { Tick } from "./svg.js";

export interface Scale {
  readonly ticks: readonly Tick[];
  /** Of the axis, for a value: 0 to 1 between its ends. */
  readonly shareOf: (value: number) => number;
}

/** From a round number to a round number around all values, of which there is one or more. */
export function evenScale(values: readonly number[]): Scale {
  const [low, high] = boundsOf(values);
  const step = roundStep((high - low) / 3);
  const [first, last] = [Math.floor(low / step), Math.ceil(high / step)];
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => ({
    share: index / (last - first),
    text: tickText((first + index) * step, step),
  }));
  return { ticks, shareOf: (value) => (value / step - first) / (last - first) };
}

/** Of a single number, some way around it. */
function boundsOf(values: readonly number[]): readonly [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  // Narrower than this, the rounding of f32 is seen, and ticks are too long.
  const least = 1e-6 * Math.max(Math.abs(low), Math.abs(high));
  if (high - low > least) return [low, high];
  const margin = Math.max(Math.abs(low), Math.abs(high)) / 10 || 1;
  return [low - margin, high + margin];
}

/** 1, 2 or 5 times a power of ten, and no less than `step`. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 5].find((each) => each * power >= step) ?? 10) * power;
}

const LARGE = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 6 });

function tickText(value: number, step: number): string {
  // What rounding leaves of a multiple of the step.
  const exact = Number(value.toFixed(Math.min(100, Math.max(0, 1 - Math.floor(Math.log10(step))))));
  if (Math.abs(exact) >= 1e15) return exact.toExponential(1);
  if (step >= 1000) return LARGE.format(exact);
  return String(Number(exact.toPrecision(8)));
}
