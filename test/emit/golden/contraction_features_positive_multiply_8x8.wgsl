// Contraction: rows are features, columns images, K output channels.
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
  result: Place,
  operand1: Place,
  features: u32,
  quads: u32,
  pixels: u32,
  width: u32,
  run: u32,
  gradient_image: u32,
  gradient_base: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> operand1: array<vec4f>;

const BLOCK_ROWS = 8u;
const COLUMN_LANES = 8u;
const ROW_LANES = 8u;

fn multiply_add(sum: f32, row: vec4f, column: vec4f) -> f32 {
  let first = fma(row.x, column.x, sum);
  let second = fma(row.y, column.y, first);
  let third = fma(row.z, column.z, second);
  return fma(row.w, column.w, third);
}

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

fn finish(image: u32, feature_quad: u32, sum: vec4f) {
  if (image >= frame.batch || 4u * feature_quad >= constants.features) {
    return;
  }
  let quad = feature_quad % constants.quads;
  let place = feature_quad / constants.quads;
  let pixel = image * constants.pixels + place;
  let y = place / constants.width;
  let x = place % constants.width;
  let result_place = place_of(constants.result, image, y, x);
  let operand1_place = place_of(constants.operand1, image, y, x);
  let value = sum;
  result[result_place + quad] = select(vec4f(0), value, operand1[operand1_place + quad] > vec4f(0));
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
  // The lane's part.
  let first_row = plane * BLOCK_ROWS;
  let image = block * COLUMN_LANES + lane;
  let row_lane = subgroup_lane % ROW_LANES;
  let weights_place0 = min(first_row + row_lane, constants.features - 1u) * constants.run;
  let gradient_place = constants.gradient_base + min(image, frame.batch - 1u) * constants.gradient_image;
  var sum0 = 0f;
  var sum1 = 0f;
  var sum2 = 0f;
  var sum3 = 0f;
  var sum4 = 0f;
  var sum5 = 0f;
  var sum6 = 0f;
  var sum7 = 0f;
  let run = constants.run;
  for (var k = 0u; k < run; k++) {
    let weights0 = weights[weights_place0 + k];
    let gradient0 = gradient[gradient_place + k];
    // Multiply.
    sum0 = multiply_add(sum0, vec4f(subgroupBroadcast(weights0.x, 0u), subgroupBroadcast(weights0.y, 0u), subgroupBroadcast(weights0.z, 0u), subgroupBroadcast(weights0.w, 0u)), gradient0);
    sum1 = multiply_add(sum1, vec4f(subgroupBroadcast(weights0.x, 1u), subgroupBroadcast(weights0.y, 1u), subgroupBroadcast(weights0.z, 1u), subgroupBroadcast(weights0.w, 1u)), gradient0);
    sum2 = multiply_add(sum2, vec4f(subgroupBroadcast(weights0.x, 2u), subgroupBroadcast(weights0.y, 2u), subgroupBroadcast(weights0.z, 2u), subgroupBroadcast(weights0.w, 2u)), gradient0);
    sum3 = multiply_add(sum3, vec4f(subgroupBroadcast(weights0.x, 3u), subgroupBroadcast(weights0.y, 3u), subgroupBroadcast(weights0.z, 3u), subgroupBroadcast(weights0.w, 3u)), gradient0);
    sum4 = multiply_add(sum4, vec4f(subgroupBroadcast(weights0.x, 4u), subgroupBroadcast(weights0.y, 4u), subgroupBroadcast(weights0.z, 4u), subgroupBroadcast(weights0.w, 4u)), gradient0);
    sum5 = multiply_add(sum5, vec4f(subgroupBroadcast(weights0.x, 5u), subgroupBroadcast(weights0.y, 5u), subgroupBroadcast(weights0.z, 5u), subgroupBroadcast(weights0.w, 5u)), gradient0);
    sum6 = multiply_add(sum6, vec4f(subgroupBroadcast(weights0.x, 6u), subgroupBroadcast(weights0.y, 6u), subgroupBroadcast(weights0.z, 6u), subgroupBroadcast(weights0.w, 6u)), gradient0);
    sum7 = multiply_add(sum7, vec4f(subgroupBroadcast(weights0.x, 7u), subgroupBroadcast(weights0.y, 7u), subgroupBroadcast(weights0.z, 7u), subgroupBroadcast(weights0.w, 7u)), gradient0);
  }
  // Write.
  var sums = array<vec4f, 2>(vec4f(sum0, sum1, sum2, sum3), vec4f(sum4, sum5, sum6, sum7));
  for (var row = 0u; row != 2u && first_row + 4u * row < constants.features; row++) {
    finish(image, first_row / 4u + row, sums[row]);
  }
}
