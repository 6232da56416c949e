import { assemble, type Kernel, type StorageBinding } from "./kernel.js";
import { placeConstants, placeOf } from "./place.js";
import { REDUCE_WORKGROUP, SUM4 } from "./reduce.js";
import { wgsl } from "./wgsl.js";

/**
 * Reductions of each channel over batch and space, a channel quad a workgroup. Where images have many pixels it is a quad of
 * an image a workgroup, which leaves a few vec4 in `partial`, and a second kernel puts the images together: enough workgroups
 * for a large adapter, and an image's second reading comes from its cache. Sums have the same order every time.
 */
export type Extent = "batch" | "image";

const read = (name: string): StorageBinding => ({ name, access: "read", element: "vec4f" });
const written = (name: string): StorageBinding => ({
  name,
  access: "read_write",
  element: "vec4f",
});

/** Where the workgroup stands, and how many values of a channel it reduces. */
const START: Readonly<Record<Extent, string>> = {
  batch: wgsl`
    let quad = block;
    let count = f32(frame.batch * constants.pixels);`,
  image: wgsl`
    let quad = block % constants.quads;
    let image = block / constants.quads;
    if (image >= frame.batch) {
      return;
    }
    let count = f32(constants.pixels);`,
};

/** The loop over the pixels. */
const overPixels = (extent: Extent, ...body: readonly string[]) => wgsl`
  for (var index = lane; index < ${extent === "batch" ? "frame.batch * " : ""}constants.pixels; index += ${REDUCE_WORKGROUP}u) {
    ${extent === "batch" ? "let image = index / constants.pixels;" : ""}
    let pixel = index % constants.pixels;
    let y = pixel / constants.width;
    let x = pixel % constants.width;
    ${body}
  }`;

/** The loop over what the images left: so many vec4 of each from `at` on. */
const overImages = (left: number, ...body: readonly string[]) => wgsl`
  for (var image = lane; image < frame.batch; image += ${REDUCE_WORKGROUP}u) {
    let at = ${left}u * (image * constants.quads + block);
    ${body}
  }`;

const leave = (...values: readonly string[]) => wgsl`
  if (lane == 0u) {
    ${values.map((value, index) => `partial[${values.length}u * block + ${index}u] = ${value};`)}
  }`;

/**
 * The mean, `near + rest`, and the sum of squared distances from it, `squares`, in two passes: what the first leaves of the
 * mean, for rounding, the second finds and takes off (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983).
 */
const moments = (extent: Extent) => wgsl`
  var sum = vec4f(0);
  ${overPixels(extent, `sum += a[${placeOf("a")} + quad];`)}
  let near = total4(sum, lane) / count;
  var rest = vec4f(0);
  var squares = vec4f(0);
  ${overPixels(
    extent,
    `let distance = a[${placeOf("a")} + quad] - near;`,
    "rest += distance;",
    "squares += distance * distance;",
  )}
  rest = total4(rest, lane) / count;
  squares = max(total4(squares, lane) - count * rest * rest, vec4f(0));`;

