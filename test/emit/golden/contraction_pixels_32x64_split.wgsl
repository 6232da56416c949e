// Contraction: rows are output pixels, columns output channels, K the window.

struct Frame {
  batch: u32,
  step: u32,
  seed: u32,
  training: u32,
  learning_rate: f32,
  weight_decay: f32,
  clip_norm: f32,
  clip_value: f32,
  momentum: f32,
  nesterov: u32,
  convention: u32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  correction1: f32,
  correction2: f32,
  first_image: u32,
  step_images: u32,
  rest1: f32,
  rest2: f32,
  is_first_slice: u32,
  is_last_slice: u32,
}

struct Constants {

  pixels: u32,
  width: u32,
  columns: u32,
  column_blocks: u32,
  first_quad: u32,
  segments: u32,
  segments_per_row: u32,
  segment_row: u32,
  segment_column: u32,
  run: u32,
  a_group: u32,
  b_group: u32,
  groups: u32,
  splits: u32,
  first_split: u32,
  quads: u32,
  a_image: u32,
  a_row: u32,
  a_column: u32,
  a_base: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

var<workgroup> tile: array<vec4f, 32>;
var<workgroup> places: array<u32, 192>;
fn finish(row: u32, column: u32, quad: u32, split: u32, sum: vec4f) {
  let rows = frame.batch * constants.pixels;
  if (row < rows && column < constants.columns) {
    result[(split * rows + row) * constants.quads + quad + constants.first_quad] = sum;
  }
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let plane = workgroup.z + constants.first_plane;
  let rows = frame.batch * constants.pixels;
  let first_row = block * 32u;
  let split = plane / (constants.column_blocks * constants.groups);
  let group = plane / constants.column_blocks % constants.groups;
  let column = plane % constants.column_blocks * 16u + lane % 16u;
  let row_lane = lane % 32u;
  let own_row = lane / 16u * 16u;
  let row0 = min(first_row + 0u + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let a_place0 = constants.a_base + image0 * constants.a_image + y0 * constants.a_row + x0 * constants.a_column + group * constants.a_group;
  var c0 = vec4f(0);
  var c1 = vec4f(0);
  var c2 = vec4f(0);
  var c3 = vec4f(0);
  var c4 = vec4f(0);
  var c5 = vec4f(0);
  var c6 = vec4f(0);
  var c7 = vec4f(0);
  var c8 = vec4f(0);
  var c9 = vec4f(0);
  var c10 = vec4f(0);
  var c11 = vec4f(0);
  var c12 = vec4f(0);
  var c13 = vec4f(0);
  var c14 = vec4f(0);
  var c15 = vec4f(0);
  let columns = constants.columns;
  var b_place = group * constants.b_group + min(column, columns - 1u);
  let run = constants.run;
  let part = (constants.segments * run + constants.splits - 1u) / constants.splits;
  let first = split * part;
  let last = min(first + part, constants.segments * run);
  b_place += 4u * columns * first;
  for (var segment = first / run; segment * run < last; segment++) {
    let start = segment / constants.segments_per_row * constants.segment_row + segment % constants.segments_per_row * constants.segment_column;
    let end = start + min(run, last - segment * run);
    var a0 = a[a_place0 + start + max(first, segment * run) - segment * run];
    var b0 = b[b_place + 0u * columns];
    var b1 = b[b_place + 1u * columns];
    var b2 = b[b_place + 2u * columns];
    var b3 = b[b_place + 3u * columns];
    for (var k = start + max(first, segment * run) - segment * run; k < end; k++) {
      workgroupBarrier();
      if (lane < 32u) {
        tile[lane + 0u] = a0;
      }
      workgroupBarrier();
      a0 = a[a_place0 + k + 1u];
      b_place += 4u * columns * 1u;
      let next_b0 = b[b_place + 0u * columns];
      let next_b1 = b[b_place + 1u * columns];
      let next_b2 = b[b_place + 2u * columns];
      let next_b3 = b[b_place + 3u * columns];
      c0 = fma(vec4f(tile[own_row + 0u].x), b0, c0); c0 = fma(vec4f(tile[own_row + 0u].y), b1, c0); c0 = fma(vec4f(tile[own_row + 0u].z), b2, c0); c0 = fma(vec4f(tile[own_row + 0u].w), b3, c0);
      c1 = fma(vec4f(tile[own_row + 1u].x), b0, c1); c1 = fma(vec4f(tile[own_row + 1u].y), b1, c1); c1 = fma(vec4f(tile[own_row + 1u].z), b2, c1); c1 = fma(vec4f(tile[own_row + 1u].w), b3, c1);
      c2 = fma(vec4f(tile[own_row + 2u].x), b0, c2); c2 = fma(vec4f(tile[own_row + 2u].y), b1, c2); c2 = fma(vec4f(tile[own_row + 2u].z), b2, c2); c2 = fma(vec4f(tile[own_row + 2u].w), b3, c2);
      c3 = fma(vec4f(tile[own_row + 3u].x), b0, c3); c3 = fma(vec4f(tile[own_row + 3u].y), b1, c3); c3 = fma(vec4f(tile[own_row + 3u].z), b2, c3); c3 = fma(vec4f(tile[own_row + 3u].w), b3, c3);
      c4 = fma(vec4f(tile[own_row + 4u].x), b0, c4); c4 = fma(vec4f(tile[own_row + 4u].y), b1, c4); c4 = fma(vec4f(tile[own_row + 4u].z), b2, c4); c4 = fma(vec4f(tile[own_row + 4u].w), b3, c4);
      c5 = fma(vec4f(tile[own_row + 5u].x), b0, c5); c5 = fma(vec4f(tile[own_row + 5u].y), b1, c5); c5 = fma(vec4f(tile[own_row + 5u].z), b2, c5); c5 = fma(vec4f(tile[own_row + 5u].w), b3, c5);
      c6 = fma(vec4f(tile[own_row + 6u].x), b0, c6); c6 = fma(vec4f(tile[own_row + 6u].y), b1, c6); c6 = fma(vec4f(tile[own_row + 6u].z), b2, c6); c6 = fma(vec4f(tile[own_row + 6u].w), b3, c6);
      c7 = fma(vec4f(tile[own_row + 7u].x), b0, c7); c7 = fma(vec4f(tile[own_row + 7u].y), b1, c7); c7 = fma(vec4f(tile[own_row + 7u].z), b2, c7); c7 = fma(vec4f(tile[own_row + 7u].w), b3, c7);
      c8 = fma(vec4f(tile[own_row + 8u].x), b0, c8); c8 = fma(vec4f(tile[own_row + 8u].y), b1, c8); c8 = fma(vec4f(tile[own_row + 8u].z), b2, c8); c8 = fma(vec4f(tile[own_row + 8u].w), b3, c8);
      c9 = fma(vec4f(tile[own_row + 9u].x), b0, c9); c9 = fma(vec4f(tile[own_row + 9u].y), b1, c9); c9 = fma(vec4f(tile[own_row + 9u].z), b2, c9); c9 = fma(vec4f(tile[own_row + 9u].w), b3, c9);
      c10 = fma(vec4f(tile[own_row + 10u].x), b0, c10); c10 = fma(vec4f(tile[own_row + 10u].y), b1, c10); c10 = fma(vec4f(tile[own_row + 10u].z), b2, c10); c10 = fma(vec4f(tile[own_row + 10u].w), b3, c10);
      c11 = fma(vec4f(tile[own_row + 11u].x), b0, c11); c11 = fma(vec4f(tile[own_row + 11u].y), b1, c11); c11 = fma(vec4f(tile[own_row + 11u].z), b2, c11); c11 = fma(vec4f(tile[own_row + 11u].w), b3, c11);
      c12 = fma(vec4f(tile[own_row + 12u].x), b0, c12); c12 = fma(vec4f(tile[own_row + 12u].y), b1, c12); c12 = fma(vec4f(tile[own_row + 12u].z), b2, c12); c12 = fma(vec4f(tile[own_row + 12u].w), b3, c12);
      c13 = fma(vec4f(tile[own_row + 13u].x), b0, c13); c13 = fma(vec4f(tile[own_row + 13u].y), b1, c13); c13 = fma(vec4f(tile[own_row + 13u].z), b2, c13); c13 = fma(vec4f(tile[own_row + 13u].w), b3, c13);
      c14 = fma(vec4f(tile[own_row + 14u].x), b0, c14); c14 = fma(vec4f(tile[own_row + 14u].y), b1, c14); c14 = fma(vec4f(tile[own_row + 14u].z), b2, c14); c14 = fma(vec4f(tile[own_row + 14u].w), b3, c14);
      c15 = fma(vec4f(tile[own_row + 15u].x), b0, c15); c15 = fma(vec4f(tile[own_row + 15u].y), b1, c15); c15 = fma(vec4f(tile[own_row + 15u].z), b2, c15); c15 = fma(vec4f(tile[own_row + 15u].w), b3, c15);
      b0 = next_b0;
      b1 = next_b1;
      b2 = next_b2;
      b3 = next_b3;
    }
  }
  let quad = group * columns + column;
  finish(first_row + own_row + 0u, column, quad, constants.first_split + split, c0);
  finish(first_row + own_row + 1u, column, quad, constants.first_split + split, c1);
  finish(first_row + own_row + 2u, column, quad, constants.first_split + split, c2);
  finish(first_row + own_row + 3u, column, quad, constants.first_split + split, c3);
  finish(first_row + own_row + 4u, column, quad, constants.first_split + split, c4);
  finish(first_row + own_row + 5u, column, quad, constants.first_split + split, c5);
  finish(first_row + own_row + 6u, column, quad, constants.first_split + split, c6);
  finish(first_row + own_row + 7u, column, quad, constants.first_split + split, c7);
  finish(first_row + own_row + 8u, column, quad, constants.first_split + split, c8);
  finish(first_row + own_row + 9u, column, quad, constants.first_split + split, c9);
  finish(first_row + own_row + 10u, column, quad, constants.first_split + split, c10);
  finish(first_row + own_row + 11u, column, quad, constants.first_split + split, c11);
  finish(first_row + own_row + 12u, column, quad, constants.first_split + split, c12);
  finish(first_row + own_row + 13u, column, quad, constants.first_split + split, c13);
  finish(first_row + own_row + 14u, column, quad, constants.first_split + split, c14);
  finish(first_row + own_row + 15u, column, quad, constants.first_split + split, c15);
}
