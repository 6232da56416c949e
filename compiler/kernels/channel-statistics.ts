import { assemble, type Kernel, type StorageBinding } from "./kernel.js";
import { RELU } from "./not-a-number.js";
import { placeConstants } from "./place.js";
import { REDUCE_WORKGROUP, SUM4 } from "./reduce.js";
import { wgsl } from "./wgsl.js";

/**
 * Reductions of each channel over batch and space, in two kernels. In the first, a lane goes through a part of a channel quad's values and
 * leaves a few vec4 of it in `partial`, [part][quad][...]; lanes need nothing of each other. In the second, a workgroup for each channel quad
 * puts the parts together. Sums have the same order every time.
 */
export const PARTS_WORKGROUP = 64;

/** vec4 that a part leaves of a channel quad. */
export const MOMENTS = 3;
export const PRODUCTS = 2;

const read = (name: string): StorageBinding => ({ name, access: "read", element: "vec4f" });
const written = (name: string): StorageBinding => ({
  name,
  access: "read_write",
  element: "vec4f",
});

const PARTS = ["height", "width", "quads", "lines"];

/** The part's lines (rows of an image's pixels), from `first_line` to before `last_line`. */
const START = wgsl`
  let thread = block * ${PARTS_WORKGROUP}u + lane;
  let quad = thread % constants.quads;
  let first_line = thread / constants.quads * constants.lines;
  let last_line = min(first_line + constants.lines, frame.batch * constants.height);
  if (first_line >= last_line) {
    return;
  }`;

/** Where the lane's quad of a line's first pixel lies. */
const lineOf = (name: string, line: string) =>
  `constants.${name}_base + ${line} / constants.height * constants.${name}_image` +
  ` + ${line} % constants.height * constants.${name}_row + quad`;

/** The loop over the part's pixels, which lie at `NAME_place` of each activation. */
const overPart = (names: readonly string[], ...body: readonly string[]) => wgsl`
  for (var line = first_line; line < last_line; line++) {
    ${names.map((name) => `var ${name}_place = ${lineOf(name, "line")};`)}
    for (var x = 0u; x < constants.width; x++) {
      ${body}
      ${names.map((name) => `${name}_place += constants.${name}_column;`)}
    }
  }`;

/** The loop over a quad's parts, which lie at `at` and have so many `values` each. */
const overParts = (left: number, ...body: readonly string[]) => wgsl`
  for (var part = lane; part * constants.part_values < all_values; part += ${REDUCE_WORKGROUP}u) {
    let at = ${left}u * (part * constants.quads + block);
    ${body}
  }`;

const JOINED = ["pixels", "quads", "part_values"];

const ALL_VALUES = wgsl`
  let all_values = frame.batch * constants.pixels;
  let count = f32(all_values);`;

/**
 * For each part, a value near its mean, what is left of the mean, and the sum of squared distances from the mean. Values are taken
 * relative to the part's first (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983): its square distance from
 * the mean is at most the sum of all, so that of n values no more than log2(n) bits are lost.
 */
export function channelMoments(): Kernel {
  return assemble({
    name: "channel_moments",
    summary: "Mean and sum of squared distances over parts of each channel.",
    storage: [read("a"), written("partial")],
    constants: [...PARTS, ...placeConstants("a")],
    workgroupSize: PARTS_WORKGROUP,
    declarations: [RELU],
    body: wgsl`
      ${START}
      let near = a[${lineOf("a", "first_line")}];
      var rest = vec4f(0);
      var squares = vec4f(0);
      ${overPart(
        ["a"],
        "let distance = a[a_place] - near;",
        "rest += distance;",
        "squares = fma(distance, distance, squares);",
      )}
      let count = f32((last_line - first_line) * constants.width);
      ${leaveMoments("thread")}`,
  });
}

/**
 * Stores what `near`, and `rest` and `squares` of the distances from it, say of `count` values. Needs
 * RELU.
 */
export const leaveMoments = (place: string) => wgsl`
  partial[${MOMENTS}u * ${place}] = near;
  partial[${MOMENTS}u * ${place} + 1u] = rest / count;
  partial[${MOMENTS}u * ${place} + 2u] = relu(squares - rest * rest / count);`;