/** Stores mean and biased variance; the running ones move towards mean and unbiased variance. */
const FINISH_STATISTICS = wgsl`
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

const STATISTICS = [
  written("running_mean"),
  written("running_variance"),
  written("mean"),
  written("variance"),
];

/** Mean and biased variance over batch and space of each channel; running ones move towards them, in place. */
export function channelStatistics(): Kernel {
  return assemble({
    name: "channel_statistics",
    summary: "Mean and variance over batch and space for each channel.",
    storage: [read("a"), ...STATISTICS],
    constants: ["pixels", "width", ...placeConstants("a"), "momentum"],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM4],
    body: wgsl`
      ${START.batch}
      ${moments("batch")}
      ${FINISH_STATISTICS}`,
  });
}

/** The mean of each image's channels, and the sums of squared distances from it. */
export function imageStatistics(): Kernel {
  return assemble({
    name: "image_statistics",
    summary: "Mean and sum of squared distances over each image's pixels for each channel.",
    storage: [read("a"), written("partial")],
    constants: ["pixels", "width", "quads", ...placeConstants("a")],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM4],
    body: wgsl`
      ${START.image}
      ${moments("image")}
      ${leave("near", "rest", "squares")}`,
  });
}

/**
 * The batch's statistics from its images'. Means are compared with the first image's, so that those of values far from zero keep
 * their digits.
 */
export function joinStatistics(): Kernel {
  const distance = "(partial[at] - near) + partial[at + 1u]";
  return assemble({
    name: "join_statistics",
    summary: "Mean and variance over batch and space for each channel, from those of the images.",
    storage: [read("partial"), ...STATISTICS],
    constants: ["pixels", "quads", "momentum"],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM4],
    body: wgsl`
      let count = f32(frame.batch * constants.pixels);
      let near = partial[3u * block];
      var rest = vec4f(0);
      ${overImages(3, `rest += ${distance};`)}
      rest = total4(rest, lane) / f32(frame.batch);
      var squares = vec4f(0);
      ${overImages(
        3,
        `let distance = ${distance} - rest;`,
        "squares += partial[at + 2u] + f32(constants.pixels) * distance * distance;",
      )}
      squares = total4(squares, lane);
      ${FINISH_STATISTICS}`,
  });
}

/** `sum` of dy and `products` of dy and x less its mean. */
const gradientSums = (extent: Extent) => wgsl`
  let middle = mean[quad];
  var sum = vec4f(0);
  var products = vec4f(0);
  ${overPixels(
    extent,
    `let gradient = d[${placeOf("d")} + quad];`,
    "sum += gradient;",
    `products += gradient * (a[${placeOf("a")} + quad] - middle);`,
  )}
  sum = total4(sum, lane);
  products = total4(products, lane);`;

const FINISH_GRADIENT = wgsl`
  if (lane == 0u) {
    let deviation = sqrt(variance[block] + vec4f(bitcast<f32>(constants.epsilon)));
    let along = products / deviation;
    bias_gradient[block] = sum;
    weight_gradient[block] = along;
    slope[block] = along / count / deviation;
    offset[block] = sum / count - along / count / deviation * mean[block];
  }`;

const GRADIENTS = ["bias_gradient", "weight_gradient", "slope", "offset"].map(written);

/**
 * Gradients of a normalisation's bias and weight, and the slope and offset (in x) of what its statistics take off dy.
 * Results: [C].
 */
export function normalizeGradient(): Kernel {
  return assemble({
    name: "normalize_gradient",
    summary: "Normalisation, gradient: what is summed over batch and space for each channel.",
    storage: [...["d", "a", "mean", "variance"].map(read), ...GRADIENTS],
    constants: ["pixels", "width", ...placeConstants("d"), ...placeConstants("a"), "epsilon"],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM4],
    body: wgsl`
      ${START.batch}
      ${gradientSums("batch")}
      ${FINISH_GRADIENT}`,
  });
}

/** What each image adds to the sums of a normalisation's gradient. */
export function imageNormalizeGradient(): Kernel {
  return assemble({
    name: "image_normalize_gradient",
    summary: "Normalisation, gradient: what is summed over each image's pixels for each channel.",
    storage: [...["d", "a", "mean"].map(read), written("partial")],
    constants: ["pixels", "width", "quads", ...placeConstants("d"), ...placeConstants("a")],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM4],
    body: wgsl`
      ${START.image}
      ${gradientSums("image")}
      ${leave("sum", "products")}`,
  });
}

/** The sums of a normalisation's gradient from those of the images. */
export function joinNormalizeGradient(): Kernel {
  return assemble({
    name: "join_normalize_gradient",
    summary: "Normalisation, gradient: sums for each channel, from those of the images.",
    storage: [...["partial", "mean", "variance"].map(read), ...GRADIENTS],
    constants: ["pixels", "quads", "epsilon"],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM4],
    body: wgsl`
      let count = f32(frame.batch * constants.pixels);
      var sum = vec4f(0);
      var products = vec4f(0);
      ${overImages(2, "sum += partial[at];", "products += partial[at + 1u];")}
      sum = total4(sum, lane);
      products = total4(products, lane);
      ${FINISH_GRADIENT}`,
  });
}
