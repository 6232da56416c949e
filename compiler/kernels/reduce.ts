import type { Expression } from "../ir/expression.js";
import { describe, expressionDeclarations, print } from "./expression.js";
import { assemble, type Kernel } from "./kernel.js";
import { placeConstants, placeOf, splitPixel } from "./place.js";
import { gradientSink, type GradientUse } from "./update.js";
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

const plus = (a: string, b: string) => `${a} + ${b}`;
/** `total(value, lane)`. */
export const SUM = reduction("total", "f32", plus);
/** `total4(value, lane)`. */
export const SUM4 = reduction("total4", "vec4f", plus);
/** `largest(value, lane)`. */
export const MAX = reduction("largest", "f32", (a, b) => `max(${a}, ${b})`);

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

/** Means over the step's images of several [N] values, a slice's share added to the earlier ones'. One workgroup. y: [values]. */
export function batchMean(values: number): Kernel {
  return assemble({
    name: `batch_mean_${values}`,
    summary: "Means over the batch: the loss and the metrics.",
    storage: [
      ...times(values, (index) => ({ name: `a${index}`, access: "read", element: "f32" }) as const),
      { name: "y", access: "read_write", element: "f32" },
    ],
    constants: [],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM],
    body: times(
      values,
      (index) =>
        wgsl`
        var sum${index} = 0f;
        for (var image = lane; image < frame.batch; image += ${REDUCE_WORKGROUP}u) {
          sum${index} += a${index}[image];
        }
        let mean${index} = total(sum${index}, lane) / f32(frame.step_images);
        if (lane == 0u) {
          y[${index}] = select(y[${index}], 0.0, frame.first_image == 0u) + mean${index};
        }`,
    ).join("\n"),
  });
}

/** The weighted sum of several [N] values, an example a thread. Weights are constants, as bits of f32. */
export function weightedSum(values: number): Kernel {
  const terms = times(
    values,
    (index) => `bitcast<f32>(constants.weight${index}) * a${index}[image]`,
  );
  return assemble({
    name: `weighted_sum_${values}`,
    summary: "A weighted sum of the losses of each example.",
    storage: [
      ...times(values, (index) => ({ name: `a${index}`, access: "read", element: "f32" }) as const),
      { name: "y", access: "read_write", element: "f32" },
    ],
    constants: times(values, (index) => `weight${index}`),
    workgroupSize: REDUCE_WORKGROUP,
    body: wgsl`
      let image = block * ${REDUCE_WORKGROUP}u + lane;
      if (image < frame.batch) {
        y[image] = ${terms.join(" + ")};
      }`,
  });
}

/** The mean over an example's elements of an expression of prediction and target. A workgroup an example. y: [N]. */
export function elementLoss(expression: Expression): Kernel {
  const places = { 0: "a", 1: "b" } as const;
  const value = print(expression, {
    type: "f32",
    operand: (index) => `${places[index as 0 | 1]}_values[${placeOf(places[index as 0 | 1])} + c]`,
    channel: () => {
      throw new Error("a loss reads no channel operands");
    },
    counter: "0u",
  });
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
      for (var element = lane; element < elements; element += ${REDUCE_WORKGROUP}u) {
        let c = element % constants.channels;
        let pixel = element / constants.channels;
        let y = pixel / constants.width;
        let x = pixel % constants.width;
        sum += ${value};
      }
      sum = total(sum, lane);
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
    declarations: [MAX, SUM],
    body: wgsl`
      ${rowStart(["a", "y"])}
      var most = ${LOWEST};
      ${CHANNELS} {
        most = max(most, a[a_place + c]);
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
