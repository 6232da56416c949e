// Contraction: rows are output pixels, columns output channels, K the window.
enable subgroups;

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
  a_image: u32,
  a_row: u32,
  a_column: u32,
  a_base: u32,
  y_image: u32,
  y_row: u32,
  y_column: u32,
  y_base: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> e1: array<vec4f>;
@group(0) @binding(6) var<storage, read> e2: array<vec4f>;

fn finish(row: u32, column: u32, quad: u32, sum: vec4f, y_place: u32) {
  if (row < frame.batch * constants.pixels && column < constants.columns) {
    result[y_place + quad + constants.first_quad] = ((sum * e1[(quad + constants.first_quad)]) + e2[(quad + constants.first_quad)]);
  }
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let plane = workgroup.z + constants.first_plane;
  let rows = frame.batch * constants.pixels;
  let first_row = block * 24u;

  let group = plane / constants.column_blocks;
  let column = plane % constants.column_blocks * 8u + lane;
  let row_lane = subgroup_lane % 8u;
  let row0 = min(first_row + 0u + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let a_place0 = constants.a_base + image0 * constants.a_image + y0 * constants.a_row + x0 * constants.a_column + group * constants.a_group;
  let y_place0 = constants.y_base + image0 * constants.y_image + y0 * constants.y_row + x0 * constants.y_column;
  let row1 = min(first_row + 8u + row_lane, rows - 1u);
  let image1 = row1 / constants.pixels;
  let y1 = row1 % constants.pixels / constants.width;
  let x1 = row1 % constants.width;
  let a_place1 = constants.a_base + image1 * constants.a_image + y1 * constants.a_row + x1 * constants.a_column + group * constants.a_group;
  let y_place1 = constants.y_base + image1 * constants.y_image + y1 * constants.y_row + x1 * constants.y_column;
  let row2 = min(first_row + 16u + row_lane, rows - 1u);
  let image2 = row2 / constants.pixels;
  let y2 = row2 % constants.pixels / constants.width;
  let x2 = row2 % constants.width;
  let a_place2 = constants.a_base + image2 * constants.a_image + y2 * constants.a_row + x2 * constants.a_column + group * constants.a_group;
  let y_place2 = constants.y_base + image2 * constants.y_image + y2 * constants.y_row + x2 * constants.y_column;
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
  var c16 = vec4f(0);
  var c17 = vec4f(0);
  var c18 = vec4f(0);
  var c19 = vec4f(0);
  var c20 = vec4f(0);
  var c21 = vec4f(0);
  var c22 = vec4f(0);
  var c23 = vec4f(0);
  let columns = constants.columns;
  var b_place = group * constants.b_group + min(column, columns - 1u);
  for (var segment = 0u; segment < constants.segments; segment++) {
    let start = segment / constants.segments_per_row * constants.segment_row + segment % constants.segments_per_row * constants.segment_column;
    let end = start + constants.run;
    for (var k = start; k < end; k++) {
      let a0 = a[a_place0 + k];
      let a1 = a[a_place1 + k];
      let a2 = a[a_place2 + k];

      let b0 = b[b_place + 0u * columns];
      let b1 = b[b_place + 1u * columns];
      let b2 = b[b_place + 2u * columns];
      let b3 = b[b_place + 3u * columns];
      c0 = fma(vec4f(subgroupBroadcast(a0.x, 0u)), b0, c0); c0 = fma(vec4f(subgroupBroadcast(a0.y, 0u)), b1, c0); c0 = fma(vec4f(subgroupBroadcast(a0.z, 0u)), b2, c0); c0 = fma(vec4f(subgroupBroadcast(a0.w, 0u)), b3, c0);
      c1 = fma(vec4f(subgroupBroadcast(a0.x, 1u)), b0, c1); c1 = fma(vec4f(subgroupBroadcast(a0.y, 1u)), b1, c1); c1 = fma(vec4f(subgroupBroadcast(a0.z, 1u)), b2, c1); c1 = fma(vec4f(subgroupBroadcast(a0.w, 1u)), b3, c1);
      c2 = fma(vec4f(subgroupBroadcast(a0.x, 2u)), b0, c2); c2 = fma(vec4f(subgroupBroadcast(a0.y, 2u)), b1, c2); c2 = fma(vec4f(subgroupBroadcast(a0.z, 2u)), b2, c2); c2 = fma(vec4f(subgroupBroadcast(a0.w, 2u)), b3, c2);
      c3 = fma(vec4f(subgroupBroadcast(a0.x, 3u)), b0, c3); c3 = fma(vec4f(subgroupBroadcast(a0.y, 3u)), b1, c3); c3 = fma(vec4f(subgroupBroadcast(a0.z, 3u)), b2, c3); c3 = fma(vec4f(subgroupBroadcast(a0.w, 3u)), b3, c3);
      c4 = fma(vec4f(subgroupBroadcast(a0.x, 4u)), b0, c4); c4 = fma(vec4f(subgroupBroadcast(a0.y, 4u)), b1, c4); c4 = fma(vec4f(subgroupBroadcast(a0.z, 4u)), b2, c4); c4 = fma(vec4f(subgroupBroadcast(a0.w, 4u)), b3, c4);
      c5 = fma(vec4f(subgroupBroadcast(a0.x, 5u)), b0, c5); c5 = fma(vec4f(subgroupBroadcast(a0.y, 5u)), b1, c5); c5 = fma(vec4f(subgroupBroadcast(a0.z, 5u)), b2, c5); c5 = fma(vec4f(subgroupBroadcast(a0.w, 5u)), b3, c5);
      c6 = fma(vec4f(subgroupBroadcast(a0.x, 6u)), b0, c6); c6 = fma(vec4f(subgroupBroadcast(a0.y, 6u)), b1, c6); c6 = fma(vec4f(subgroupBroadcast(a0.z, 6u)), b2, c6); c6 = fma(vec4f(subgroupBroadcast(a0.w, 6u)), b3, c6);
      c7 = fma(vec4f(subgroupBroadcast(a0.x, 7u)), b0, c7); c7 = fma(vec4f(subgroupBroadcast(a0.y, 7u)), b1, c7); c7 = fma(vec4f(subgroupBroadcast(a0.z, 7u)), b2, c7); c7 = fma(vec4f(subgroupBroadcast(a0.w, 7u)), b3, c7);
      c8 = fma(vec4f(subgroupBroadcast(a1.x, 0u)), b0, c8); c8 = fma(vec4f(subgroupBroadcast(a1.y, 0u)), b1, c8); c8 = fma(vec4f(subgroupBroadcast(a1.z, 0u)), b2, c8); c8 = fma(vec4f(subgroupBroadcast(a1.w, 0u)), b3, c8);
      c9 = fma(vec4f(subgroupBroadcast(a1.x, 1u)), b0, c9); c9 = fma(vec4f(subgroupBroadcast(a1.y, 1u)), b1, c9); c9 = fma(vec4f(subgroupBroadcast(a1.z, 1u)), b2, c9); c9 = fma(vec4f(subgroupBroadcast(a1.w, 1u)), b3, c9);
      c10 = fma(vec4f(subgroupBroadcast(a1.x, 2u)), b0, c10); c10 = fma(vec4f(subgroupBroadcast(a1.y, 2u)), b1, c10); c10 = fma(vec4f(subgroupBroadcast(a1.z, 2u)), b2, c10); c10 = fma(vec4f(subgroupBroadcast(a1.w, 2u)), b3, c10);
      c11 = fma(vec4f(subgroupBroadcast(a1.x, 3u)), b0, c11); c11 = fma(vec4f(subgroupBroadcast(a1.y, 3u)), b1, c11); c11 = fma(vec4f(subgroupBroadcast(a1.z, 3u)), b2, c11); c11 = fma(vec4f(subgroupBroadcast(a1.w, 3u)), b3, c11);
      c12 = fma(vec4f(subgroupBroadcast(a1.x, 4u)), b0, c12); c12 = fma(vec4f(subgroupBroadcast(a1.y, 4u)), b1, c12); c12 = fma(vec4f(subgroupBroadcast(a1.z, 4u)), b2, c12); c12 = fma(vec4f(subgroupBroadcast(a1.w, 4u)), b3, c12);
      c13 = fma(vec4f(subgroupBroadcast(a1.x, 5u)), b0, c13); c13 = fma(vec4f(subgroupBroadcast(a1.y, 5u)), b1, c13); c13 = fma(vec4f(subgroupBroadcast(a1.z, 5u)), b2, c13); c13 = fma(vec4f(subgroupBroadcast(a1.w, 5u)), b3, c13);
      c14 = fma(vec4f(subgroupBroadcast(a1.x, 6u)), b0, c14); c14 = fma(vec4f(subgroupBroadcast(a1.y, 6u)), b1, c14); c14 = fma(vec4f(subgroupBroadcast(a1.z, 6u)), b2, c14); c14 = fma(vec4f(subgroupBroadcast(a1.w, 6u)), b3, c14);
      c15 = fma(vec4f(subgroupBroadcast(a1.x, 7u)), b0, c15); c15 = fma(vec4f(subgroupBroadcast(a1.y, 7u)), b1, c15); c15 = fma(vec4f(subgroupBroadcast(a1.z, 7u)), b2, c15); c15 = fma(vec4f(subgroupBroadcast(a1.w, 7u)), b3, c15);
      c16 = fma(vec4f(subgroupBroadcast(a2.x, 0u)), b0, c16); c16 = fma(vec4f(subgroupBroadcast(a2.y, 0u)), b1, c16); c16 = fma(vec4f(subgroupBroadcast(a2.z, 0u)), b2, c16); c16 = fma(vec4f(subgroupBroadcast(a2.w, 0u)), b3, c16);
      c17 = fma(vec4f(subgroupBroadcast(a2.x, 1u)), b0, c17); c17 = fma(vec4f(subgroupBroadcast(a2.y, 1u)), b1, c17); c17 = fma(vec4f(subgroupBroadcast(a2.z, 1u)), b2, c17); c17 = fma(vec4f(subgroupBroadcast(a2.w, 1u)), b3, c17);
      c18 = fma(vec4f(subgroupBroadcast(a2.x, 2u)), b0, c18); c18 = fma(vec4f(subgroupBroadcast(a2.y, 2u)), b1, c18); c18 = fma(vec4f(subgroupBroadcast(a2.z, 2u)), b2, c18); c18 = fma(vec4f(subgroupBroadcast(a2.w, 2u)), b3, c18);
      c19 = fma(vec4f(subgroupBroadcast(a2.x, 3u)), b0, c19); c19 = fma(vec4f(subgroupBroadcast(a2.y, 3u)), b1, c19); c19 = fma(vec4f(subgroupBroadcast(a2.z, 3u)), b2, c19); c19 = fma(vec4f(subgroupBroadcast(a2.w, 3u)), b3, c19);
      c20 = fma(vec4f(subgroupBroadcast(a2.x, 4u)), b0, c20); c20 = fma(vec4f(subgroupBroadcast(a2.y, 4u)), b1, c20); c20 = fma(vec4f(subgroupBroadcast(a2.z, 4u)), b2, c20); c20 = fma(vec4f(subgroupBroadcast(a2.w, 4u)), b3, c20);
      c21 = fma(vec4f(subgroupBroadcast(a2.x, 5u)), b0, c21); c21 = fma(vec4f(subgroupBroadcast(a2.y, 5u)), b1, c21); c21 = fma(vec4f(subgroupBroadcast(a2.z, 5u)), b2, c21); c21 = fma(vec4f(subgroupBroadcast(a2.w, 5u)), b3, c21);
      c22 = fma(vec4f(subgroupBroadcast(a2.x, 6u)), b0, c22); c22 = fma(vec4f(subgroupBroadcast(a2.y, 6u)), b1, c22); c22 = fma(vec4f(subgroupBroadcast(a2.z, 6u)), b2, c22); c22 = fma(vec4f(subgroupBroadcast(a2.w, 6u)), b3, c22);
      c23 = fma(vec4f(subgroupBroadcast(a2.x, 7u)), b0, c23); c23 = fma(vec4f(subgroupBroadcast(a2.y, 7u)), b1, c23); c23 = fma(vec4f(subgroupBroadcast(a2.z, 7u)), b2, c23); c23 = fma(vec4f(subgroupBroadcast(a2.w, 7u)), b3, c23);
      b_place += 4u * columns * 1u;
    }
  }
  let quad = group * columns + column;
  var sums = array<vec4f, 24>(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23);
  var row_values0 = array<u32, 3>(y_place0, y_place1, y_place2);
  for (var row = 0u; row != 24u && first_row + row < rows; row++) {
    finish(first_row + row, column, quad, sums[row], subgroupShuffle(row_values0[row / 8u], row % 8u));
  }
}
