/**
 * Resizing on the device, with the bits of resample-bytes.ts: weights of 22 bits behind the point,
 * rows first, bytes rounded after each direction. Each picture has another size, so that kernels
 * of the compiler, which know all shapes, cannot do it.
 */

/** Words of `Sizes`, in order. */
export interface ResizeSizes {
  /** Pixels of the result. */
  readonly width: number;
  readonly height: number;
  /** Rows of the picture that the result reads: the first, and how many. */
  readonly top: number;
  readonly rows: number;
  /** Weights of a pixel of the result, across and down. */
  readonly tapsAcross: number;
  readonly tapsDown: number;
  /** 1 for gray. */
  readonly channels: number;
}

export const LANES = 64;

export const RESIZE_KERNELS = /* wgsl */ `
struct Sizes {
  width: u32,
  height: u32,
  top: u32,
  rows: u32,
  taps_across: u32,
  taps_down: u32,
  channels: u32,
  // Of the picture in the staged bytes.
  first_word: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var picture: texture_2d<f32>;
// Of each result the first input, then the weights of each.
@group(0) @binding(2) var<storage, read> filters: array<i32>;
// The picture at its new width, a pixel each word.
@group(0) @binding(3) var<storage, read_write> narrowed: array<u32>;
@group(0) @binding(4) var<storage, read_write> staged: array<u32>;

const half = vec3i(1 << 21);

// Over white; gray by luma where the network has one channel, as Node decodes files.
fn pixel(x: u32, y: u32) -> vec3i {
  let rgba = vec4i(round(textureLoad(picture, vec2u(x, y), 0) * 255));
  let color = (rgba.rgb * rgba.a + 255 * (255 - rgba.a)) / 255;
  if (sizes.channels == 3) { return color; }
  return vec3i((19595 * color.r + 38470 * color.g + 7471 * color.b + 32768) >> 16);
}

@compute @workgroup_size(${LANES})
fn across(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.width) { return; }
  let first = u32(filters[id.x]);
  let weights = sizes.width + id.x * sizes.taps_across;
  var sum = half;
  for (var tap = 0u; tap < sizes.taps_across; tap++) {
    sum += pixel(first + tap, sizes.top + id.y) * filters[weights + tap];
  }
  let bytes = vec3u(sum >> vec3u(22));
  narrowed[id.y * sizes.width + id.x] = bytes.r | (bytes.g << 8) | (bytes.b << 16);
}

fn value(index: u32) -> u32 {
  if (index >= sizes.width * sizes.height * sizes.channels) { return 0; }
  let place = index / sizes.channels;
  let shift = 8 * (index % sizes.channels);
  let y = place / sizes.width;
  let filter_down = sizes.width * (1 + sizes.taps_across);
  let first = u32(filters[filter_down + y]);
  let weights = filter_down + sizes.height + y * sizes.taps_down;
  var sum = half.x;
  for (var tap = 0u; tap < sizes.taps_down; tap++) {
    let word = narrowed[(first + tap) * sizes.width + place % sizes.width];
    sum += i32((word >> shift) & 255) * filters[weights + tap];
  }
  return u32(sum >> 22);
}

@compute @workgroup_size(${LANES})
fn down(@builtin(global_invocation_id) id: vec3u) {
  let first = 4 * id.x;
  if (first >= sizes.width * sizes.height * sizes.channels) { return; }
  let low = value(first) | (value(first + 1) << 8);
  let high = value(first + 2) | (value(first + 3) << 8);
  staged[sizes.first_word + id.x] = low | (high << 16);
}
`;
