import type { Expression } from "../ir/expression.js";
import { plain, raw } from "./bridge.js";
import { describe, expressionDeclarations, print } from "./expression.js";
import { assemble, type Kernel } from "./kernel.js";
import { isNotFinite, LARGER, nanWhere, OR_NAN } from "./not-a-number.js";
import { placeConstants, placeOf, splitPixel } from "./place.js";
import { gradientSink, type GradientUse } from "./update-old.js";
import { LOWEST, times, wgsl } from "./wgsl.js";

/** Lanes that share a reduction. */
export const REDUCE_WORKGROUP = 64;

/**
 * Combines the lanes' values over the workgroup, in the order of the lanes; every lane gets the result. Each lane reads all values,
 * which takes a GPU no longer than the six barriers of a tree, and software adapters compile barriers slowly.
 */
const reduction = (name: string, type: string, combine: (a: string, b: string) => string) => wgsl`
  var<workgroup> partial_${name}: array<${type}, ${REDUCE_WORKGROUP}>;

  fn ${name}(value: ${type}, lane: u32) -> ${type} {
    workgroupBarrier();
    partial_${name}[lane] = value;
    workgroupBarrier();
    var result = partial_${name}[0];
    for (var other = 1u; other < ${REDUCE_WORKGROUP}u; other++) {
      result = ${combine("result", `partial_${name}[other]`)};
    }
    return result;
  }`;

/** The larger of two f32, or NaN. */
function largerOf(a: string, b: string): string {
  return `larger(vec4f(${a}), vec4f(${b})).x`;
}

const plus = (a: string, b: string) => `${a} + ${b}`;
/** `total(value, lane)`. */
export const SUM = reduction("total", "f32", plus);
/** `total4(value, lane)`. */
export const SUM4 = reduction("total4", "vec4f", plus);
/** `largest(value, lane)`; NaN may be passed over. */
export const MAX = reduction("largest", "f32", (a, b) => `max(${a}, ${b})`);
/** `largest(value, lane)`, NaN where a value is. Needs OR_NAN and LARGER. */
const MAX_OR_NAN = reduction("largest", "f32", largerOf);

/** Values of a lane that are summed by themselves: of a single sum of all of them, the last digits would be lost. */
const PART_TURNS = 64;

/** Bias gradient: the sum over batch and space of each channel. One workgroup a channel quad. Result: [C]. */
export function channelSum(use: GradientUse): Kernel {
  const sink = gradientSink(use);
  return assemble({
    name: `channel_sum${sink.suffix}`,
    summary: "Sum over batch and space for each channel: the gradient of a bias.",
    storage: [{ name: "a", access: "read", element: "vec4f" }, ...sink.storage],
    constants: ["pixels", "width", ...placeConstants("a"), ...sink.constants],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM4, ...sink.declarations],
    body: wgsl`
      var sum = vec4f(0);
      var part = vec4f(0);
      var turn = 0u;
      for (var pixel = lane; pixel < frame.batch * constants.pixels; pixel += ${REDUCE_WORKGROUP}u) {
        ${splitPixel("pixel")}
        part += a[${placeOf("a")} + block];
        turn++;
        if (turn % ${PART_TURNS}u == 0u) {
          sum += part;
          part = vec4f(0);
        }
      }
      let sums = total4(sum + part, lane);
      if (lane == 0u) {
        ${sink.use("block", "sums")}
      }`,
  });
}

/**
 * Sums over the images of several [N] values, and how many images have one that is not finite. A slice adds its own to the earlier
 * ones'. In sums of shares, what is not finite counts as 0. One workgroup. y: sums from `at` on, and the number at `unfit_at`.
 */
export function batchSums(values: number): Kernel {
  return assemble({
    name: `batch_sums_${values}`,
    summary: "Sums over the batch: the loss and the metrics.",
    storage: [
      ...times(values, (index) => ({ name: `a${index}`, access: "read", element: "f32" }) as const),
      { name: "y", access: "read_write", element: "f32" },
    ],
    constants: ["at", "unfit_at", ...times(values, (index) => `share${index}`)],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM, ADD_UP],
    body: wgsl`
      var unfit = 0f;
      ${times(values, (index) => `var sum${index} = 0f;`)}
      for (var image = lane; image < frame.batch; image += ${REDUCE_WORKGROUP}u) {
        var is_unfit = false;
        ${times(values, takeIn)}
        unfit += select(0.0, 1.0, is_unfit);
      }
      ${times(values, (index) => `add_up(constants.at + ${index}u, sum${index}, lane);`)}
      add_up(constants.unfit_at, unfit, lane);`,
  });
}

