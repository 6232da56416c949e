/**
 * Reductions of each channel over batch and space, in two kernels. In the first, a lane goes
 * through a part of a channel quad's values and leaves a few vec4 of it in `partial`,
 * [part][quad][...]; lanes do not depend on each other. In the second, a workgroup for each channel
 * quad puts the parts together. Sums have the same order every time.
 */
import { PART_QUADS } from "../ir/fusion.js";
import { read, written, type Loaded, type Stored } from "./bindings.js";
import { block, code, frame, lane, startThread, type Code, type Hole } from "./code.js";
import type { PlaceCode } from "./constants.js";
import { defineKernel } from "./define-kernel.js";
import { leaveMoments, leaveProducts } from "./gather.js";
import { placeName } from "./pixels.js";
import { REDUCE_LANES, REDUCE_WORKGROUP, SUM4 } from "./reduce.js";

/** Invocations of a workgroup that leaves parts. */
export const PARTS_WORKGROUP = 64;

const PARTS = { height: "u32", width: "u32", quads: "u32", lines: "u32" } as const;

type In<Names> = Readonly<Record<keyof Names, Code>>;

/** The part's lines (rows of an image's pixels), from `first_line` to before `last_line`. */
const partStart = ({ height, quads, lines }: In<typeof PARTS>) => code`
  ${startThread(PARTS_WORKGROUP)}
  let quad = thread % ${quads};
  let first_line = thread / ${quads} * ${lines};
  let last_line = min(first_line + ${lines}, ${frame.batch} * ${height});
  if (first_line >= last_line) {
    return;
  }`;

/** Where the lane's quad of a line's first pixel lies. */
const lineOf = ({ base, image, row }: PlaceCode, { height }: In<typeof PARTS>, line: Code) =>
  code`${base} + ${line} / ${height} * ${image} + ${line} % ${height} * ${row} + quad`;

/** The loop over the part's pixels, which lie at `NAME_place` of each activation. */
function overPart(
  k: In<typeof PARTS>,
  places: Readonly<Record<string, PlaceCode>>,
  ...body: readonly Hole[]
): Code {
  const named = Object.entries(places);
  return code`
    for (var line = first_line; line < last_line; line++) {
      ${named.map(
        ([name, place]) => code`var ${placeName(name)} = ${lineOf(place, k, code`line`)};`,
      )}
      for (var x = 0u; x < ${k.width}; x++) {
        ${body}
        ${named.map(([name, place]) => code`${placeName(name)} += ${place.column};`)}
      }
    }`;
}

const JOINED = { pixels: "u32", quads: "u32", part_values: "u32" } as const;

/** The loop over a quad's parts, which lie at `at` and have `part_values` each. */
const overParts = (k: In<typeof JOINED>, left: number, ...body: readonly Hole[]) => code`
  for (var part = ${lane}; part * ${k.part_values} < all_values; part += ${REDUCE_LANES}) {
    let at = ${left} * (part * ${k.quads} + ${block});
    ${body}
  }`;

const allValues = ({ pixels }: In<typeof JOINED>) => code`
  let all_values = ${frame.batch} * ${pixels};
  let count = f32(all_values);`;

const THREAD = code`thread`;

type Moments = Readonly<Record<"mean" | "variance" | "running_mean" | "running_variance", Stored>>;

/**
 * For each part, a value near its mean, what is left of the mean, and the sum of squared distances
 * from the mean. Values are taken relative to the part's first (Chan, Golub and LeVeque,
 * "Algorithms for computing the sample variance", 1983): its square distance from the mean is at
 * most the sum of all, so that of n values no more than log2(n) bits are lost.
 */
export const channelMoments = defineKernel("channel_moments", () => ({
  summary: "Mean and sum of squared distances over parts of each channel.",
  bindings: { input: read("vec4f"), partial: written("vec4f") },
  constants: { ...PARTS, input: "place" },
  lanes: PARTS_WORKGROUP,
  body: ({ io, k }) => code`
    ${partStart(k)}
    let near = ${io.input.load(lineOf(k.input, k, code`first_line`))};
    var rest = vec4f(0);
    var squares = vec4f(0);
    ${overPart(
      k,
      { input: k.input },
      code`let distance = ${io.input.load(placeName("input"))} - near;`,
      code`rest += distance;`,
      code`squares = fma(distance, distance, squares);`,
    )}
    let count = f32((last_line - first_line) * ${k.width});
    ${leaveMoments(io.partial, THREAD)}`,
}));

/** Stores, in the lane 0 of a workgroup, what it has made of its channel quad. */
const stores = (...statements: readonly Hole[]) => code`
  if (${lane} == 0u) {
    ${statements}
  }`;

/**
 * Statements that make `center` and `squares` of a channel quad: the mean, and the sum of squared
 * distances from it. Means are compared with a value near the first part's, so that those of values
 * far from zero keep their digits.
 */
