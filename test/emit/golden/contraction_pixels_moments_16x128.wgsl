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
  input: Place,
  result: Place,
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
  input_group: u32,
  weights_group: u32,
  partial_quads: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read> weights: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partial: array<vec4f>;

const MINUS_INFINITY = -0x800000;
const BLOCK_ROWS = 16u;
const COLUMN_LANES = 32u;
const ROW_LANES = 16u;
var<workgroup> tile: array<vec4f, 16>;
var<workgroup> places: array<u32, 96>;
var<private> count: f32;
var<private> near: vec4f;
var<private> rest: vec4f;
var<private> squares: vec4f;

fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(MINUS_INFINITY)));
}

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

fn multiply_add(sum: vec4f, row: vec4f, weights0: vec4f, weights1: vec4f, weights2: vec4f, weights3: vec4f) -> vec4f {
  let first = fma(vec4f(row.x), weights0, sum);
  let second = fma(vec4f(row.y), weights1, first);
  let third = fma(vec4f(row.z), weights2, second);
  return fma(vec4f(row.w), weights3, third);
}

fn finish(row: u32, column: u32, quad: u32, sum: vec4f, result_place: u32) {
  if (row < frame.batch * constants.pixels && column < constants.columns) {
    let made = sum;
    result[result_place + quad] = made;
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
  // The lane's part.
  let rows = frame.batch * constants.pixels;
  let first_row = block * BLOCK_ROWS;
  let group = plane / constants.column_blocks;
  let column = plane % constants.column_blocks * COLUMN_LANES + lane;
  let row_lane = lane % ROW_LANES;
  let row0 = min(first_row + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let input_place0 = place_of(constants.input, image0, y0, x0) + group * constants.input_group;
  let result_place0 = place_of(constants.result, image0, y0, x0);
  var sum0 = vec4f(0);
  var sum1 = vec4f(0);
  var sum2 = vec4f(0);
  var sum3 = vec4f(0);
  var sum4 = vec4f(0);
  var sum5 = vec4f(0);
  var sum6 = vec4f(0);
  var sum7 = vec4f(0);
  var sum8 = vec4f(0);
  var sum9 = vec4f(0);
  var sum10 = vec4f(0);
  var sum11 = vec4f(0);
  var sum12 = vec4f(0);
  var sum13 = vec4f(0);
  var sum14 = vec4f(0);
  var sum15 = vec4f(0);
  let columns = constants.columns;
  var weights_place = group * constants.weights_group + min(column, columns - 1u);
  for (var segment = 0u; segment < constants.segments; segment++) {
    let start = segment / constants.segments_per_row * constants.segment_row + segment % constants.segments_per_row * constants.segment_column;
    let end = start + constants.run;
    var input0 = input[input_place0 + start];
    var weights0 = weights[weights_place];
    var weights1 = weights[weights_place + columns];
    var weights2 = weights[weights_place + 2u * columns];
    var weights3 = weights[weights_place + 3u * columns];
    for (var k = start; k < end; k++) {
      // Share rows.
      workgroupBarrier();
      if (lane < ROW_LANES) {
        tile[lane] = input0;
      }
      workgroupBarrier();
      // Load ahead: memory is slow.
      input0 = input[input_place0 + k + 1u];
      weights_place += 4u * columns;
      let next_weights0 = weights[weights_place];
      let next_weights1 = weights[weights_place + columns];
      let next_weights2 = weights[weights_place + 2u * columns];
      let next_weights3 = weights[weights_place + 3u * columns];
      // Multiply.
      sum0 = multiply_add(sum0, tile[0u], weights0, weights1, weights2, weights3);
      sum1 = multiply_add(sum1, tile[1u], weights0, weights1, weights2, weights3);
      sum2 = multiply_add(sum2, tile[2u], weights0, weights1, weights2, weights3);
      sum3 = multiply_add(sum3, tile[3u], weights0, weights1, weights2, weights3);
      sum4 = multiply_add(sum4, tile[4u], weights0, weights1, weights2, weights3);
      sum5 = multiply_add(sum5, tile[5u], weights0, weights1, weights2, weights3);
      sum6 = multiply_add(sum6, tile[6u], weights0, weights1, weights2, weights3);
      sum7 = multiply_add(sum7, tile[7u], weights0, weights1, weights2, weights3);
      sum8 = multiply_add(sum8, tile[8u], weights0, weights1, weights2, weights3);
      sum9 = multiply_add(sum9, tile[9u], weights0, weights1, weights2, weights3);
      sum10 = multiply_add(sum10, tile[10u], weights0, weights1, weights2, weights3);
      sum11 = multiply_add(sum11, tile[11u], weights0, weights1, weights2, weights3);
      sum12 = multiply_add(sum12, tile[12u], weights0, weights1, weights2, weights3);
      sum13 = multiply_add(sum13, tile[13u], weights0, weights1, weights2, weights3);
      sum14 = multiply_add(sum14, tile[14u], weights0, weights1, weights2, weights3);
      sum15 = multiply_add(sum15, tile[15u], weights0, weights1, weights2, weights3);
      weights0 = next_weights0;
      weights1 = next_weights1;
      weights2 = next_weights2;
      weights3 = next_weights3;
    }
  }
  // Write.
  let quad = constants.first_quad + group * columns + column;
  // Share places.
  workgroupBarrier();
  if (lane < ROW_LANES) {
    places[lane] = result_place0;
  }
  workgroupBarrier();
  finish(first_row, column, quad, sum0, places[0u]);
  finish(first_row + 1u, column, quad, sum1, places[1u]);
  finish(first_row + 2u, column, quad, sum2, places[2u]);
  finish(first_row + 3u, column, quad, sum3, places[3u]);
  finish(first_row + 4u, column, quad, sum4, places[4u]);
  finish(first_row + 5u, column, quad, sum5, places[5u]);
  finish(first_row + 6u, column, quad, sum6, places[6u]);
  finish(first_row + 7u, column, quad, sum7, places[7u]);
  finish(first_row + 8u, column, quad, sum8, places[8u]);
  finish(first_row + 9u, column, quad, sum9, places[9u]);
  finish(first_row + 10u, column, quad, sum10, places[10u]);
  finish(first_row + 11u, column, quad, sum11, places[11u]);
  finish(first_row + 12u, column, quad, sum12, places[12u]);
  finish(first_row + 13u, column, quad, sum13, places[13u]);
  finish(first_row + 14u, column, quad, sum14, places[14u]);
  finish(first_row + 15u, column, quad, sum15, places[15u]);
  let part = first_row / 16u;
  if (count > 0.0) {
    let place = part * constants.partial_quads + quad;
    partial[3u * place] = near;
    partial[3u * place + 1u] = rest / count;
    partial[3u * place + 2u] = relu(squares - rest * rest / count);
  }
}
