/**
 * Where an activation's elements lie: element (image, y, x, channel) is at
 * base + image * image pitch + y * row pitch + x * column pitch + channel. All in vec4 and channel
 * quads, or all in floats and channels.
 */
export interface Place {
  readonly image: number;
  readonly row: number;
  readonly column: number;
  readonly base: number;
}
