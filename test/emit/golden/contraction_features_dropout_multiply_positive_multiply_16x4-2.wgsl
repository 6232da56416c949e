// Contraction: rows are features, columns images, K output channels.
enable subgroups;

struct Frame {
  batch: u32,
  first_image: u32,
  step_images: u32,
  step: u32,
  seed: u32,
  training: u32,
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
  channels: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> operand1: array<vec4f>;

const BLOCK_ROWS = 16u;
const COLUMN_LANES = 4u;
const ROW_LANES = 4u;

fn rotate(word: u32, count: u32) -> u32 {
  return (word << count) | (word >> (32u - count));
}

fn four_rounds(state: vec2u, rotations: vec4u) -> vec2u {
  var x = state.x + state.y;
  var y = rotate(state.y, rotations.x) ^ x;
  x += y;
  y = rotate(y, rotations.y) ^ x;
  x += y;
  y = rotate(y, rotations.z) ^ x;
  x += y;
  y = rotate(y, rotations.w) ^ x;
  return vec2u(x, y);
}

fn threefry(key: vec2u, counter: vec2u) -> vec2u {
  const even = vec4u(13u, 15u, 26u, 6u);
  const odd = vec4u(17u, 29u, 16u, 24u);
  let parity = key.x ^ key.y ^ 0x1bd11bdau;
  var state = four_rounds(counter + key, even) + vec2u(key.y, parity + 1u);
  state = four_rounds(state, odd) + vec2u(parity, key.x + 2u);
  state = four_rounds(state, even) + vec2u(key.x, key.y + 3u);
  state = four_rounds(state, odd) + vec2u(key.y, parity + 4u);
  return four_rounds(state, even) + vec2u(parity, key.x + 5u);
}

// Exactly representable numbers in [0, 1).
fn to_unit(word: u32) -> f32 {
  return f32(word >> 8u) / 16777216.0;
}

fn keep(counter: u32, rate: f32, stream: u32) -> vec4f {
  let key = vec2u(frame.seed, stream);
  let units = vec4f(
    to_unit(threefry(key, vec2u(counter, frame.step)).x),
    to_unit(threefry(key, vec2u(counter + 1u, frame.step)).x),
    to_unit(threefry(key, vec2u(counter + 2u, frame.step)).x),
    to_unit(threefry(key, vec2u(counter + 3u, frame.step)).x),
  );
  let scaled = select(vec4f(0), vec4f(1.0 / (1.0 - rate)), units >= vec4f(rate));
  return select(vec4f(1), scaled, frame.training != 0u);
}

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
  result[result_place + quad] = select(vec4f(0), value * keep((frame.first_image * constants.pixels + pixel) * constants.channels + 4u * quad, 0.2, 1u), operand1[operand1_place + quad] > vec4f(0));
}