const takeIn = (index: number) => wgsl`
  let value${index} = a${index}[image];
  let is_unfit${index} = ${isNotFinite(`value${index}`)};
  is_unfit = is_unfit || is_unfit${index};
  sum${index} += select(value${index}, 0.0, is_unfit${index} && constants.share${index} != 0u);`;

const ADD_UP = wgsl`
  fn add_up(at: u32, part: f32, lane: u32) {
    let sum = total(part, lane);
    if (lane == 0u) {
      y[at] = select(y[at], 0.0, frame.first_image == 0u) + sum;
    }
  }`;

/**
 * The mean over an example's elements of an expression of prediction and target, NaN where an element of the prediction is not finite. A
 * workgroup an example. y: [N].
 */
export function elementLoss(expression: Expression): Kernel {
  const places = { 0: "a", 1: "b" } as const;
  const printed = print(expression, {
    type: "f32",
    operand: (index) =>
      raw(`${places[index as 0 | 1]}_values[${placeOf(places[index as 0 | 1])} + c]`),
    channel: () => {
      throw new Error("a loss reads no channel operands");
    },
    counter: raw("0u"),
  });
  const value = plain(printed);
  return assemble({
    name: `loss_${describe(expression)}`,
    summary: "A loss of each element, averaged over an example's.",
    storage: [
      { name: "a_values", access: "read", element: "f32" },
      { name: "b_values", access: "read", element: "f32" },
      { name: "losses", access: "read_write", element: "f32" },
    ],
    constants: ["pixels", "width", "channels", ...placeConstants("a"), ...placeConstants("b")],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM, ...expressionDeclarations([expression])],
    body: wgsl`
      let image = block;
      if (image >= frame.batch) {
        return;
      }
      let elements = constants.pixels * constants.channels;
      var sum = 0f;
      var is_unfit = false;
      for (var element = lane; element < elements; element += ${REDUCE_WORKGROUP}u) {
        let c = element % constants.channels;
        let pixel = element / constants.channels;
        let y = pixel / constants.width;
        let x = pixel % constants.width;
        is_unfit = is_unfit || ${isNotFinite(`a_values[${placeOf("a")} + c]`)};
        sum += ${value};
      }
      sum = total(${nanWhere("is_unfit", "sum")}, lane);
      if (lane == 0u) {
        losses[image] = sum / f32(elements);
      }`,
  });
}

export const CHANNELS = `for (var c = lane; c < constants.channels; c += ${REDUCE_WORKGROUP}u)`;

/** A workgroup a pixel; channels in scalars, since their count need not be a multiple of 4. */
export const rowStart = (names: readonly string[]) => [
  "if (block >= frame.batch * constants.pixels) {\n  return;\n}",
  ...splitPixel("block"),
  ...names.map((name) => `let ${name}_place = 4u * (${placeOf(name)});`),
];

/** Softmax over channels, with the row's maximum subtracted. */
export function softmax(): Kernel {
  return assemble({
    name: "softmax",
    summary: "Softmax over channels.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "result", access: "read_write", element: "f32" },
    ],
    constants: ["pixels", "width", "channels", ...placeConstants("a"), ...placeConstants("y")],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [OR_NAN, LARGER, MAX_OR_NAN, SUM],
    body: wgsl`
      ${rowStart(["a", "y"])}
      var most = ${LOWEST};
      ${CHANNELS} {
        most = ${largerOf("most", "a[a_place + c]")};
      }
      most = largest(most, lane);
      var sum = 0f;
      ${CHANNELS} {
        sum += exp(a[a_place + c] - most);
      }
      sum = total(sum, lane);
      ${CHANNELS} {
        result[y_place + c] = exp(a[a_place + c] - most) / sum;
      }`,
  });
}

/** dx = y * (dy - sum(dy * y)). */
export function softmaxGradient(): Kernel {
  const places = ["a", "d", "y"];
  return assemble({
    name: "softmax_gradient",
    summary: "Softmax, gradient: y * (dy - sum(dy * y)).",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "d", access: "read", element: "f32" },
      { name: "result", access: "read_write", element: "f32" },
    ],
    constants: ["pixels", "width", "channels", ...places.flatMap((name) => placeConstants(name))],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM],
    body: wgsl`
      ${rowStart(places)}
      var sum = 0f;
      ${CHANNELS} {
        sum += a[a_place + c] * d[d_place + c];
      }
      sum = total(sum, lane);
      ${CHANNELS} {
        result[y_place + c] = a[a_place + c] * (d[d_place + c] - sum);
      }`,
  });
}
