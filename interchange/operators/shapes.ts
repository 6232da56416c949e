/** Operators that move elements, and the arithmetic of shapes. */
import { withoutUndefined } from "../../program/without-undefined.js";
import { BATCH, elementCount, formatShape, type Dimension } from "../../compiler/ir/shape.js";
import { integers, scalarOf, transposed } from "../tensors.js";
import {
  axesOf,
  channelsOf,
  constant,
  isBatched,
  orderOf,
  shapeOf,
  sizes,
  STORED,
  type Feature,
  type Groups,
  type Known,
  type Order,
} from "../known.js";
import { axisOf, type NodeContext } from "../node-context.js";
import { requireImage } from "./convolution.js";
import { cut, sliceOfValue } from "./parts.js";

type Mapping = (context: NodeContext) => Known;

/** `Flatten` from axis 1 on. */
export const flatten: Mapping = (context) => {
  const x = context.feature(0);
  const axis = context.attributes.number("axis", 1);
  if (axis !== 1 && axis !== 1 - x.stored.length) {
    context.refuse(`it flattens from axis ${axis} on, and the batch stays a separate axis`);
  }
  return flattened(context, x);
};

function flattened(context: NodeContext, x: Feature): Feature {
  if (x.stored.length === 2) return x;
  return { ...context.layer("flatten", [x]), order: flatOrder(x) };
}

/** Where the elements of a transposed image or sequence lie once it is flattened. */
function flatOrder({ stored, order }: Feature): Order {
  if (order.as !== "axes") return STORED;
  const places = Float64Array.from({ length: elementCount(stored) }, (_, place) => place);
  const axes = order.axes.slice(1).map((axis) => axis - 1);
  const features = Int32Array.from(
    transposed(integers(stored.slice(1).map(Number), places), axes).values,
  );
  return features.every((place, index) => place === index) ? STORED : { as: "features", features };
}

/** `Reshape` to two, three or four axes; of constants and sizes to a vector. */
export const reshape: Mapping = (context) => {
  const input = context.inputs[0];
  if (input?.is === "sizes") return { ...input, isScalar: context.sizes(1, "shape").length === 0 };
  const isOfGroups = input?.is === "groups";
  const x = isOfGroups ? shuffled(context, input) : context.feature(0);
  const isZeroKept = !context.attributes.flag("allowzero", false);
  const seen = isOfGroups ? shapeOfGroups(input) : shapeOf(x);
  const wanted = context.sizes(1, "shape").map((size, axis) => {
    return size === 0 && isZeroKept ? (seen[axis] ?? 0) : size;
  });
  const shape = resolvedShape(context, wanted, seen);
  return channelGroups(x, shape) ?? reshapedTo(context, x, shape);
};

/** Five axes that divide an image's channels; no value of a network has them. */
function channelGroups(x: Feature, wanted: readonly Dimension[]): Groups | undefined {
  const [, channels, height, width] = x.stored;
  if (x.stored.length !== 4 || x.order.as !== "stored" || wanted.length !== 5) return undefined;
  const [, groups, each, rows, columns] = wanted.map(Number) as [number, ...number[]];
  if (groups! * each! !== channels || rows !== height || columns !== width) return undefined;
  return { is: "groups", image: x, groups: groups!, areTurned: false };
}

function shapeOfGroups({ image, groups, areTurned }: Groups): readonly Dimension[] {
  const [batch, channels, height, width] = image.stored;
  const each = Number(channels) / groups;
  return [batch!, ...(areTurned ? [each, groups] : [groups, each]), height!, width!];
}

/** The image with the channels of its groups in turn, if they are so. */
function shuffled(context: NodeContext, { image, groups, areTurned }: Groups): Feature {
  const isSame = groups === 1 || groups === channelsOf(image);
  return areTurned && !isSame ? context.layer("channel_shuffle", [image], { groups }) : image;
}

