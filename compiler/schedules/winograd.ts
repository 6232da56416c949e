/** The sizes of a convolution by Winograd's way (kernels/winograd.ts): tiles of 2x2 outputs. */

/** Positions of a transformed tile, 4x4. */
export const POSITIONS = 16;

/** Outputs of a tile, along either axis. */
export const TILE_OUTPUTS = 2;

/** Tiles of an image of this size. Those at the right and at the bottom may be partly filled. */
export function tilesOf(
  pixels: number,
  width: number,
): { readonly across: number; readonly count: number } {
  const across = Math.ceil(width / TILE_OUTPUTS);
  return { across, count: across * Math.ceil(pixels / width / TILE_OUTPUTS) };
}

/**
 * Whether what it transforms can be bound, an image at a time. Quads and columns: vec4 of channels.
 */
export function fitsWinograd(
  sizes: { readonly tiles: number; readonly quads: number; readonly columns: number },
  bindable: number,
): boolean {
  const { tiles, quads, columns } = sizes;
  const largest = Math.max(4 * quads * columns, tiles * quads, tiles * columns);
  return 16 * POSITIONS * largest <= bindable;
}
