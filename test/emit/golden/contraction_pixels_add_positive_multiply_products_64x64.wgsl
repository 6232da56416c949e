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
  operand1: Place,
  operand2: Place,
  normalized: Place,
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
@group(0) @binding(5) var<storage, read> operand1: array<vec4f>;
@group(0) @binding(6) var<storage, read> operand2: array<vec4f>;
@group(0) @binding(7) var<storage, read> normalized: array<vec4f>;
@group(0) @binding(8) var<storage, read> mean: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> partial: array<vec4f>;

const BLOCK_ROWS = 64u;
const COLUMN_LANES = 16u;
const ROW_LANES = 32u;
const LANE_ROWS = 32u;
var<workgroup> tile: array<vec4f, 64>;
var<workgroup> places: array<u32, 384>;
var<private> count: f32;
var<private> gradients: vec4f;
var<private> products: vec4f;

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

fn multiply_add(sum: vec4f, row: vec4f, weights0: vec4f, weights1: vec4f, weights2: vec4f, weights3: vec4f) -> vec4f {
  let first = fma(vec4f(row.x), weights0, sum);
  let second = fma(vec4f(row.y), weights1, first);
  let third = fma(vec4f(row.z), weights2, second);
  return fma(vec4f(row.w), weights3, third);
}

fn finish(row: u32, column: u32, quad: u32, sum: vec4f, result_place: u32, operand1_place: u32, operand2_place: u32, normalized_place: u32) {
  if (row < frame.batch * constants.pixels && column < constants.columns) {
    let made = select(vec4f(0), sum + operand1[operand1_place + quad], operand2[operand2_place + quad] > vec4f(0));
    result[result_place + quad] = made;
    gradients += made;
    products = fma(made, normalized[normalized_place + quad] - mean[quad], products);
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
  let column = plane % constants.column_blocks * COLUMN_LANES + lane % COLUMN_LANES;
  let row_lane = lane % ROW_LANES;
  let own_row = lane / COLUMN_LANES * LANE_ROWS;
  let row0 = min(first_row + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let input_place0 = place_of(constants.input, image0, y0, x0) + group * constants.input_group;
  let result_place0 = place_of(constants.result, image0, y0, x0);
  let operand1_place0 = place_of(constants.operand1, image0, y0, x0);
  let operand2_place0 = place_of(constants.operand2, image0, y0, x0);
  let normalized_place0 = place_of(constants.normalized, image0, y0, x0);
  let row1 = min(first_row + row_lane + 32u, rows - 1u);
  let image1 = row1 / constants.pixels;
  let y1 = row1 % constants.pixels / constants.width;
  let x1 = row1 % constants.width;
  let input_place1 = place_of(constants.input, image1, y1, x1) + group * constants.input_group;
  let result_place1 = place_of(constants.result, image1, y1, x1);
  let operand1_place1 = place_of(constants.operand1, image1, y1, x1);
  let operand2_place1 = place_of(constants.operand2, image1, y1, x1);
  let normalized_place1 = place_of(constants.normalized, image1, y1, x1);
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
    var input1 = input[input_place1 + start];
    var weights0 = weights[weights_place];
    var weights1 = weights[weights_place + columns];
    var weights2 = weights[weights_place + 2u * columns];
    var weights3 = weights[weights_place + 3u * columns];
    for (var k = start; k < end; k++) {
      // Share rows.
      workgroupBarrier();
      if (lane < ROW_LANES) {
        tile[lane] = input0;
        tile[lane + 32u] = input1;
      }
      workgroupBarrier();
      // Load ahead: memory is slow.
      input0 = input[input_place0 + k + 1u];
      input1 = input[input_place1 + k + 1u];
      weights_place += 4u * columns;
      let next_weights0 = weights[weights_place];
      let next_weights1 = weights[weights_place + columns];
      let next_weights2 = weights[weights_place + 2u * columns];
      let next_weights3 = weights[weights_place + 3u * columns];
      // Multiply.
      sum0 = multiply_add(sum0, tile[own_row], weights0, weights1, weights2, weights3);
      sum1 = multiply_add(sum1, tile[own_row + 1u], weights0, weights1, weights2, weights3);
      sum2 = multiply_add(sum2, tile[own_row + 2u], weights0, weights1, weights2, weights3);
      sum3 = multiply_add(sum3, tile[own_row + 3u], weights0, weights1, weights2, weights3);
      sum4 = multiply_add(sum4, tile[own_row + 4u], weights0, weights1, weights2, weights3);
      sum5 = multiply_add(sum5, tile[own_row + 5u], weights0, weights1, weights2, weights3);
      sum6 = multiply_add(sum6, tile[own_row + 6u], weights0, weights1, weights2, weights3);
      sum7 = multiply_add(sum7, tile[own_row + 7u], weights0, weights1, weights2, weights3);
      sum8 = multiply_add(sum8, tile[own_row + 8u], weights0, weights1, weights2, weights3);
      sum9 = multiply_add(sum9, tile[own_row + 9u], weights0, weights1, weights2, weights3);
      sum10 = multiply_add(sum10, tile[own_row + 10u], weights0, weights1, weights2, weights3);
      sum11 = multiply_add(sum11, tile[own_row + 11u], weights0, weights1, weights2, weights3);
      sum12 = multiply_add(sum12, tile[own_row + 12u], weights0, weights1, weights2, weights3);
      sum13 = multiply_add(sum13, tile[own_row + 13u], weights0, weights1, weights2, weights3);
      sum14 = multiply_add(sum14, tile[own_row + 14u], weights0, weights1, weights2, weights3);
      sum15 = multiply_add(sum15, tile[own_row + 15u], weights0, weights1, weights2, weights3);
      sum16 = multiply_add(sum16, tile[own_row + 16u], weights0, weights1, weights2, weights3);
      sum17 = multiply_add(sum17, tile[own_row + 17u], weights0, weights1, weights2, weights3);
      sum18 = multiply_add(sum18, tile[own_row + 18u], weights0, weights1, weights2, weights3);
      sum19 = multiply_add(sum19, tile[own_row + 19u], weights0, weights1, weights2, weights3);
      sum20 = multiply_add(sum20, tile[own_row + 20u], weights0, weights1, weights2, weights3);
      sum21 = multiply_add(sum21, tile[own_row + 21u], weights0, weights1, weights2, weights3);
      sum22 = multiply_add(sum22, tile[own_row + 22u], weights0, weights1, weights2, weights3);
      sum23 = multiply_add(sum23, tile[own_row + 23u], weights0, weights1, weights2, weights3);
      sum24 = multiply_add(sum24, tile[own_row + 24u], weights0, weights1, weights2, weights3);
      sum25 = multiply_add(sum25, tile[own_row + 25u], weights0, weights1, weights2, weights3);
      sum26 = multiply_add(sum26, tile[own_row + 26u], weights0, weights1, weights2, weights3);
      sum27 = multiply_add(sum27, tile[own_row + 27u], weights0, weights1, weights2, weights3);
      sum28 = multiply_add(sum28, tile[own_row + 28u], weights0, weights1, weights2, weights3);
      sum29 = multiply_add(sum29, tile[own_row + 29u], weights0, weights1, weights2, weights3);
      sum30 = multiply_add(sum30, tile[own_row + 30u], weights0, weights1, weights2, weights3);
      sum31 = multiply_add(sum31, tile[own_row + 31u], weights0, weights1, weights2, weights3);
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
    places[lane + 32u] = result_place1;
    places[lane + 64u] = operand1_place0;
    places[lane + 96u] = operand1_place1;
    places[lane + 128u] = operand2_place0;
    places[lane + 160u] = operand2_place1;
    places[lane + 192u] = normalized_place0;
    places[lane + 224u] = normalized_place1;
  }
  workgroupBarrier();
  finish(first_row + own_row, column, quad, sum0, places[own_row], places[own_row + 64u], places[own_row + 128u], places[own_row + 192u]);
  finish(first_row + own_row + 1u, column, quad, sum1, places[own_row + 1u], places[own_row + 65u], places[own_row + 129u], places[own_row + 193u]);
  finish(first_row + own_row + 2u, column, quad, sum2, places[own_row + 2u], places[own_row + 66u], places[own_row + 130u], places[own_row + 194u]);
  finish(first_row + own_row + 3u, column, quad, sum3, places[own_row + 3u], places[own_row + 67u], places[own_row + 131u], places[own_row + 195u]);
  finish(first_row + own_row + 4u, column, quad, sum4, places[own_row + 4u], places[own_row + 68u], places[own_row + 132u], places[own_row + 196u]);
  finish(first_row + own_row + 5u, column, quad, sum5, places[own_row + 5u], places[own_row + 69u], places[own_row + 133u], places[own_row + 197u]);
  finish(first_row + own_row + 6u, column, quad, sum6, places[own_row + 6u], places[own_row + 70u], places[own_row + 134u], places[own_row + 198u]);
  finish(first_row + own_row + 7u, column, quad, sum7, places[own_row + 7u], places[own_row + 71u], places[own_row + 135u], places[own_row + 199u]);
  finish(first_row + own_row + 8u, column, quad, sum8, places[own_row + 8u], places[own_row + 72u], places[own_row + 136u], places[own_row + 200u]);
  finish(first_row + own_row + 9u, column, quad, sum9, places[own_row + 9u], places[own_row + 73u], places[own_row + 137u], places[own_row + 201u]);
  finish(first_row + own_row + 10u, column, quad, sum10, places[own_row + 10u], places[own_row + 74u], places[own_row + 138u], places[own_row + 202u]);
  finish(first_row + own_row + 11u, column, quad, sum11, places[own_row + 11u], places[own_row + 75u], places[own_row + 139u], places[own_row + 203u]);
  finish(first_row + own_row + 12u, column, quad, sum12, places[own_row + 12u], places[own_row + 76u], places[own_row + 140u], places[own_row + 204u]);
  finish(first_row + own_row + 13u, column, quad, sum13, places[own_row + 13u], places[own_row + 77u], places[own_row + 141u], places[own_row + 205u]);
  finish(first_row + own_row + 14u, column, quad, sum14, places[own_row + 14u], places[own_row + 78u], places[own_row + 142u], places[own_row + 206u]);
  finish(first_row + own_row + 15u, column, quad, sum15, places[own_row + 15u], places[own_row + 79u], places[own_row + 143u], places[own_row + 207u]);
  finish(first_row + own_row + 16u, column, quad, sum16, places[own_row + 16u], places[own_row + 80u], places[own_row + 144u], places[own_row + 208u]);
  finish(first_row + own_row + 17u, column, quad, sum17, places[own_row + 17u], places[own_row + 81u], places[own_row + 145u], places[own_row + 209u]);
  finish(first_row + own_row + 18u, column, quad, sum18, places[own_row + 18u], places[own_row + 82u], places[own_row + 146u], places[own_row + 210u]);
  finish(first_row + own_row + 19u, column, quad, sum19, places[own_row + 19u], places[own_row + 83u], places[own_row + 147u], places[own_row + 211u]);
  finish(first_row + own_row + 20u, column, quad, sum20, places[own_row + 20u], places[own_row + 84u], places[own_row + 148u], places[own_row + 212u]);
  finish(first_row + own_row + 21u, column, quad, sum21, places[own_row + 21u], places[own_row + 85u], places[own_row + 149u], places[own_row + 213u]);
  finish(first_row + own_row + 22u, column, quad, sum22, places[own_row + 22u], places[own_row + 86u], places[own_row + 150u], places[own_row + 214u]);
  finish(first_row + own_row + 23u, column, quad, sum23, places[own_row + 23u], places[own_row + 87u], places[own_row + 151u], places[own_row + 215u]);
  finish(first_row + own_row + 24u, column, quad, sum24, places[own_row + 24u], places[own_row + 88u], places[own_row + 152u], places[own_row + 216u]);
  finish(first_row + own_row + 25u, column, quad, sum25, places[own_row + 25u], places[own_row + 89u], places[own_row + 153u], places[own_row + 217u]);
  finish(first_row + own_row + 26u, column, quad, sum26, places[own_row + 26u], places[own_row + 90u], places[own_row + 154u], places[own_row + 218u]);
  finish(first_row + own_row + 27u, column, quad, sum27, places[own_row + 27u], places[own_row + 91u], places[own_row + 155u], places[own_row + 219u]);
  finish(first_row + own_row + 28u, column, quad, sum28, places[own_row + 28u], places[own_row + 92u], places[own_row + 156u], places[own_row + 220u]);
  finish(first_row + own_row + 29u, column, quad, sum29, places[own_row + 29u], places[own_row + 93u], places[own_row + 157u], places[own_row + 221u]);
  finish(first_row + own_row + 30u, column, quad, sum30, places[own_row + 30u], places[own_row + 94u], places[own_row + 158u], places[own_row + 222u]);
  finish(first_row + own_row + 31u, column, quad, sum31, places[own_row + 31u], places[own_row + 95u], places[own_row + 159u], places[own_row + 223u]);
  let part = (first_row + own_row) / 32u;
  if (count > 0.0) {
    let place = part * constants.partial_quads + quad;
    partial[2u * place] = gradients;
    partial[2u * place + 1u] = products;
  }
}