/** The shape with its batch axis and its -1 filled in. */
export function resolvedShape(
  context: NodeContext,
  wanted: readonly Dimension[],
  seen: readonly Dimension[],
): readonly Dimension[] {
  const [first, ...others] = wanted;
  const elements = elementCount(seen);
  const known = others.reduce<number>((n, s) => (s === -1 ? n : n * Number(s)), 1);
  const inferred = elements / known;
  const open = others.filter((size) => size === -1).length;
  const isFixed = typeof first === "number" && first > 0;
  const isOther = isFixed && context.batch !== undefined && first !== context.batch;
  const refusal = `it makes [${wanted.join(", ")}] of ${formatShape(seen)}`;
  if (
    first === undefined ||
    others.includes(BATCH) ||
    isOther ||
    (isFixed && open === 0 && known !== elements)
  ) {
    return context.refuse(refusal, "the batch must stay the first axis");
  }
  if (open > 1 || !Number.isInteger(inferred) || (open === 0 && inferred !== 1)) {
    return context.refuse(refusal, "the batch must stay the first axis");
  }
  return [BATCH, ...others.map((size) => (size === -1 ? inferred : size))];
}

export function reshapedTo(
  context: NodeContext,
  x: Feature,
  wanted: readonly Dimension[],
): Feature {
  const seen = shapeOf(x);
  if (formatShape(seen) === formatShape(wanted)) return x;
  if (wanted.length === 2) return flattened(context, x);
  if (wanted.length !== 3 && wanted.length !== 4) {
    context.refuse(
      `it makes ${formatShape(wanted)} of ${formatShape(seen)}`,
      "netc has [N, features], [N, tokens, channels] and [N, channels, height, width]",
    );
  }
  return (
    pixelsAsTokens(context, x, wanted) ??
    context.layer("reshape", [context.asStored(x)], { shape: wanted.slice(1) })
  );
}

/** An image's rows and columns as one axis, in front of its channels or behind them. */
function pixelsAsTokens(
  context: NodeContext,
  x: Feature,
  wanted: readonly Dimension[],
): Feature | undefined {
  const order = axesOf(x).join();
  const [, channels, height, width] = x.stored.map(Number);
  const isLast = order === "0,2,3,1";
  if (x.stored.length !== 4 || wanted.length !== 3 || !(isLast || order === "0,1,2,3")) {
    return undefined;
  }
  const pixels = height! * width!;
  const [tokens, own] = isLast ? wanted.slice(1) : wanted.slice(1).toReversed();
  if (tokens !== pixels || own !== channels) return undefined;
  return { ...context.layer("tokens", [x]), order: isLast ? STORED : orderOf([0, 2, 1]) };
}

/**
 * A layer over all axes from one on: as the features of each example, or as the channels of a
 * sequence. The value gets its axes back.
 */
export function overRest(
  context: NodeContext,
  x: Feature,
  axis: number,
  apply: (rows: Feature) => Feature,
): Feature {
  const seen = shapeOf(x);
  if (axis === 0) context.refuse("it works along the batch");
  const [before, after] = [seen.slice(1, axis), seen.slice(axis)].map(elementCount);
  const shape = axis === 1 ? [after!] : [before!, after!];
  const isSo = shape.length === seen.length - 1;
  const stored = context.asStored(x);
  const rows = isSo ? stored : context.layer("reshape", [stored], { shape });
  return reshapedTo(context, apply(rows), seen);
}

/** `Transpose`, which is kept in mind until something reads the order. */
export const transpose: Mapping = (context) => {
  const [input] = context.inputs;
  if (input?.is === "groups" && context.attributes.numbers("perm")?.join() === "0,2,1,3,4") {
    return { ...input, areTurned: !input.areTurned };
  }
  const x = context.feature(0);
  const rank = x.stored.length;
  const given = context.attributes.numbers("perm");
  const axes = given ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  if (axes.length !== rank || new Set(axes).size !== rank || axes[0] !== 0) {
    context.refuse(
      `it permutes axes to [${axes.join(", ")}]`,
      "the batch must stay the first axis",
    );
  }
  if (x.order.as === "features" || rank === 2) return x;
  const before = axesOf(x);
  const composed = axes.map((axis) => before[axis] ?? context.refuse("its axes are unknown"));
  return { ...x, order: orderOf(composed) };
};

