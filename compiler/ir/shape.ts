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

/** Channels and spatial size of an activation; `[N, F]` is F channels of a single pixel. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export function imageShape(shape: Shape): ImageShape {
  const [batch, channels, height = 1, width = 1, ...rest] = shape;
  if (batch !== BATCH || typeof channels !== "number" || rest.length > 0) {
    throw new Error(`expected an activation [N, C, H, W] or [N, F], got ${formatShape(shape)}`);
  }
  return { channels, height: Number(height), width: Number(width) };
}
