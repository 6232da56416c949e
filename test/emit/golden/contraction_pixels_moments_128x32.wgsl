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
  a_image: u32,
  a_row: u32,
  a_column: u32,
  a_base: u32,
  y_image: u32,
  y_row: u32,
  y_column: u32,
  y_base: u32,
  partial_quads: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partial: array<vec4f>;

var<workgroup> tile: array<vec4f, 128>;
var<workgroup> places: array<u32, 768>;
fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(-0x800000)));
}
var<private> count: f32;
var<private> near: vec4f;
var<private> rest: vec4f;
var<private> squares: vec4f;
fn finish(row: u32, column: u32, quad: u32, sum: vec4f, y_place: u32) {
  if (row < frame.batch * constants.pixels && column < constants.columns) {
    let made = sum;
    result[y_place + quad + constants.first_quad] = made;
    near = select(near, made, count == 0.0);
    let distance = made - near;
    rest += distance;
    squares = fma(distance, distance, squares);
    count += 1.0;
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
  let first_row = block * 128u;

  let group = plane / constants.column_blocks;
  let column = plane % constants.column_blocks * 8u + lane % 8u;
  let row_lane = lane % 32u;
  let own_row = lane / 8u * 32u;
  let row0 = min(first_row + 0u + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let a_place0 = constants.a_base + image0 * constants.a_image + y0 * constants.a_row + x0 * constants.a_column + group * constants.a_group;
  let y_place0 = constants.y_base + image0 * constants.y_image + y0 * constants.y_row + x0 * constants.y_column;
  let row1 = min(first_row + 32u + row_lane, rows - 1u);
  let image1 = row1 / constants.pixels;
  let y1 = row1 % constants.pixels / constants.width;
  let x1 = row1 % constants.width;
  let a_place1 = constants.a_base + image1 * constants.a_image + y1 * constants.a_row + x1 * constants.a_column + group * constants.a_group;
  let y_place1 = constants.y_base + image1 * constants.y_image + y1 * constants.y_row + x1 * constants.y_column;
  let row2 = min(first_row + 64u + row_lane, rows - 1u);
  let image2 = row2 / constants.pixels;
  let y2 = row2 % constants.pixels / constants.width;
  let x2 = row2 % constants.width;
  let a_place2 = constants.a_base + image2 * constants.a_image + y2 * constants.a_row + x2 * constants.a_column + group * constants.a_group;
  let y_place2 = constants.y_base + image2 * constants.y_image + y2 * constants.y_row + x2 * constants.y_column;
  let row3 = min(first_row + 96u + row_lane, rows - 1u);
  let image3 = row3 / constants.pixels;
  let y3 = row3 % constants.pixels / constants.width;
  let x3 = row3 % constants.width;
  let a_place3 = constants.a_base + image3 * constants.a_image + y3 * constants.a_row + x3 * constants.a_column + group * constants.a_group;
  let y_place3 = constants.y_base + image3 * constants.y_image + y3 * constants.y_row + x3 * constants.y_column;
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
  var c24 = vec4f(0);
  var c25 = vec4f(0);
  var c26 = vec4f(0);
  var c27 = vec4f(0);
  var c28 = vec4f(0);
  var c29 = vec4f(0);
  var c30 = vec4f(0);
  var c31 = vec4f(0);
  let columns = constants.columns;
  var b_place = group * constants.b_group + min(column, columns - 1u);
  for (var segment = 0u; segment < constants.segments; segment++) {
    let start = segment / constants.segments_per_row * constants.segment_row + segment % constants.segments_per_row * constants.segment_column;
    let end = start + constants.run;
    var a0 = a[a_place0 + start];
    var a1 = a[a_place1 + start];
    var a2 = a[a_place2 + start];
    var a3 = a[a_place3 + start];
    var b0 = b[b_place + 0u * columns];
    var b1 = b[b_place + 1u * columns];
    var b2 = b[b_place + 2u * columns];
    var b3 = b[b_place + 3u * columns];
    for (var k = start; k < end; k++) {
      workgroupBarrier();
      if (lane < 32u) {
        tile[lane + 0u] = a0;
        tile[lane + 32u] = a1;
        tile[lane + 64u] = a2;
        tile[lane + 96u] = a3;
      }
      workgroupBarrier();
      a0 = a[a_place0 + k + 1u];
      a1 = a[a_place1 + k + 1u];
      a2 = a[a_place2 + k + 1u];
      a3 = a[a_place3 + k + 1u];
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
      c16 = fma(vec4f(tile[own_row + 16u].x), b0, c16); c16 = fma(vec4f(tile[own_row + 16u].y), b1, c16); c16 = fma(vec4f(tile[own_row + 16u].z), b2, c16); c16 = fma(vec4f(tile[own_row + 16u].w), b3, c16);
      c17 = fma(vec4f(tile[own_row + 17u].x), b0, c17); c17 = fma(vec4f(tile[own_row + 17u].y), b1, c17); c17 = fma(vec4f(tile[own_row + 17u].z), b2, c17); c17 = fma(vec4f(tile[own_row + 17u].w), b3, c17);
      c18 = fma(vec4f(tile[own_row + 18u].x), b0, c18); c18 = fma(vec4f(tile[own_row + 18u].y), b1, c18); c18 = fma(vec4f(tile[own_row + 18u].z), b2, c18); c18 = fma(vec4f(tile[own_row + 18u].w), b3, c18);
      c19 = fma(vec4f(tile[own_row + 19u].x), b0, c19); c19 = fma(vec4f(tile[own_row + 19u].y), b1, c19); c19 = fma(vec4f(tile[own_row + 19u].z), b2, c19); c19 = fma(vec4f(tile[own_row + 19u].w), b3, c19);
      c20 = fma(vec4f(tile[own_row + 20u].x), b0, c20); c20 = fma(vec4f(tile[own_row + 20u].y), b1, c20); c20 = fma(vec4f(tile[own_row + 20u].z), b2, c20); c20 = fma(vec4f(tile[own_row + 20u].w), b3, c20);
      c21 = fma(vec4f(tile[own_row + 21u].x), b0, c21); c21 = fma(vec4f(tile[own_row + 21u].y), b1, c21); c21 = fma(vec4f(tile[own_row + 21u].z), b2, c21); c21 = fma(vec4f(tile[own_row + 21u].w), b3, c21);
      c22 = fma(vec4f(tile[own_row + 22u].x), b0, c22); c22 = fma(vec4f(tile[own_row + 22u].y), b1, c22); c22 = fma(vec4f(tile[own_row + 22u].z), b2, c22); c22 = fma(vec4f(tile[own_row + 22u].w), b3, c22);
      c23 = fma(vec4f(tile[own_row + 23u].x), b0, c23); c23 = fma(vec4f(tile[own_row + 23u].y), b1, c23); c23 = fma(vec4f(tile[own_row + 23u].z), b2, c23); c23 = fma(vec4f(tile[own_row + 23u].w), b3, c23);
      c24 = fma(vec4f(tile[own_row + 24u].x), b0, c24); c24 = fma(vec4f(tile[own_row + 24u].y), b1, c24); c24 = fma(vec4f(tile[own_row + 24u].z), b2, c24); c24 = fma(vec4f(tile[own_row + 24u].w), b3, c24);
      c25 = fma(vec4f(tile[own_row + 25u].x), b0, c25); c25 = fma(vec4f(tile[own_row + 25u].y), b1, c25); c25 = fma(vec4f(tile[own_row + 25u].z), b2, c25); c25 = fma(vec4f(tile[own_row + 25u].w), b3, c25);
      c26 = fma(vec4f(tile[own_row + 26u].x), b0, c26); c26 = fma(vec4f(tile[own_row + 26u].y), b1, c26); c26 = fma(vec4f(tile[own_row + 26u].z), b2, c26); c26 = fma(vec4f(tile[own_row + 26u].w), b3, c26);
      c27 = fma(vec4f(tile[own_row + 27u].x), b0, c27); c27 = fma(vec4f(tile[own_row + 27u].y), b1, c27); c27 = fma(vec4f(tile[own_row + 27u].z), b2, c27); c27 = fma(vec4f(tile[own_row + 27u].w), b3, c27);
      c28 = fma(vec4f(tile[own_row + 28u].x), b0, c28); c28 = fma(vec4f(tile[own_row + 28u].y), b1, c28); c28 = fma(vec4f(tile[own_row + 28u].z), b2, c28); c28 = fma(vec4f(tile[own_row + 28u].w), b3, c28);
      c29 = fma(vec4f(tile[own_row + 29u].x), b0, c29); c29 = fma(vec4f(tile[own_row + 29u].y), b1, c29); c29 = fma(vec4f(tile[own_row + 29u].z), b2, c29); c29 = fma(vec4f(tile[own_row + 29u].w), b3, c29);
      c30 = fma(vec4f(tile[own_row + 30u].x), b0, c30); c30 = fma(vec4f(tile[own_row + 30u].y), b1, c30); c30 = fma(vec4f(tile[own_row + 30u].z), b2, c30); c30 = fma(vec4f(tile[own_row + 30u].w), b3, c30);
      c31 = fma(vec4f(tile[own_row + 31u].x), b0, c31); c31 = fma(vec4f(tile[own_row + 31u].y), b1, c31); c31 = fma(vec4f(tile[own_row + 31u].z), b2, c31); c31 = fma(vec4f(tile[own_row + 31u].w), b3, c31);
      b0 = next_b0;
      b1 = next_b1;
      b2 = next_b2;
      b3 = next_b3;
    }
  }
  let quad = group * columns + column;
  workgroupBarrier();
  if (lane < 32u) {
    places[lane + 0u] = y_place0;
    places[lane + 32u] = y_place1;
    places[lane + 64u] = y_place2;
    places[lane + 96u] = y_place3;
  }
  workgroupBarrier();
  finish(first_row + own_row + 0u, column, quad, c0, places[own_row + 0u]);
  finish(first_row + own_row + 1u, column, quad, c1, places[own_row + 1u]);
  finish(first_row + own_row + 2u, column, quad, c2, places[own_row + 2u]);
  finish(first_row + own_row + 3u, column, quad, c3, places[own_row + 3u]);
  finish(first_row + own_row + 4u, column, quad, c4, places[own_row + 4u]);
  finish(first_row + own_row + 5u, column, quad, c5, places[own_row + 5u]);
  finish(first_row + own_row + 6u, column, quad, c6, places[own_row + 6u]);
  finish(first_row + own_row + 7u, column, quad, c7, places[own_row + 7u]);
  finish(first_row + own_row + 8u, column, quad, c8, places[own_row + 8u]);
  finish(first_row + own_row + 9u, column, quad, c9, places[own_row + 9u]);
  finish(first_row + own_row + 10u, column, quad, c10, places[own_row + 10u]);
  finish(first_row + own_row + 11u, column, quad, c11, places[own_row + 11u]);
  finish(first_row + own_row + 12u, column, quad, c12, places[own_row + 12u]);
  finish(first_row + own_row + 13u, column, quad, c13, places[own_row + 13u]);
  finish(first_row + own_row + 14u, column, quad, c14, places[own_row + 14u]);
  finish(first_row + own_row + 15u, column, quad, c15, places[own_row + 15u]);
  finish(first_row + own_row + 16u, column, quad, c16, places[own_row + 16u]);
  finish(first_row + own_row + 17u, column, quad, c17, places[own_row + 17u]);
  finish(first_row + own_row + 18u, column, quad, c18, places[own_row + 18u]);
  finish(first_row + own_row + 19u, column, quad, c19, places[own_row + 19u]);
  finish(first_row + own_row + 20u, column, quad, c20, places[own_row + 20u]);
  finish(first_row + own_row + 21u, column, quad, c21, places[own_row + 21u]);
  finish(first_row + own_row + 22u, column, quad, c22, places[own_row + 22u]);
  finish(first_row + own_row + 23u, column, quad, c23, places[own_row + 23u]);
  finish(first_row + own_row + 24u, column, quad, c24, places[own_row + 24u]);
  finish(first_row + own_row + 25u, column, quad, c25, places[own_row + 25u]);
  finish(first_row + own_row + 26u, column, quad, c26, places[own_row + 26u]);
  finish(first_row + own_row + 27u, column, quad, c27, places[own_row + 27u]);
  finish(first_row + own_row + 28u, column, quad, c28, places[own_row + 28u]);
  finish(first_row + own_row + 29u, column, quad, c29, places[own_row + 29u]);
  finish(first_row + own_row + 30u, column, quad, c30, places[own_row + 30u]);
  finish(first_row + own_row + 31u, column, quad, c31, places[own_row + 31u]);
  let part = (first_row + own_row) / 32u;
  if (count > 0.0) {
    let place = (part * constants.partial_quads + (quad + constants.first_quad));
    partial[3u * place] = near;
    partial[3u * place + 1u] = rest / count;
    partial[3u * place + 2u] = relu(squares - rest * rest / count);
  }
}