export const squeeze: Mapping = (context) => {
  const input = context.inputs[0];
  if (input?.is === "sizes") return { ...input, isScalar: true };
  const x = context.feature(0);
  const seen = shapeOf(x);
  const named = namedAxes(context, seen.length);
  const dropped = named ?? seen.flatMap((size, axis) => (size === 1 ? [axis] : []));
  if (dropped.some((axis) => seen[axis] !== 1)) context.refuse("it drops axes longer than 1");
  return reshapedTo(
    context,
    x,
    seen.filter((_, axis) => !dropped.includes(axis)),
  );
};

export const unsqueeze: Mapping = (context) => {
  const input = context.inputs[0];
  if (input?.is === "sizes") return { ...input, isScalar: false };
  const x = context.feature(0);
  const seen = shapeOf(x);
  const count = (context.attributes.numbers("axes") ?? context.integers(1, "axes")).length;
  const rank = seen.length + count;
  const axes = namedAxes(context, rank) ?? [];
  const rest = [...seen];
  const wanted = Array.from({ length: rank }, (_, axis) =>
    axes.includes(axis) ? 1 : rest.shift()!,
  );
  if (!isBatched(wanted)) context.refuse("it puts an axis before the batch");
  return reshapedTo(context, x, wanted);
};

function namedAxes(context: NodeContext, rank: number): readonly number[] | undefined {
  const given =
    context.attributes.numbers("axes") ??
    (context.has(1) ? context.integers(1, "axes") : undefined);
  return given?.map((axis) => axisOf(axis, rank));
}

/** Modes of ONNX; `wrap` came with opset 19. */
const PAD_MODES: Readonly<Record<string, string | undefined>> = {
  constant: "constant",
  reflect: "reflect",
  edge: "replicate",
  wrap: "circular",
};

/** `Pad` at the sides of an image: a separate layer, whatever follows it. */
export const pad: Mapping = (context) => {
  const x = context.feature(0);
  const { attributes } = context;
  const written = attributes.text("mode", "constant");
  const mode = PAD_MODES[written];
  const fill = context.optionalConstant(2, "fill value");
  if (!mode) context.refuse(`it pads by ${written}, which netc does not know`);
  const value = mode === "constant" && fill ? scalarOf(fill) : 0;
  if (context.has(3)) context.refuse("it names axes", "export it with pads for all axes");
  const pads = context.integers(1, "pads");
  const rank = x.stored.length;
  if (pads.every((each) => each === 0)) return x;
  const axes = axesOf(x);
  const sidesOf = (stored: number) => {
    const axis = axes.indexOf(stored);
    return [pads[axis]!, pads[axis + rank]!] as const;
  };
  if (rank !== 4 || pads.length !== 8 || pads.some((each) => each < 0)) {
    context.refuse(`its pads [${pads.join(", ")}] are not pixels around an image`);
  }
  if ([...sidesOf(0), ...sidesOf(1)].some((each) => each !== 0)) {
    context.refuse("it adds channels", "a 1x1 convolution");
  }
  const [[top, bottom], [left, right]] = [sidesOf(2), sidesOf(3)];
  const size = { top, bottom, left, right };
  const isPlain = mode === "constant";
  const settings = withoutUndefined({
    mode: isPlain ? undefined : mode,
    value: value === 0 ? undefined : value,
  });
  return context.elementwise("pad", [x], { size, ...settings });
};

