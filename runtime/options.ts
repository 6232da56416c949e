/** Checks of the options of calls. */
import { describe } from "./describe.js";
import { InputError } from "./errors.js";

/** The options of a call by name. The type makes the list complete. */
export type OptionNames<Options> = { readonly [name in keyof Required<Options>]: true };

/**
 * Throws InputError unless `options` is an object of known options: a misspelled one would have no
 * effect.
 */
export function assertKnown<Options>(
  options: Options,
  known: OptionNames<Options>,
  call: string,
): void {
  if (typeof options !== "object" || options === null) {
    throw new InputError(`the options of \`${call}\` must be an object, not ${describe(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  throw new InputError(
    `\`${call}\` has no option \`${unknown}\`; it takes ${Object.keys(known).join(", ")}`,
  );
}

/** Throws InputError unless `value` is an integer of at least `minimum` that 32 bits hold. */
export function assertInteger(value: number, minimum: number, what: string): void {
  if (!Number.isInteger(value) || value < minimum || value > 0xffffffff) {
    throw new InputError(
      `${what} must be an integer from ${minimum} to 4294967295, not ${shown(value)}`,
    );
  }
}

export interface Bounds {
  readonly minimum: number;
  /** The largest value; the largest number of 32 bits unless given. */
  readonly maximum?: number;
  /** What the value is less than. */
  readonly below?: number;
}

const LARGEST_FLOAT = 3.4028234663852886e38;

/** Throws InputError unless `value` is a number within the bounds. */
export function assertNumber(value: number, bounds: Bounds, what: string): void {
  const { minimum, maximum = LARGEST_FLOAT, below = Infinity } = bounds;
  if (typeof value === "number" && value >= minimum && value <= maximum && value < below) return;
  const upper = below < Infinity ? `less than ${below}` : `at most ${maximum}`;
  throw new InputError(
    `${what} must be a number of at least ${minimum} and ${upper}, not ${shown(value)}`,
  );
}

/** Text in quotes: `"4"` is not the number 4. */
const shown = (value: unknown): string =>
  typeof value === "string" ? `"${value}"` : String(value);
