import { evaluate } from "../ir/expression-evaluate.js";
import { contains } from "../ir/expression-transform.js";
import type { Dropped, Expression } from "../ir/expression.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { read, type Bindings } from "./bindings.js";
import { code, frame, type Code } from "./code.js";
import type { Constants } from "./constants.js";
import { scopeOf, type Fragment } from "./define-kernel.js";
import { readsMask, describe, expressionDeclarations, print } from "./expression.js";

/**
 * An operand of a fused expression: an activation read at the element's place, or a vector read at
 * its channel.
 */
export type OperandKind = "activation" | "vector";

/**
 * What is done to a vec4 of results before it is stored. Kernels print it; they know neither layers
 * nor ops. `operands[i]` is operand i + 1 of the expression.
 */
export interface Epilogue {
  readonly expression: Expression;
  readonly operands: readonly OperandKind[];
  /**
   * Channels end inside a vec4 and the expression does not map zeros to zero: the padding must be
   * cleared.
   */
  readonly clearsPadding: boolean;
}

export const IDENTITY: Epilogue = {
  expression: { kind: "operand", index: 0 },
  operands: [],
  clearsPadding: false,
};

/** Whether an all-zero vec4 stays zero, so that padded channels need no care. */
export function keepsZero(expression: Expression): boolean {
  const [zero, one] = [() => 0, () => 1];
  const environment = { operand: zero, channel: zero, keep: one, noise: one, batchShare: 1 };
  return evaluate(expression, environment) === 0;
}

/** What an operand is called. */
export const operandName = (index: number): string => `operand${index + 1}`;

/** Whether an epilogue needs to know how many channels there are. */
export const readsChannels = ({ expression, clearsPadding }: Epilogue): boolean =>
  clearsPadding ||
  contains(
    expression,
    (part) => part.kind === "noise" || (part.kind === "keep" && part.dropped !== "example"),
  );

/** A vec4 that is to be finished. */
export interface Unfinished {
  /** The kernel's own vec4. */
  readonly value: Code;
  readonly quad: Code;
  /** The linear index of the pixel over the batch. */
  readonly pixel: Code;
  /** How many pixels an image has. */
  readonly pixels: Code | undefined;
  /** Where an operand's pixel begins. */
  readonly place: (name: string) => Code;
  /** The quad of a vector, if it was read before. */
  readonly vector?: (name: string) => Code;
}

export interface EpilogueFragment extends Fragment {
  /** Words for the kernel's name. */
  readonly suffix: string;
  /** Names of the operands that are read at a separate place, and of those read by channel. */
  readonly activations: readonly string[];
  readonly vectors: readonly string[];
  readonly readsPixels: boolean;
  /** Where an operand's pixel is. */
  readonly placeOf: (name: string, image: Code, y: Code, x: Code) => Code;
  readonly loadVector: (name: string, quad: Code) => Code;
  readonly finish: (unfinished: Unfinished) => Code;
}

export function epilogueFragment(epilogue: Epilogue): EpilogueFragment {
  const { expression, operands, clearsPadding } = epilogue;
  const names = operands.map((_, index) => operandName(index));
  const activations = names.filter((_, index) => operands[index] === "activation");
  const bindings: Bindings = Object.fromEntries(names.map((name) => [name, read("vec4f")]));
  const constants: Constants = {
    ...Object.fromEntries(activations.map((name) => [name, "place"] as const)),
    ...withoutUndefined({ channels: readsChannels(epilogue) ? "u32" : undefined }),
  };
  const words = describe(expression);
  const { io } = scopeOf({ bindings, constants });
  const { k } = scopeOf({ bindings: {}, constants: { channels: "u32" } });
  const { k: places } = scopeOf({ bindings: {}, constants: placesOf(activations) });
  const load = (index: number, at: Code) => io[operandName(index - 1)]!.load(at);
  return {
    bindings,
    constants,
    activations,
    declarations: expressionDeclarations([expression]),
    suffix: words === "" ? "" : `_${words}`,
    vectors: names.filter((_, index) => operands[index] === "vector"),
    readsPixels: readsMask(expression),
    placeOf: (name, image, y, x) => places[name]!.at(image, y, x),
    loadVector: (name, quad) => io[name]!.load(quad),
    finish: ({ value, quad, pixel, pixels, place, vector }) => {
      const channels = code`vec4u(4u * ${quad}) + vec4u(0, 1, 2, 3)`;
      const example = code`${frame.first_image} + ${pixel} / ${pixels}`;
      const inStep = code`${frame.first_image} * ${pixels} + ${pixel}`;
      const counters: Readonly<Record<Dropped, Code>> = {
        element: code`(${inStep}) * ${k.channels} + 4u * ${quad}`,
        channel: code`(${example}) * ${k.channels} + 4u * ${quad}`,
        example,
      };
      const made = print(expression, {
        type: "vec4f",
        operand: (index) =>
          index === 0 ? value : load(index, code`${place(operandName(index - 1))} + ${quad}`),
        channel: (index) => vector?.(operandName(index - 1)) ?? load(index, quad),
        counter: (dropped) => counters[dropped],
      });
      if (!clearsPadding) return made;
      return code`select(vec4f(0), ${made}, ${channels} < vec4u(${k.channels}))`;
    },
  };
}

const placesOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, "place"] as const));