/** `Resize`: nearest and linear, in the forms of which netc's `upsample` gives the same pixels. */
export const resize: Mapping = (context) => {
  const image = requireImage(context);
  const { attributes } = context;
  const mode = attributes.text("mode", "nearest");
  const coordinates = attributes.text("coordinate_transformation_mode", "half_pixel");
  const rounding = attributes.text("nearest_mode", "round_prefer_floor");
  attributes.ignore("cubic_coeff_a", "extrapolation_value", "exclude_outside");
  if (attributes.flag("antialias", false)) context.refuse("it smooths before it resizes");
  if (attributes.numbers("axes")) context.refuse("it names axes", "export it with all sizes");
  attributes.ignore("keep_aspect_ratio_policy");
  const from = image.stored.slice(2).map(Number) as [number, number];
  const { size, scale } = outputSize(context, from);
  const rule = { coordinates, rounding };
  if (mode === "nearest") {
    const isSame = [0, 1].every((axis) => isFloor(from[axis]!, size[axis]!, scale[axis]!, rule));
    if (!isSame) context.refuse(`nearest with ${coordinates} and ${rounding} picks other pixels`);
    return context.layer("upsample", [image], upsampleTo(from, size));
  }
  const isExact = [0, 1].every((axis) => Math.abs(from[axis]! * scale[axis]! - size[axis]!) < 1e-4);
  // Sizes that are rounded have other coordinates in ONNX, also where corners are aligned.
  const isKnown =
    isExact &&
    (coordinates === "align_corners" ||
      coordinates === "half_pixel" ||
      (coordinates === "pytorch_half_pixel" && Math.min(...size) > 1));
  const isCubic = mode === "cubic" && attributes.number("cubic_coeff_a", -0.75) === -0.75;
  if (attributes.flag("exclude_outside", false)) context.refuse("it leaves out what is outside");
  if ((mode !== "linear" && !isCubic) || !isKnown) {
    context.refuse(
      `mode ${mode} with ${coordinates} has no counterpart`,
      "nearest, bilinear, or bicubic with a coefficient of -0.75",
    );
  }
  const extra = coordinates === "align_corners" ? { align_corners: true } : {};
  return context.layer("upsample", [image], {
    ...upsampleTo(from, size),
    mode: isCubic ? "bicubic" : "bilinear",
    ...extra,
  });
};

interface Resized {
  readonly size: readonly [number, number];
  readonly scale: readonly [number, number];
}

/** Inputs: image, region, scales, sizes; one of the last two. */
function outputSize(context: NodeContext, [height, width]: readonly [number, number]): Resized {
  const isGiven = (index: number) => {
    const input = context.inputs[index];
    return input !== undefined && !(input.is === "constant" && input.tensor.values.length === 0);
  };
  if (isGiven(3)) {
    const all = context.sizes(3, "sizes");
    const [rows, columns] = all.slice(2).map(Number) as [number, number];
    if (all.length !== 4 || all[1] !== context.stored(0).stored[1]) {
      context.refuse("it resizes other axes than rows and columns");
    }
    return { size: [rows, columns], scale: [rows / height, columns / width] };
  }
  if (!isGiven(2)) return context.refuse("it names no size");
  const scales = [...context.constant(2, "scales").values];
  const [batch, channels, vertical, horizontal] = scales;
  if (scales.length !== 4 || batch !== 1 || channels !== 1) {
    context.refuse("it resizes other axes than rows and columns");
  }
  const size = [Math.floor(height * vertical!), Math.floor(width * horizontal!)] as const;
  return { size, scale: [vertical!, horizontal!] };
}

function upsampleTo([height, width]: readonly [number, number], size: readonly [number, number]) {
  const [vertical, horizontal] = [size[0] / height, size[1] / width];
  const isScale = [vertical, horizontal].every((each) => Number.isInteger(each) && each >= 1);
  return isScale ? { scale: [vertical, horizontal] } : { size };
}

/** Whether ONNX's rule picks pixel floor(i * from / to) for every i. */
function isFloor(
  from: number,
  to: number,
  scale: number,
  { coordinates, rounding }: { readonly coordinates: string; readonly rounding: string },
): boolean {
  const place = (index: number): number => {
    if (coordinates === "asymmetric") return index / scale;
    if (coordinates === "align_corners") return to === 1 ? 0 : (index * (from - 1)) / (to - 1);
    if (coordinates === "pytorch_half_pixel" && to === 1) return 0;
    if (coordinates.endsWith("half_pixel")) return (index + 0.5) / scale - 0.5;
    return NaN;
  };
  return Array.from({ length: to }, (_, index) => {
    const rounded = roundBy(rounding, place(index));
    return Math.max(0, Math.min(from - 1, rounded)) === Math.floor((index * from) / to);
  }).every(Boolean);
}

