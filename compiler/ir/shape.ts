/** The batch axis, whose size is chosen when a module is created. */
export const BATCH = "N";

export type Dimension = number | typeof BATCH;

/**
 * A logical shape, in PyTorch's order. Activations start with the batch axis: `[N, C, H, W]` or
 * `[N, F]`; parameters have none.
 */
export type Shape = readonly Dimension[];

/**
 * Elements per image (the batch axis counts as 1), or of the whole tensor where there is no batch
 * axis.
 */
export function elementCount(shape: Shape): number {
  return shape.reduce<number>((count, size) => (size === BATCH ? count : count * size), 1);
}

export function hasBatch(shape: Shape): boolean {
  return shape[0] === BATCH;
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Whether a shape is a sequence `[N, T, C]`: T tokens with C channels each. */
export const isSequence = (shape: Shape): boolean => hasBatch(shape) && shape.length === 3;

/** The shape with another number of channels. */
export function withChannels(shape: Shape, channels: number): Shape {
  const [batch, first, ...rest] = shape;
  return isSequence(shape) ? [batch!, first!, channels] : [batch!, channels, ...rest];
}

/** The sizes of an activation apart from batch and channels: rows and columns, or tokens. */
export const spaceOf = (shape: Shape): Shape =>
  isSequence(shape) ? shape.slice(1, 2) : shape.slice(2);

/**
 * Channels and spatial size of an activation. `[N, F]` is F channels of a single pixel, and a
 * sequence `[N, T, C]` is a row of T pixels.
 */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export function imageShape(shape: Shape): ImageShape {
  if (isSequence(shape)) {
    return { channels: Number(shape[2]), height: 1, width: Number(shape[1]) };
  }
  const [batch, channels, height = 1, width = 1, ...rest] = shape;
  if (batch !== BATCH || typeof channels !== "number" || rest.length > 0) {
    throw new Error(`expected [N, C, H, W], [N, T, C] or [N, F], got ${formatShape(shape)}`);
  }
  return { channels, height: Number(height), width: Number(width) };
}