@compute @workgroup_size(4)
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
  let weights_place1 = min(first_row + row_lane + 4u, constants.features - 1u) * constants.run;
  let weights_place2 = min(first_row + row_lane + 8u, constants.features - 1u) * constants.run;
  let weights_place3 = min(first_row + row_lane + 12u, constants.features - 1u) * constants.run;
  let gradient_place = constants.gradient_base + min(image, frame.batch - 1u) * constants.gradient_image;
  var sum0 = 0f;
  var sum1 = 0f;
  var sum2 = 0f;
  var sum3 = 0f;
  var sum4 = 0f;
  var sum5 = 0f;
  var sum6 = 0f;
  var sum7 = 0f;
  var sum8 = 0f;
  var sum9 = 0f;
  var sum10 = 0f;
  var sum11 = 0f;
  var sum12 = 0f;
  var sum13 = 0f;
  var sum14 = 0f;
  var sum15 = 0f;
  let run = constants.run;
  for (var k = 0u; k < run; k++) {
    let weights0 = weights[weights_place0 + k];
    let weights1 = weights[weights_place1 + k];
    let weights2 = weights[weights_place2 + k];
    let weights3 = weights[weights_place3 + k];
    let gradient0 = gradient[gradient_place + k];
    // Multiply.
    sum0 = multiply_add(sum0, vec4f(subgroupBroadcast(weights0.x, 0u), subgroupBroadcast(weights0.y, 0u), subgroupBroadcast(weights0.z, 0u), subgroupBroadcast(weights0.w, 0u)), gradient0);
    sum1 = multiply_add(sum1, vec4f(subgroupBroadcast(weights0.x, 1u), subgroupBroadcast(weights0.y, 1u), subgroupBroadcast(weights0.z, 1u), subgroupBroadcast(weights0.w, 1u)), gradient0);
    sum2 = multiply_add(sum2, vec4f(subgroupBroadcast(weights0.x, 2u), subgroupBroadcast(weights0.y, 2u), subgroupBroadcast(weights0.z, 2u), subgroupBroadcast(weights0.w, 2u)), gradient0);
    sum3 = multiply_add(sum3, vec4f(subgroupBroadcast(weights0.x, 3u), subgroupBroadcast(weights0.y, 3u), subgroupBroadcast(weights0.z, 3u), subgroupBroadcast(weights0.w, 3u)), gradient0);
    sum4 = multiply_add(sum4, vec4f(subgroupBroadcast(weights1.x, 0u), subgroupBroadcast(weights1.y, 0u), subgroupBroadcast(weights1.z, 0u), subgroupBroadcast(weights1.w, 0u)), gradient0);
    sum5 = multiply_add(sum5, vec4f(subgroupBroadcast(weights1.x, 1u), subgroupBroadcast(weights1.y, 1u), subgroupBroadcast(weights1.z, 1u), subgroupBroadcast(weights1.w, 1u)), gradient0);
    sum6 = multiply_add(sum6, vec4f(subgroupBroadcast(weights1.x, 2u), subgroupBroadcast(weights1.y, 2u), subgroupBroadcast(weights1.z, 2u), subgroupBroadcast(weights1.w, 2u)), gradient0);
    sum7 = multiply_add(sum7, vec4f(subgroupBroadcast(weights1.x, 3u), subgroupBroadcast(weights1.y, 3u), subgroupBroadcast(weights1.z, 3u), subgroupBroadcast(weights1.w, 3u)), gradient0);
    sum8 = multiply_add(sum8, vec4f(subgroupBroadcast(weights2.x, 0u), subgroupBroadcast(weights2.y, 0u), subgroupBroadcast(weights2.z, 0u), subgroupBroadcast(weights2.w, 0u)), gradient0);
    sum9 = multiply_add(sum9, vec4f(subgroupBroadcast(weights2.x, 1u), subgroupBroadcast(weights2.y, 1u), subgroupBroadcast(weights2.z, 1u), subgroupBroadcast(weights2.w, 1u)), gradient0);
    sum10 = multiply_add(sum10, vec4f(subgroupBroadcast(weights2.x, 2u), subgroupBroadcast(weights2.y, 2u), subgroupBroadcast(weights2.z, 2u), subgroupBroadcast(weights2.w, 2u)), gradient0);
    sum11 = multiply_add(sum11, vec4f(subgroupBroadcast(weights2.x, 3u), subgroupBroadcast(weights2.y, 3u), subgroupBroadcast(weights2.z, 3u), subgroupBroadcast(weights2.w, 3u)), gradient0);
    sum12 = multiply_add(sum12, vec4f(subgroupBroadcast(weights3.x, 0u), subgroupBroadcast(weights3.y, 0u), subgroupBroadcast(weights3.z, 0u), subgroupBroadcast(weights3.w, 0u)), gradient0);
    sum13 = multiply_add(sum13, vec4f(subgroupBroadcast(weights3.x, 1u), subgroupBroadcast(weights3.y, 1u), subgroupBroadcast(weights3.z, 1u), subgroupBroadcast(weights3.w, 1u)), gradient0);
    sum14 = multiply_add(sum14, vec4f(subgroupBroadcast(weights3.x, 2u), subgroupBroadcast(weights3.y, 2u), subgroupBroadcast(weights3.z, 2u), subgroupBroadcast(weights3.w, 2u)), gradient0);
    sum15 = multiply_add(sum15, vec4f(subgroupBroadcast(weights3.x, 3u), subgroupBroadcast(weights3.y, 3u), subgroupBroadcast(weights3.z, 3u), subgroupBroadcast(weights3.w, 3u)), gradient0);
  }
  // Write.
  var sums = array<vec4f, 4>(vec4f(sum0, sum1, sum2, sum3), vec4f(sum4, sum5, sum6, sum7), vec4f(sum8, sum9, sum10, sum11), vec4f(sum12, sum13, sum14, sum15));
  for (var row = 0u; row != 4u && first_row + 4u * row < constants.features; row++) {
    finish(image, first_row / 4u + row, sums[row]);
  }
}