/** A coordinate as a pixel, by a rule's name in ONNX. */
export function roundBy(rule: string, place: number): number {
  if (rule === "floor") return Math.floor(place);
  if (rule === "ceil") return Math.ceil(place);
  if (rule === "round_prefer_ceil") return Math.floor(place + 0.5);
  return Math.ceil(place - 0.5);
}

/** `Shape` of a feature, from `start` up to `end`. */
export const shape: Mapping = (context) => {
  const seen = shapeOf(context.feature(0));
  const { attributes } = context;
  const part = seen.slice(attributes.number("start", 0), attributes.number("end", seen.length));
  return settled(sizes(part));
};

/**
 * `Gather` from sizes, of one token of a sequence, and of rows or columns that nearest upsampling
 * picks.
 */
export const gather: Mapping = (context) => {
  const input = context.inputs[0];
  const axis = context.attributes.number("axis", 0);
  if (input?.is === "feature") {
    return input.stored.length === 3 ? pickedToken(context, axis) : pickedPixels(context, axis);
  }
  if (input?.is !== "sizes") return context.refuse("it picks parts of a constant");
  const places = context.constant(1, "indices");
  const picked = [...places.values].map((index) => {
    const size = input.sizes[index < 0 ? index + input.sizes.length : index];
    return size ?? context.refuse(`its index ${index} is outside of ${input.sizes.length} sizes`);
  });
  return settled({ is: "sizes", sizes: picked, isScalar: places.shape.length === 0 });
};

/** One of the vectors along an axis of a sequence: a token, once that axis is the tokens'. */
function pickedToken(context: NodeContext, axis: number): Feature {
  const x = context.feature(0);
  const along = axisOf(axis, 3);
  const { values, shape } = context.constant(1, "indices");
  const [index] = values;
  if (along === 0 || index === undefined) return context.refuse("it picks examples of the batch");
  if (values.length !== 1) return pickedParts(context, axis);
  const sequence = context.channelsAt(x, 3 - along);
  const count = Number(sequence.stored[1]);
  const token = context.layer("token", [sequence], { index: index < 0 ? index + count : index });
  if (shape.length === 0) return token;
  const kept = shapeOf(x).map((size, each) => (each === along ? 1 : size));
  return reshapedTo(context, token, kept);
}

function pickedPixels(context: NodeContext, axis: number): Feature {
  const x = context.feature(0);
  const along = axisOf(axis, x.stored.length);
  if (along === 0) context.refuse("it picks examples of the batch");
  const { values, shape } = context.constant(1, "indices");
  const isPart = shape.length === 0 || !isNearestOf(Number(shapeOf(x)[along]), values);
  if (along < 2 || x.stored.length !== 4 || isPart) return pickedParts(context, axis);
  const all = Array.from({ length: Number(x.stored[5 - along]) }, (_, index) => index);
  return nearest(context, along === 2 ? [values, all] : [all, values]);
}

const isNearestOf = (from: number, places: ArrayLike<number>): boolean =>
  Array.from(places).every((place, index) => place === Math.floor((index * from) / places.length));

/** One element along an axis, which goes, or several that are evenly apart. */
function pickedParts(context: NodeContext, axis: number): Feature {
  const x = context.feature(0);
  const along = axisOf(axis, x.stored.length);
  const { values, shape } = context.constant(1, "indices");
  const size = Number(shapeOf(x)[along]);
  const places = Array.from(values, (index) => (index < 0 ? index + size : index));
  const step = places.length > 1 ? places[1]! - places[0]! : 1;
  const isEven = places.every((place, index) => place === places[0]! + index * step);
  if (shape.length > 1 || !isEven || step < 1 || places.length === 0) {
    context.refuse("its indices are not evenly apart", "netc has slices of values");
  }
  const part = { start: places[0]!, end: places.at(-1)! + 1, step };
  const picked = cut(context, x, axesOf(x)[along]!, part);
  if (shape.length > 0) return picked;
  return reshapedTo(
    context,
    picked,
    shapeOf(picked).filter((_, each) => each !== along),
  );
}