/**
 * Mean and biased variance over batch and space of each channel, from those of its parts; running ones move towards them, in place. Means are
 * compared with a value near the first part's, so that those of values far from zero keep their digits.
 */
export function joinMoments(): Kernel {
  const distance = "(partial[at] - near) + partial[at + 1u]";
  const values =
    "let values = f32(min(constants.part_values, all_values - part * constants.part_values));";
  return assemble({
    name: "join_moments",
    summary: "Mean and variance over batch and space for each channel, from those of its parts.",
    storage: [
      read("partial"),
      ...["running_mean", "running_variance", "mean", "variance"].map(written),
    ],
    constants: [...JOINED, "momentum"],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM4],
    body: wgsl`
      ${ALL_VALUES}
      let near = partial[${MOMENTS}u * block];
      var rest = vec4f(0);
      ${overParts(MOMENTS, values, `rest += values * (${distance});`)}
      rest = total4(rest, lane) / count;
      var squares = vec4f(0);
      ${overParts(
        MOMENTS,
        values,
        `let distance = ${distance} - rest;`,
        "squares += partial[at + 2u] + values * distance * distance;",
      )}
      squares = total4(squares, lane);
      ${FINISH_MOMENTS}`,
  });
}

/** Stores mean and biased variance; the running ones move towards mean and unbiased variance. */
const FINISH_MOMENTS = wgsl`
  if (lane == 0u) {
    let momentum = bitcast<f32>(constants.momentum);
    let center = near + rest;
    mean[block] = center;
    variance[block] = squares / count;
    running_mean[block] = (1.0 - momentum) * running_mean[block] + momentum * center;
    if (count > 1.0) {
      running_variance[block] = (1.0 - momentum) * running_variance[block] + momentum * squares / (count - 1.0);
    }
  }`;

/** For each part, the sums of dy, and of dy times x less its mean. */
export function channelProducts(): Kernel {
  return assemble({
    name: "channel_products",
    summary: "Normalisation, gradient: sums over parts of each channel.",
    storage: [...["d", "a", "mean"].map(read), written("partial")],
    constants: [...PARTS, ...placeConstants("d"), ...placeConstants("a")],
    workgroupSize: PARTS_WORKGROUP,
    body: wgsl`
      ${START}
      let middle = mean[quad];
      var gradients = vec4f(0);
      var products = vec4f(0);
      ${overPart(
        ["d", "a"],
        "let gradient = d[d_place];",
        "gradients += gradient;",
        "products = fma(gradient, a[a_place] - middle, products);",
      )}
      ${leaveProducts("thread")}`,
  });
}

/** Stores the sums `gradients` and `products`. */
export const leaveProducts = (place: string) => wgsl`
  partial[${PRODUCTS}u * ${place}] = gradients;
  partial[${PRODUCTS}u * ${place} + 1u] = products;`;

/**
 * Gradients of a normalisation's bias and weight, and the slope and offset (in x) of what its statistics take off dy, from the sums of its
 * parts. Results: [C].
 */
export function joinProducts(): Kernel {
  return assemble({
    name: "join_products",
    summary: "Normalisation, gradient: sums over batch and space for each channel, from its parts.",
    storage: [
      ...["partial", "mean", "variance"].map(read),
      ...["bias_gradient", "weight_gradient", "slope", "offset"].map(written),
    ],
    constants: [...JOINED, "epsilon"],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM4],
    body: wgsl`
      ${ALL_VALUES}
      var sum = vec4f(0);
      var products = vec4f(0);
      ${overParts(PRODUCTS, "sum += partial[at];", "products += partial[at + 1u];")}
      sum = total4(sum, lane);
      products = total4(products, lane);
      if (lane == 0u) {
        let deviation = sqrt(variance[block] + vec4f(bitcast<f32>(constants.epsilon)));
        let along = products / deviation;
        bias_gradient[block] = sum;
        weight_gradient[block] = along;
        slope[block] = along / count / deviation;
        offset[block] = sum / count - along / count / deviation * mean[block];
      }`,
  });
}