function joinedMoments(partial: Loaded, k: In<typeof JOINED>): Code {
  const ofPart = (index: number) => partial.load(index === 0 ? code`at` : code`at + ${index}`);
  const distance = code`(${ofPart(0)} - near) + ${ofPart(1)}`;
  const left = code`all_values - part * ${k.part_values}`;
  const values = code`let values = f32(min(${k.part_values}, ${left}));`;
  return code`
    ${allValues(k)}
    let near = ${partial.load(code`${PART_QUADS.moments} * ${block}`)};
    var rest = vec4f(0);
    ${overParts(k, PART_QUADS.moments, values, code`rest += values * (${distance});`)}
    rest = ${SUM4}(rest, ${lane}) / count;
    var squares = vec4f(0);
    ${overParts(
      k,
      PART_QUADS.moments,
      values,
      code`let distance = ${distance} - rest;`,
      code`squares += ${ofPart(2)} + values * distance * distance;`,
    )}
    squares = ${SUM4}(squares, ${lane});`;
}

/**
 * Mean and biased variance over batch and space of each channel, from those of its parts; running
 * ones move towards them, in place.
 */
export const joinMoments = defineKernel("join_moments", () => ({
  summary: "Mean and variance over batch and space for each channel, from those of its parts.",
  bindings: {
    partial: read("vec4f"),
    running_mean: written("vec4f"),
    running_variance: written("vec4f"),
    mean: written("vec4f"),
    variance: written("vec4f"),
  },
  constants: { ...JOINED, momentum: "f32" },
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => code`
    ${joinedMoments(io.partial, k)}
    ${stores(
      code`let momentum = ${k.momentum};`,
      code`let center = near + rest;`,
      storeMoments(io, block),
    )}`,
}));

/** The kernel's results, of `center`, `squares`, `count` and `momentum`. */
function storeMoments(io: Moments, quad: Code): Code {
  const running = {
    mean: code`(1.0 - momentum) * ${io.running_mean.load(quad)}`,
    variance: code`(1.0 - momentum) * ${io.running_variance.load(quad)}`,
  };
  const variance = code`${running.variance} + momentum * squares / (count - 1.0)`;
  return code`
    ${io.mean.store(quad, code`center`)}
    ${io.variance.store(quad, code`squares / count`)}
    ${io.running_mean.store(quad, code`${running.mean} + momentum * center`)}
    if (count > 1.0) {
      ${io.running_variance.store(quad, variance)}
    }`;
}

/** For each part, the sums of dy, and of dy times x less its mean. */
export const channelProducts = defineKernel("channel_products", () => ({
  summary: "Normalization, gradient: sums over parts of each channel.",
  bindings: {
    gradient: read("vec4f"),
    input: read("vec4f"),
    mean: read("vec4f"),
    partial: written("vec4f"),
  },
  constants: { ...PARTS, gradient: "place", input: "place" },
  lanes: PARTS_WORKGROUP,
  body: ({ io, k }) => code`
    ${partStart(k)}
    let middle = ${io.mean.load(code`quad`)};
    var gradients = vec4f(0);
    var products = vec4f(0);
    ${overPart(
      k,
      { gradient: k.gradient, input: k.input },
      code`let slope = ${io.gradient.load(placeName("gradient"))};`,
      code`gradients += slope;`,
      code`products = fma(slope, ${io.input.load(placeName("input"))} - middle, products);`,
    )}
    ${leaveProducts(io.partial, THREAD)}`,
}));

/** Statements that make `sum`, of dy, and `products`, of dy times x less its mean, of a quad. */
const joinedProducts = (partial: Loaded, k: In<typeof JOINED>) => code`
  ${allValues(k)}
  var sum = vec4f(0);
  var products = vec4f(0);
  ${overParts(
    k,
    PART_QUADS.products,
    code`sum += ${partial.load(code`at`)};`,
    code`products += ${partial.load(code`at + 1u`)};`,
  )}
  sum = ${SUM4}(sum, ${lane});
  products = ${SUM4}(products, ${lane});`;

/** Statements that make `deviation`, and `along`, the gradient of the weight. */
const descent = (
  io: Readonly<Record<"variance", Loaded>>,
  { quad, epsilon }: { readonly quad: Code; readonly epsilon: Code },
) => [
  code`let deviation = sqrt(${io.variance.load(quad)} + vec4f(${epsilon}));`,
  code`let along = products / deviation;`,
];

/** Stores the gradients of bias and weight, and leaves `along` and `deviation` in scope. */
const storeGradients = (
  io: Readonly<Record<"variance", Loaded> & Record<"bias_gradient" | "weight_gradient", Stored>>,
  epsilon: Code,
) => [
  ...descent(io, { quad: block, epsilon }),
  io.bias_gradient.store(block, code`sum`),
  io.weight_gradient.store(block, code`along`),
];