/** Rows and columns of an image by their numbers: inputs 1 and 2. Two `Gather` in one. */
export const nearestPixels: Mapping = (context) =>
  nearest(context, [context.constant(1, "rows").values, context.constant(2, "columns").values]);

function nearest(context: NodeContext, picked: readonly ArrayLike<number>[]): Feature {
  const image = requireImage(context);
  const from = image.stored.slice(2).map(Number) as [number, number];
  const isNearest = picked.every((places, axis) =>
    Array.from(places).every((place, index) => {
      return place === Math.floor((index * from[axis]!) / places.length);
    }),
  );
  if (!isNearest) context.refuse("it picks pixels, and not as nearest upsampling does");
  const size = picked.map(({ length }) => length) as [number, number];
  return context.layer("upsample", [image], upsampleTo(from, size));
}

/** `Slice` of sizes or of a value. Inputs: data, starts, ends, axes, steps. */
export const slice: Mapping = (context) => {
  const input = context.inputs[0];
  if (input?.is !== "sizes") return sliceOfValue(context);
  const [[start], [end]] = [context.integers(1, "starts"), context.integers(2, "ends")];
  const [step = 1] = context.has(4) ? context.integers(4, "steps") : [];
  if (step !== 1) context.refuse(`its step is ${step}`);
  return settled({ ...input, sizes: input.sizes.slice(start, Math.min(end!, 2 ** 31)) });
};

/** `Expand` of a constant to the batch, which is a parameter; of a value to its own size. */
export const expand: Mapping = (context) => {
  const [input] = context.inputs;
  const wanted = context.sizes(1, "shape");
  if (input?.is === "feature") {
    const seen = shapeOf(input);
    const isSame = wanted.every((size, axis) => size === 1 || size === -1 || size === seen[axis]);
    if (wanted.length === seen.length && isSame) return input;
    return context.refuse("it repeats a value", "netc repeats none");
  }
  const tensor = context.constant(0, "input");
  const isBatch = wanted[0] === BATCH && wanted.slice(1).join() === tensor.shape.slice(1).join();
  const parameter = isBatch ? context.parameter(tensor, 0, "numbers") : undefined;
  return parameter ?? context.refuse("it repeats a constant along more than the batch");
};

/** `Concat` of sizes. */
export function concatSizes(context: NodeContext): Known {
  context.attributes.ignore("axis");
  const parts = context.node.inputs.map((_, index) => context.sizes(index, "part"));
  return settled(sizes(parts.flat()));
}

/** Arithmetic on sizes, of which one may be the batch where the other changes nothing. */
export const arithmeticOnSizes =
  (operator: string, compute: (a: number, b: number) => number): Mapping =>
  (context) => {
    const [a, b] = [context.sizes(0, "input"), context.sizes(1, "input")];
    const isScalar = [0, 1].every((index) => isScalarInput(context.inputs[index]));
    const neutral = operator === "Mul" || operator === "Div" ? 1 : 0;
    const length = Math.max(a.length, b.length);
    const values = Array.from({ length }, (_, index): Dimension => {
      const [x, y] = [a[a.length === 1 ? 0 : index]!, b[b.length === 1 ? 0 : index]!];
      if (x !== BATCH && y !== BATCH) return compute(Number(x), Number(y));
      if (y === neutral) return x;
      if (x === neutral && (operator === "Mul" || operator === "Add")) return y;
      return context.refuse("it computes with the size of the batch");
    });
    return settled({ is: "sizes", sizes: values, isScalar });
  };

function isScalarInput(input: Known | undefined): boolean {
  if (input?.is === "sizes") return input.isScalar;
  return input?.is === "constant" && input.tensor.shape.length === 0;
}

/** Sizes without the batch are a constant like any other. */
export function settled(known: Extract<Known, { is: "sizes" }>): Known {
  if (known.sizes.includes(BATCH)) return known;
  return constant(integers(known.isScalar ? [] : [known.sizes.length], known.sizes.map(Number)));
}
