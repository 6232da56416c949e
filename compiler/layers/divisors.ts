import type { Axis, InferenceContext } from "./layer.js";

/** A number that should divide sizes of a value. */
interface WrongDivisor {
  readonly message: string;
  readonly argument: string;
  readonly given: number;
  /** The sizes that it should divide. */
  readonly of: readonly number[];
  readonly axis: Axis;
  /** What has to divide the sizes for an argument of this value; the value itself if absent. */
  readonly divides?: (value: number) => number;
  readonly notes?: readonly string[];
}

/** Reports a number that does not divide, with the nearest that does. */
export function reportDivisor(context: InferenceContext, wrong: WrongDivisor): undefined {
  const { message, argument, given, of, axis, divides = (value) => value, notes = [] } = wrong;
  const fits = (value: number) => of.every((size) => size % divides(value) === 0);
  const all = Array.from({ length: Math.min(...of) }, (_, index) => index + 1).filter(fits);
  const nearest = all.reduce((a, b) => (Math.abs(b - given) < Math.abs(a - given) ? b : a));
  const odd = of.find((size) => size % divides(given) !== 0)!;
  const text = `${argument}=${nearest}`;
  return context.report("NET2036", {
    message,
    at: argument,
    label: `${odd} / ${divides(given)} leaves ${odd % divides(given)} over`,
    axis,
    notes,
    fixes: nearest > 1 ? [context.setArgument(argument, text, `write \`${text}\``)] : [],
  });
}
