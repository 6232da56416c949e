// Contraction: rows are output pixels, columns output channels, K the window.
enable subgroups;

struct Frame {
  batch: u32,
}

struct Place {
  image_pitch: u32,
  row_pitch: u32,
  column_pitch: u32,
  base: u32,
}

struct Constants {
  a: Place,
  y: Place,
  e1: Place,
  input: Place,
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
  partial_quads: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> e1: array<vec4f>;
@group(0) @binding(6) var<storage, read> input: array<vec4f>;
@group(0) @binding(7) var<storage, read> mean: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> partial: array<vec4f>;

var<private> count: f32;
var<private> gradients: vec4f;
var<private> products: vec4f;

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

fn multiply_add(sum: vec4f, row: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  let first = fma(vec4f(row.x), b0, sum);
  let second = fma(vec4f(row.y), b1, first);
  let third = fma(vec4f(row.z), b2, second);
  return fma(vec4f(row.w), b3, third);
}

fn finish(row: u32, column: u32, quad: u32, sum: vec4f, y_place: u32, e1_place: u32, input_place: u32) {
  if (row < frame.batch * constants.pixels && column < constants.columns) {
    let made = select(vec4f(0), sum, e1[e1_place + quad] > vec4f(0));
    result[y_place + quad] = made;
    gradients += made;
    products = fma(made, input[input_place + quad] - mean[quad], products);
    count += 1.0;
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
  let first_row = block * 16u;
  let group = plane / constants.column_blocks;
  let column = plane % constants.column_blocks * 8u + lane;
  let row_lane = subgroup_lane % 4u;
  let row0 = min(first_row + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let a_place0 = place_of(constants.a, image0, y0, x0) + group * constants.a_group;
  let y_place0 = place_of(constants.y, image0, y0, x0);
  let e1_place0 = place_of(constants.e1, image0, y0, x0);
  let input_place0 = place_of(constants.input, image0, y0, x0);
  let row1 = min(first_row + row_lane + 4u, rows - 1u);
  let image1 = row1 / constants.pixels;
  let y1 = row1 % constants.pixels / constants.width;
  let x1 = row1 % constants.width;
  let a_place1 = place_of(constants.a, image1, y1, x1) + group * constants.a_group;
  let y_place1 = place_of(constants.y, image1, y1, x1);
  let e1_place1 = place_of(constants.e1, image1, y1, x1);
  let input_place1 = place_of(constants.input, image1, y1, x1);
  let row2 = min(first_row + row_lane + 8u, rows - 1u);
  let image2 = row2 / constants.pixels;
  let y2 = row2 % constants.pixels / constants.width;
  let x2 = row2 % constants.width;
  let a_place2 = place_of(constants.a, image2, y2, x2) + group * constants.a_group;
  let y_place2 = place_of(constants.y, image2, y2, x2);
  let e1_place2 = place_of(constants.e1, image2, y2, x2);
  let input_place2 = place_of(constants.input, image2, y2, x2);
  let row3 = min(first_row + row_lane + 12u, rows - 1u);
  let image3 = row3 / constants.pixels;
  let y3 = row3 % constants.pixels / constants.width;
  let x3 = row3 % constants.width;
  let a_place3 = place_of(constants.a, image3, y3, x3) + group * constants.a_group;
  let y_place3 = place_of(constants.y, image3, y3, x3);
  let e1_place3 = place_of(constants.e1, image3, y3, x3);
  let input_place3 = place_of(constants.input, image3, y3, x3);
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
  for (var segment = 0u; segment < constants.segments; segment++) {
    let start = segment / constants.segments_per_row * constants.segment_row + segment % constants.segments_per_row * constants.segment_column;
    let end = start + constants.run;
    for (var k = start; k < end; k++) {
      let a0 = a[a_place0 + k];
      let a1 = a[a_place1 + k];
      let a2 = a[a_place2 + k];
      let a3 = a[a_place3 + k];
      let b0 = b[b_place];
      let b1 = b[b_place + columns];
      let b2 = b[b_place + 2u * columns];
      let b3 = b[b_place + 3u * columns];
      c0 = multiply_add(c0, subgroupBroadcast(a0, 0u), b0, b1, b2, b3);
      c1 = multiply_add(c1, subgroupBroadcast(a0, 1u), b0, b1, b2, b3);
      c2 = multiply_add(c2, subgroupBroadcast(a0, 2u), b0, b1, b2, b3);
      c3 = multiply_add(c3, subgroupBroadcast(a0, 3u), b0, b1, b2, b3);
      c4 = multiply_add(c4, subgroupBroadcast(a1, 0u), b0, b1, b2, b3);
      c5 = multiply_add(c5, subgroupBroadcast(a1, 1u), b0, b1, b2, b3);
      c6 = multiply_add(c6, subgroupBroadcast(a1, 2u), b0, b1, b2, b3);
      c7 = multiply_add(c7, subgroupBroadcast(a1, 3u), b0, b1, b2, b3);
      c8 = multiply_add(c8, subgroupBroadcast(a2, 0u), b0, b1, b2, b3);
      c9 = multiply_add(c9, subgroupBroadcast(a2, 1u), b0, b1, b2, b3);
      c10 = multiply_add(c10, subgroupBroadcast(a2, 2u), b0, b1, b2, b3);
      c11 = multiply_add(c11, subgroupBroadcast(a2, 3u), b0, b1, b2, b3);
      c12 = multiply_add(c12, subgroupBroadcast(a3, 0u), b0, b1, b2, b3);
      c13 = multiply_add(c13, subgroupBroadcast(a3, 1u), b0, b1, b2, b3);
      c14 = multiply_add(c14, subgroupBroadcast(a3, 2u), b0, b1, b2, b3);
      c15 = multiply_add(c15, subgroupBroadcast(a3, 3u), b0, b1, b2, b3);
      b_place += 4u * columns;
    }
  }
  let quad = constants.first_quad + group * columns + column;
  var sums = array<vec4f, 16>(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15);
  var row_values0 = array<u32, 4>(y_place0, y_place1, y_place2, y_place3);
  var row_values1 = array<u32, 4>(e1_place0, e1_place1, e1_place2, e1_place3);
  var row_values2 = array<u32, 4>(input_place0, input_place1, input_place2, input_place3);
  for (var row = 0u; row != 16u && first_row + row < rows; row++) {
    finish(first_row + row, column, quad, sums[row], subgroupShuffle(row_values0[row / 4u], row % 4u), subgroupShuffle(row_values1[row / 4u], row % 4u), subgroupShuffle(row_values2[row / 4u], row % 4u));
  }
  let part = first_row / 16u;
  if (count > 0.0) {
    let place = part * constants.partial_quads + quad;
    partial[2u * place] = gradients;
    partial[2u * place + 1u] = products;
  }
}