/** What the statistics subtract from dy, of `sum`, `along`, `deviation` and `count`. */
const storeSlope = (
  io: Readonly<Record<"mean", Loaded> & Record<"slope" | "offset", Stored>>,
  quad: Code,
) => [
  io.slope.store(quad, code`along / count / deviation`),
  io.offset.store(quad, code`sum / count - along / count / deviation * ${io.mean.load(quad)}`),
];

/**
 * Gradients of a normalization's bias and weight, and the slope and offset (in x) of what its
 * statistics subtract from dy, of the sums of its parts. Results: [C].
 */
export const joinProducts = defineKernel("join_products", () => ({
  summary: "Normalization, gradient: sums over batch and space for each channel, from its parts.",
  bindings: {
    partial: read("vec4f"),
    mean: read("vec4f"),
    variance: read("vec4f"),
    bias_gradient: written("vec4f"),
    weight_gradient: written("vec4f"),
    slope: written("vec4f"),
    offset: written("vec4f"),
  },
  constants: { ...JOINED, epsilon: "f32" },
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => code`
    ${joinedProducts(io.partial, k)}
    ${stores(...storeGradients(io, k.epsilon), ...storeSlope(io, block))}`,
}));

/**
 * Where ranks combine what each has of a channel: [quad] of the one and then [quad] of the other
 * quantity, and the number of values that they are of.
 */
const SHARED = { quads: "u32" } as const;

/** Statements that store two quantities of a quad, and `count`. */
const storeShared = (exchanged: Stored, quads: Code, [one, other]: readonly [Code, Code]) =>
  stores(
    exchanged.store(block, one),
    exchanged.store(code`${quads} + ${block}`, other),
    code`if (${block} == 0u) {\n  ${exchanged.store(code`2 * ${quads}`, code`vec4f(count)`)}\n}`,
  );

/** Statements that load them again, as `names`, in a thread for each quad. */
const loadShared = (exchanged: Loaded, quads: Code, [one, other]: readonly [Code, Code]) => code`
  let ${one} = ${exchanged.load(code`quad`)};
  let ${other} = ${exchanged.load(code`${quads} + quad`)};
  let count = ${exchanged.load(code`2 * ${quads}`)}.x;`;

/** Mean and sum of squared distances of each channel's values on this rank, for all ranks. */
export const joinSharedMoments = defineKernel("join_shared_moments", () => ({
  summary: "Mean and sum of squared distances for each channel, from its parts, for all ranks.",
  bindings: { partial: read("vec4f"), exchanged: written("vec4f") },
  constants: JOINED,
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => code`
    ${joinedMoments(io.partial, k)}
    ${storeShared(io.exchanged, k.quads, [code`near + rest`, code`squares`])}`,
}));

/** What `joinMoments` makes, of the moments over all ranks. */
export const finishMoments = defineKernel("finish_moments", () => ({
  summary: "Mean and variance over batch and space for each channel, from those of all ranks.",
  bindings: {
    exchanged: read("vec4f"),
    running_mean: written("vec4f"),
    running_variance: written("vec4f"),
    mean: written("vec4f"),
    variance: written("vec4f"),
  },
  constants: { ...SHARED, momentum: "f32" },
  lanes: PARTS_WORKGROUP,
  body: ({ io, k }) => code`
    ${startThread(PARTS_WORKGROUP, "quad")}
    if (quad < ${k.quads}) {
      ${loadShared(io.exchanged, k.quads, [code`center`, code`squares`])}
      let momentum = ${k.momentum};
      ${storeMoments(io, code`quad`)}
    }`,
}));

/** The gradients of this rank's bias and weight, and its sums for all ranks. */
export const joinSharedProducts = defineKernel("join_shared_products", () => ({
  summary: "Normalization, gradient: sums for each channel, from its parts, for all ranks.",
  bindings: {
    partial: read("vec4f"),
    variance: read("vec4f"),
    bias_gradient: written("vec4f"),
    weight_gradient: written("vec4f"),
    exchanged: written("vec4f"),
  },
  constants: { ...JOINED, epsilon: "f32" },
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => code`
    ${joinedProducts(io.partial, k)}
    ${stores(...storeGradients(io, k.epsilon))}
    ${storeShared(io.exchanged, k.quads, [code`sum`, code`products`])}`,
}));

/** What the statistics of all ranks subtract from dy. */
export const finishProducts = defineKernel("finish_products", () => ({
  summary: "Normalization, gradient: what the statistics of all ranks subtract.",
  bindings: {
    exchanged: read("vec4f"),
    mean: read("vec4f"),
    variance: read("vec4f"),
    slope: written("vec4f"),
    offset: written("vec4f"),
  },
  constants: { ...SHARED, epsilon: "f32" },
  lanes: PARTS_WORKGROUP,
  body: ({ io, k }) => code`
    ${startThread(PARTS_WORKGROUP, "quad")}
    if (quad < ${k.quads}) {
      ${loadShared(io.exchanged, k.quads, [code`sum`, code`products`])}
      ${descent(io, { quad: code`quad`, epsilon: k.epsilon })}
      ${storeSlope(io, code`quad`)}
    }`,
}));
