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
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read> weights: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

const BLOCK_ROWS = 32u;
const COLUMN_LANES = 32u;
const ROW_LANES = 32u;
var<workgroup> tile: array<vec4f, 32>;
var<workgroup> places: array<u32, 192>;

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
    result[result_place + quad] = sum;
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
  var sum16 = vec4f(0);
  var sum17 = vec4f(0);
  var sum18 = vec4f(0);
  var sum19 = vec4f(0);
  var sum20 = vec4f(0);
  var sum21 = vec4f(0);
  var sum22 = vec4f(0);
  var sum23 = vec4f(0);
  var sum24 = vec4f(0);
  var sum25 = vec4f(0);
  var sum26 = vec4f(0);
  var sum27 = vec4f(0);
  var sum28 = vec4f(0);
  var sum29 = vec4f(0);
  var sum30 = vec4f(0);
  var sum31 = vec4f(0);
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
      sum16 = multiply_add(sum16, tile[16u], weights0, weights1, weights2, weights3);
      sum17 = multiply_add(sum17, tile[17u], weights0, weights1, weights2, weights3);
      sum18 = multiply_add(sum18, tile[18u], weights0, weights1, weights2, weights3);
      sum19 = multiply_add(sum19, tile[19u], weights0, weights1, weights2, weights3);
      sum20 = multiply_add(sum20, tile[20u], weights0, weights1, weights2, weights3);
      sum21 = multiply_add(sum21, tile[21u], weights0, weights1, weights2, weights3);
      sum22 = multiply_add(sum22, tile[22u], weights0, weights1, weights2, weights3);
      sum23 = multiply_add(sum23, tile[23u], weights0, weights1, weights2, weights3);
      sum24 = multiply_add(sum24, tile[24u], weights0, weights1, weights2, weights3);
      sum25 = multiply_add(sum25, tile[25u], weights0, weights1, weights2, weights3);
      sum26 = multiply_add(sum26, tile[26u], weights0, weights1, weights2, weights3);
      sum27 = multiply_add(sum27, tile[27u], weights0, weights1, weights2, weights3);
      sum28 = multiply_add(sum28, tile[28u], weights0, weights1, weights2, weights3);
      sum29 = multiply_add(sum29, tile[29u], weights0, weights1, weights2, weights3);
      sum30 = multiply_add(sum30, tile[30u], weights0, weights1, weights2, weights3);
      sum31 = multiply_add(sum31, tile[31u], weights0, weights1, weights2, weights3);
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
  finish(first_row + 16u, column, quad, sum16, places[16u]);
  finish(first_row + 17u, column, quad, sum17, places[17u]);
  finish(first_row + 18u, column, quad, sum18, places[18u]);
  finish(first_row + 19u, column, quad, sum19, places[19u]);
  finish(first_row + 20u, column, quad, sum20, places[20u]);
  finish(first_row + 21u, column, quad, sum21, places[21u]);
  finish(first_row + 22u, column, quad, sum22, places[22u]);
  finish(first_row + 23u, column, quad, sum23, places[23u]);
  finish(first_row + 24u, column, quad, sum24, places[24u]);
  finish(first_row + 25u, column, quad, sum25, places[25u]);
  finish(first_row + 26u, column, quad, sum26, places[26u]);
  finish(first_row + 27u, column, quad, sum27, places[27u]);
  finish(first_row + 28u, column, quad, sum28, places[28u]);
  finish(first_row + 29u, column, quad, sum29, places[29u]);
  finish(first_row + 30u, column, quad, sum30, places[30u]);
  finish(first_row + 31u, column, quad, sum31, places[31u]);
}
