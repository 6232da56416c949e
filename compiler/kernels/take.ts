import { read } from "./bindings.js";
import { code, component, joined, times, type Code } from "./code.js";
import { scopeOf, type Fragment } from "./define-kernel.js";
import { defineQuads } from "./quads.js";

/** The axes of a result, in the order of their digits. */
export const TAKEN_AXES = ["row", "column", "channel"] as const;

type Axis = (typeof TAKEN_AXES)[number];

/** How many digits the place along each axis has, and what is read at once. */
export interface TakeForm extends Readonly<Record<Axis, number>> {
  readonly reads: "quads" | "elements";
  /** Whether channels end within a quad, behind which there are zeros. */
  readonly clears: boolean;
}

/** What a digit is given: its divisor but for the last one, its size but for the first. */
export const digitNames = (axis: Axis, digit: number, count: number) => ({
  divisor: digit < count - 1 ? `${axis}_divisor${digit}` : undefined,
  size: digit > 0 ? `${axis}_size${digit}` : undefined,
  pitch: `${axis}_pitch${digit}`,
});

/** The digits of all axes, as constants. */
export function digitsOf(form: Readonly<Record<Axis, number>>): Fragment {
  const names = TAKEN_AXES.flatMap((axis) =>
    times(form[axis], (digit) => Object.values(digitNames(axis, digit, form[axis]))).flat(),
  ).filter((name) => name !== undefined);
  return { bindings: {}, constants: Object.fromEntries(names.map((name) => [name, "u32"])) };
}

/** What the digits of an index along an axis count in memory, each. */
export function digitsAlong(axis: Axis, count: number, index: Code): readonly Code[] {
  const only = { row: 0, column: 0, channel: 0, [axis]: count };
  const given = scopeOf(digitsOf(only)).k as Readonly<Record<string, Code>>;
  return times(count, (digit) => {
    const { divisor, size, pitch } = digitNames(axis, digit, count);
    const divided = divisor ? code`${index} / ${given[divisor]}` : index;
    const within = size ? code`${divided} % ${given[size]}` : divided;
    return code`${within} * ${given[pitch]}`;
  });
}

/**
 * Elements of an activation in another order. The place of each is a sum over the axes of the
 * result: of the digits of its place along them, times what each counts in memory. Where channel
 * quads stay together, a thread reads one of them, and else four elements.
 */
export const take = defineQuads("take", (form: TakeForm) => {
  const { reads, clears } = form;
  const digits = digitsOf(form);
  const digitCounts = TAKEN_AXES.map((axis) => `_${form[axis]}`).join("");
  const along = (axis: Axis, index: Code) => digitsAlong(axis, form[axis], index);
  const sum = (terms: readonly Code[]) => joined(terms, " + ");
  return {
    suffix: `_${reads}${digitCounts}${clears ? "_cut" : ""}`,
    summary: "Elements in another order, from the places that its axes say.",
    bindings: { input: read(reads === "quads" ? "vec4f" : "f32") },
    constants: {
      base: "u32",
      image_pitch: "u32",
      last_channel: clears ? "u32" : undefined,
      ...digits.constants,
    },
    value: ({ io, k }) => {
      const start = sum([
        k.base,
        code`image * ${k.image_pitch}`,
        ...along("row", code`y`),
        ...along("column", code`x`),
      ]);
      if (reads === "quads") {
        return code`
          let first = ${start};
          let value = ${io.input.load(sum([code`first`, ...along("channel", code`quad`)]))};`;
      }
      const places = sum([code`vec4u(${start})`, ...along("channel", code`channels`)]);
      const loaded = times(4, (lane) => io.input.load(component(code`first`, lane)));
      const all = code`vec4u(4u * quad) + vec4u(0, 1, 2, 3)`;
      if (!clears) {
        return code`
          let channels = ${all};
          let first = ${places};
          let value = vec4f(${joined(loaded, ", ")});`;
      }
      return code`
        let all_channels = ${all};
        let channels = min(all_channels, vec4u(${k.last_channel}));
        let first = ${places};
        let loaded = vec4f(${joined(loaded, ", ")});
        let value = select(vec4f(0), loaded, all_channels == channels);`;
    },
  };
});
