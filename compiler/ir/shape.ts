/** The batch axis, whose size is chosen when a module is created. */
export const BATCH = "N";

/**
 * The row axis of a signal `[N, C, L]`: inside, a signal is an image of one row, `[N, C, ROW, L]`.
 * Specs and messages do not write that axis. `Number(ROW)` is 1.
 */
export const ROW = "1";

export type Dimension = number | typeof BATCH | typeof ROW;

/**
 * A logical shape, in PyTorch's order. Activations start with the batch axis: `[N, C, H, W]`,
 * `[N, C, ROW, L]`, `[N, T, C]` or `[N, F]`, or have more axes; parameters have none.
 */
export type Shape = readonly Dimension[];

/**
 * Elements per image (the batch axis counts as 1), or of the whole tensor where there is no batch
 * axis.
 */
export function elementCount(shape: Shape): number {
  return shape.reduce<number>((n, size) => (size === BATCH ? n : n * Number(size)), 1);
}

/** Elements from one to the next along each axis behind the batch, in logical order. */
export const stridesOf = (shape: Shape): readonly number[] =>
  shape.slice(1).map((_, axis) => elementCount(shape.slice(axis + 2)));

export function hasBatch(shape: Shape): boolean {
  return shape[0] === BATCH;
}

/** The shape as specs and messages write it. */
export function formatShape(shape: Shape): string {
  return `[${writtenAxes(shape).join(", ")}]`;
}

/** The axes that specs and messages write: all but the row of a signal. */
export const writtenAxes = (shape: Shape): Shape => shape.filter((size) => size !== ROW);

/** Whether a shape is a signal `[N, C, L]`: L places with C channels each, channels first. */
export const isSignal = (shape: Shape): boolean => shape[2] === ROW;

/** The shape of an image of one row as a signal; others stay. */
export const asSignal = (shape: Shape): Shape =>
  shape.length === 4 && shape[2] === 1 ? shape.with(2, ROW) : shape;

/** Whether an activation has more axes than an image, as those on the way of a pixel shuffle. */
export const isWide = (shape: Shape): boolean => hasBatch(shape) && shape.length > 4;

/** Axes behind the batch: more are a mistake. PyTorch's networks have up to 6. */
export const MOST_AXES = 8;

/** What specs say of a value that comes in or goes out, and ops do not know. */
export function shapeOfPort(shape: Shape): {
  readonly isSignal: true | undefined;
  readonly sizes: readonly number[] | undefined;
} {
  return {
    isSignal: isSignal(shape) || undefined,
    sizes: isWide(shape) ? shape.slice(1).map(Number) : undefined,
  };
}

/**
 * A value of more axes than an image as layers of the last axis see it: a sequence whose tokens are
 * the other axes. Others stay.
 */
export function byLastAxis(shape: Shape): Shape {
  const last = Number(shape.at(-1));
  return isWide(shape) ? [BATCH, elementCount(shape) / last, last] : shape;
}

/**
 * The shape as ops know it: a signal is an image of one row, and a value of more axes than an image
 * is flat, `[N, elements]` in row-major order.
 */
export function asImage(shape: Shape): Shape {
  if (isWide(shape)) return [BATCH, elementCount(shape)];
  return isSignal(shape) ? shape.with(2, 1) : shape;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Whether a shape is a sequence `[N, T, C]`: T tokens with C channels each. */
export const isSequence = (shape: Shape): boolean => hasBatch(shape) && shape.length === 3;

/** The axis of a logical shape on which the channels are. */
export const channelAxis = (shape: Shape): number => (isSequence(shape) ? 2 : 1);

/** The shape with another number of channels. */
export function withChannels(shape: Shape, channels: number): Shape {
  const [batch, first, ...rest] = shape;
  return isSequence(shape) ? [batch!, first!, channels] : [batch!, channels, ...rest];
}

/** What a target of classes has one for, in messages: an example, which they call an image. */
export type LabelUnit = "image" | "pixel" | "token";

/** Of labels `[N]`, of those of pixels `[N, H, W]`, and of those of tokens `[N, T]`. */
export const labelUnit = ({ length }: Shape): LabelUnit =>
  length === 3 ? "pixel" : length === 2 ? "token" : "image";

/** The shape of a number for each label and class: the channels of tokens come last. */
export function byClass([batch, ...sizes]: Shape, classes: number): Shape {
  return sizes.length === 1 ? [batch!, ...sizes, classes] : [batch!, classes, ...sizes];
}

/** The sizes of an activation apart from batch and channels: rows and columns, or tokens. */
export const spaceOf = (shape: Shape): Shape =>
  isSequence(shape) ? shape.slice(1, 2) : writtenAxes(shape).slice(2);

/**
 * Channels and spatial size of an activation. `[N, F]` is F channels of a single pixel, and a
 * sequence `[N, T, C]` is a row of T pixels.
 */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Of a signal, whose row messages do not write. */
  readonly isSignal?: true;
}

/** A size as messages write it: `5x7`, and `7` for a signal. */
export const sizeText = (
  { isSignal }: Pick<ImageShape, "isSignal">,
  [height, width]: readonly [number, number],
): string => (isSignal ? `${width}` : `${height}x${width}`);

export function imageShape(shape: Shape): ImageShape {
  if (isSequence(shape)) {
    return { channels: Number(shape[2]), height: 1, width: Number(shape[1]) };
  }
  const [batch, channels, height = 1, width = 1, ...rest] = shape;
  if (batch !== BATCH || typeof channels !== "number" || rest.length > 0) {
    throw new Error(`expected [N, C, H, W], [N, T, C] or [N, F], got ${formatShape(shape)}`);
  }
  const image = { channels, height: Number(height), width: Number(width) };
  return isSignal(shape) ? { ...image, isSignal: true } : image;
}

/** An axis of an activation apart from the batch. Tokens are columns of an image of one row. */
export type StoredAxis = "channels" | "rows" | "columns";

const IMAGE_AXES: readonly StoredAxis[] = ["channels", "rows", "columns"];
const SEQUENCE_AXES: readonly StoredAxis[] = ["columns", "channels"];

/** The axes of a shape behind the batch, in its order. */
export const axesOf = (shape: Shape): readonly StoredAxis[] =>
  isSequence(shape) ? SEQUENCE_AXES : IMAGE_AXES.slice(0, shape.length - 1);

/** The shape with one element along these axes. */
export function reducedShape(shape: Shape, axes: readonly StoredAxis[]): Shape {
  const [batch, ...sizes] = shape;
  const own = axesOf(shape);
  return [batch!, ...sizes.map((size, index) => (axes.includes(own[index]!) ? 1 : size))];
}

/** The axes along which `small` has one element and `large` more. */
export const reducedAxes = (large: Shape, small: Shape): readonly StoredAxis[] =>
  axesOf(large).filter((_, index) => small[index + 1] !== large[index + 1]);

/**
 * The shape of values joined element by element, by PyTorch's rule for values of one rank: along
 * each axis sizes agree, or are 1. Undefined where they do not.
 */
export function broadcastShape([first, ...others]: readonly Shape[]): Shape | undefined {
  return others.reduce<Shape | undefined>((shape, other) => {
    if (!shape || shape.length !== other.length || isSignal(shape) !== isSignal(other))
      return undefined;
    const sizes = shape.map((size, axis) => (size === 1 ? other[axis]! : size));
    return sizes.every((size, axis) => other[axis] === size || other[axis] === 1)
      ? sizes
      : undefined;
  }, first);
}
