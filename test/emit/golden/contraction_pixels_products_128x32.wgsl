// Contraction: rows are output pixels, columns output channels, K the window.

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
@group(0) @binding(5) var<storage, read> input: array<vec4f>;
@group(0) @binding(6) var<storage, read> mean: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> partial: array<vec4f>;

var<workgroup> tile: array<vec4f, 128>;
var<workgroup> places: array<u32, 768>;
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

fn finish(row: u32, column: u32, quad: u32, sum: vec4f, y_place: u32, input_place: u32) {
  if (row < frame.batch * constants.pixels && column < constants.columns) {
    let made = sum;
    result[y_place + quad] = made;
    gradients += made;
    products = fma(made, input[input_place + quad] - mean[quad], products);
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
  let row0 = min(first_row + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let a_place0 = place_of(constants.a, image0, y0, x0) + group * constants.a_group;
  let y_place0 = place_of(constants.y, image0, y0, x0);
  let input_place0 = place_of(constants.input, image0, y0, x0);
  let row1 = min(first_row + row_lane + 32u, rows - 1u);
  let image1 = row1 / constants.pixels;
  let y1 = row1 % constants.pixels / constants.width;
  let x1 = row1 % constants.width;
  let a_place1 = place_of(constants.a, image1, y1, x1) + group * constants.a_group;
  let y_place1 = place_of(constants.y, image1, y1, x1);
  let input_place1 = place_of(constants.input, image1, y1, x1);
  let row2 = min(first_row + row_lane + 64u, rows - 1u);
  let image2 = row2 / constants.pixels;
  let y2 = row2 % constants.pixels / constants.width;
  let x2 = row2 % constants.width;
  let a_place2 = place_of(constants.a, image2, y2, x2) + group * constants.a_group;
  let y_place2 = place_of(constants.y, image2, y2, x2);
  let input_place2 = place_of(constants.input, image2, y2, x2);
  let row3 = min(first_row + row_lane + 96u, rows - 1u);
  let image3 = row3 / constants.pixels;
  let y3 = row3 % constants.pixels / constants.width;
  let x3 = row3 % constants.width;
  let a_place3 = place_of(constants.a, image3, y3, x3) + group * constants.a_group;
  let y_place3 = place_of(constants.y, image3, y3, x3);
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
    var b0 = b[b_place];
    var b1 = b[b_place + columns];
    var b2 = b[b_place + 2u * columns];
    var b3 = b[b_place + 3u * columns];
    for (var k = start; k < end; k++) {
      workgroupBarrier();
      if (lane < 32u) {
        tile[lane] = a0;
        tile[lane + 32u] = a1;
        tile[lane + 64u] = a2;
        tile[lane + 96u] = a3;
      }
      workgroupBarrier();
      a0 = a[a_place0 + k + 1u];
      a1 = a[a_place1 + k + 1u];
      a2 = a[a_place2 + k + 1u];
      a3 = a[a_place3 + k + 1u];
      b_place += 4u * columns;
      let next_b0 = b[b_place];
      let next_b1 = b[b_place + columns];
      let next_b2 = b[b_place + 2u * columns];
      let next_b3 = b[b_place + 3u * columns];
      c0 = multiply_add(c0, tile[own_row], b0, b1, b2, b3);
      c1 = multiply_add(c1, tile[own_row + 1u], b0, b1, b2, b3);
      c2 = multiply_add(c2, tile[own_row + 2u], b0, b1, b2, b3);
      c3 = multiply_add(c3, tile[own_row + 3u], b0, b1, b2, b3);
      c4 = multiply_add(c4, tile[own_row + 4u], b0, b1, b2, b3);
      c5 = multiply_add(c5, tile[own_row + 5u], b0, b1, b2, b3);
      c6 = multiply_add(c6, tile[own_row + 6u], b0, b1, b2, b3);
      c7 = multiply_add(c7, tile[own_row + 7u], b0, b1, b2, b3);
      c8 = multiply_add(c8, tile[own_row + 8u], b0, b1, b2, b3);
      c9 = multiply_add(c9, tile[own_row + 9u], b0, b1, b2, b3);
      c10 = multiply_add(c10, tile[own_row + 10u], b0, b1, b2, b3);
      c11 = multiply_add(c11, tile[own_row + 11u], b0, b1, b2, b3);
      c12 = multiply_add(c12, tile[own_row + 12u], b0, b1, b2, b3);
      c13 = multiply_add(c13, tile[own_row + 13u], b0, b1, b2, b3);
      c14 = multiply_add(c14, tile[own_row + 14u], b0, b1, b2, b3);
      c15 = multiply_add(c15, tile[own_row + 15u], b0, b1, b2, b3);
      c16 = multiply_add(c16, tile[own_row + 16u], b0, b1, b2, b3);
      c17 = multiply_add(c17, tile[own_row + 17u], b0, b1, b2, b3);
      c18 = multiply_add(c18, tile[own_row + 18u], b0, b1, b2, b3);
      c19 = multiply_add(c19, tile[own_row + 19u], b0, b1, b2, b3);
      c20 = multiply_add(c20, tile[own_row + 20u], b0, b1, b2, b3);
      c21 = multiply_add(c21, tile[own_row + 21u], b0, b1, b2, b3);
      c22 = multiply_add(c22, tile[own_row + 22u], b0, b1, b2, b3);
      c23 = multiply_add(c23, tile[own_row + 23u], b0, b1, b2, b3);
      c24 = multiply_add(c24, tile[own_row + 24u], b0, b1, b2, b3);
      c25 = multiply_add(c25, tile[own_row + 25u], b0, b1, b2, b3);
      c26 = multiply_add(c26, tile[own_row + 26u], b0, b1, b2, b3);
      c27 = multiply_add(c27, tile[own_row + 27u], b0, b1, b2, b3);
      c28 = multiply_add(c28, tile[own_row + 28u], b0, b1, b2, b3);
      c29 = multiply_add(c29, tile[own_row + 29u], b0, b1, b2, b3);
      c30 = multiply_add(c30, tile[own_row + 30u], b0, b1, b2, b3);
      c31 = multiply_add(c31, tile[own_row + 31u], b0, b1, b2, b3);
      b0 = next_b0;
      b1 = next_b1;
      b2 = next_b2;
      b3 = next_b3;
    }
  }
  let quad = constants.first_quad + group * columns + column;
  workgroupBarrier();
  if (lane < 32u) {
    places[lane] = y_place0;
    places[lane + 32u] = y_place1;
    places[lane + 64u] = y_place2;
    places[lane + 96u] = y_place3;
    places[lane + 128u] = input_place0;
    places[lane + 160u] = input_place1;
    places[lane + 192u] = input_place2;
    places[lane + 224u] = input_place3;
  }
  workgroupBarrier();
  finish(first_row + own_row, column, quad, c0, places[own_row], places[own_row + 128u]);
  finish(first_row + own_row + 1u, column, quad, c1, places[own_row + 1u], places[own_row + 129u]);
  finish(first_row + own_row + 2u, column, quad, c2, places[own_row + 2u], places[own_row + 130u]);
  finish(first_row + own_row + 3u, column, quad, c3, places[own_row + 3u], places[own_row + 131u]);
  finish(first_row + own_row + 4u, column, quad, c4, places[own_row + 4u], places[own_row + 132u]);
  finish(first_row + own_row + 5u, column, quad, c5, places[own_row + 5u], places[own_row + 133u]);
  finish(first_row + own_row + 6u, column, quad, c6, places[own_row + 6u], places[own_row + 134u]);
  finish(first_row + own_row + 7u, column, quad, c7, places[own_row + 7u], places[own_row + 135u]);
  finish(first_row + own_row + 8u, column, quad, c8, places[own_row + 8u], places[own_row + 136u]);
  finish(first_row + own_row + 9u, column, quad, c9, places[own_row + 9u], places[own_row + 137u]);
  finish(first_row + own_row + 10u, column, quad, c10, places[own_row + 10u], places[own_row + 138u]);
  finish(first_row + own_row + 11u, column, quad, c11, places[own_row + 11u], places[own_row + 139u]);
  finish(first_row + own_row + 12u, column, quad, c12, places[own_row + 12u], places[own_row + 140u]);
  finish(first_row + own_row + 13u, column, quad, c13, places[own_row + 13u], places[own_row + 141u]);
  finish(first_row + own_row + 14u, column, quad, c14, places[own_row + 14u], places[own_row + 142u]);
  finish(first_row + own_row + 15u, column, quad, c15, places[own_row + 15u], places[own_row + 143u]);
  finish(first_row + own_row + 16u, column, quad, c16, places[own_row + 16u], places[own_row + 144u]);
  finish(first_row + own_row + 17u, column, quad, c17, places[own_row + 17u], places[own_row + 145u]);
  finish(first_row + own_row + 18u, column, quad, c18, places[own_row + 18u], places[own_row + 146u]);
  finish(first_row + own_row + 19u, column, quad, c19, places[own_row + 19u], places[own_row + 147u]);
  finish(first_row + own_row + 20u, column, quad, c20, places[own_row + 20u], places[own_row + 148u]);
  finish(first_row + own_row + 21u, column, quad, c21, places[own_row + 21u], places[own_row + 149u]);
  finish(first_row + own_row + 22u, column, quad, c22, places[own_row + 22u], places[own_row + 150u]);
  finish(first_row + own_row + 23u, column, quad, c23, places[own_row + 23u], places[own_row + 151u]);
  finish(first_row + own_row + 24u, column, quad, c24, places[own_row + 24u], places[own_row + 152u]);
  finish(first_row + own_row + 25u, column, quad, c25, places[own_row + 25u], places[own_row + 153u]);
  finish(first_row + own_row + 26u, column, quad, c26, places[own_row + 26u], places[own_row + 154u]);
  finish(first_row + own_row + 27u, column, quad, c27, places[own_row + 27u], places[own_row + 155u]);
  finish(first_row + own_row + 28u, column, quad, c28, places[own_row + 28u], places[own_row + 156u]);
  finish(first_row + own_row + 29u, column, quad, c29, places[own_row + 29u], places[own_row + 157u]);
  finish(first_row + own_row + 30u, column, quad, c30, places[own_row + 30u], places[own_row + 158u]);
  finish(first_row + own_row + 31u, column, quad, c31, places[own_row + 31u], places[own_row + 159u]);
  let part = (first_row + own_row) / 32u;
  if (count > 0.0) {
    let place = part * constants.partial_quads + quad;
    partial[2u * place] = gradients;
    partial[2u * place + 1u] = products;
  }
}
