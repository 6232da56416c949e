// Contraction: rows are features, columns images, K output channels.
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

  features: u32,
  quads: u32,
  pixels: u32,
  width: u32,
  run: u32,
  b_image: u32,
  b_base: u32,
  y_image: u32,
  y_row: u32,
  y_column: u32,
  y_base: u32,
  e1_image: u32,
  e1_row: u32,
  e1_column: u32,
  e1_base: u32,
  channels: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> e1: array<vec4f>;

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
fn finish(image: u32, feature_quad: u32, sum: vec4f) {
  if (image >= frame.batch || 4u * feature_quad >= constants.features) {
    return;
  }
  let quad = feature_quad % constants.quads;
  let place = feature_quad / constants.quads;
  let pixel = image * constants.pixels + place;
  let y = place / constants.width;
  let x = place % constants.width;
  let y_place = constants.y_base + image * constants.y_image + y * constants.y_row + x * constants.y_column;
  let e1_place = constants.e1_base + image * constants.e1_image + y * constants.e1_row + x * constants.e1_column;
  let value = sum + result[y_place + quad];
  result[y_place + quad] = select(vec4f(0), (value * keep((frame.first_image * constants.pixels + pixel) * constants.channels + 4u * quad, 0.5, 1u)), e1[e1_place + quad] > vec4f(0));
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
  let first_row = plane * 16u;
  let image = block * 4u + lane;
  let row_lane = subgroup_lane % 4u;
  let a_place0 = min(first_row + 0u + row_lane, constants.features - 1u) * constants.run;
  let a_place1 = min(first_row + 4u + row_lane, constants.features - 1u) * constants.run;
  let a_place2 = min(first_row + 8u + row_lane, constants.features - 1u) * constants.run;
  let a_place3 = min(first_row + 12u + row_lane, constants.features - 1u) * constants.run;
  let b_place = constants.b_base + min(image, frame.batch - 1u) * constants.b_image;
  var c0 = 0f;
  var c1 = 0f;
  var c2 = 0f;
  var c3 = 0f;
  var c4 = 0f;
  var c5 = 0f;
  var c6 = 0f;
  var c7 = 0f;
  var c8 = 0f;
  var c9 = 0f;
  var c10 = 0f;
  var c11 = 0f;
  var c12 = 0f;
  var c13 = 0f;
  var c14 = 0f;
  var c15 = 0f;
  let run = constants.run;
  for (var k = 0u; k < run; k++) {
    let a0 = a[a_place0 + k];
    let a1 = a[a_place1 + k];
    let a2 = a[a_place2 + k];
    let a3 = a[a_place3 + k];

    let b0 = b[b_place + k];
    c0 = fma(subgroupBroadcast(a0.x, 0u), b0.x, c0); c0 = fma(subgroupBroadcast(a0.y, 0u), b0.y, c0); c0 = fma(subgroupBroadcast(a0.z, 0u), b0.z, c0); c0 = fma(subgroupBroadcast(a0.w, 0u), b0.w, c0);
    c1 = fma(subgroupBroadcast(a0.x, 1u), b0.x, c1); c1 = fma(subgroupBroadcast(a0.y, 1u), b0.y, c1); c1 = fma(subgroupBroadcast(a0.z, 1u), b0.z, c1); c1 = fma(subgroupBroadcast(a0.w, 1u), b0.w, c1);
    c2 = fma(subgroupBroadcast(a0.x, 2u), b0.x, c2); c2 = fma(subgroupBroadcast(a0.y, 2u), b0.y, c2); c2 = fma(subgroupBroadcast(a0.z, 2u), b0.z, c2); c2 = fma(subgroupBroadcast(a0.w, 2u), b0.w, c2);
    c3 = fma(subgroupBroadcast(a0.x, 3u), b0.x, c3); c3 = fma(subgroupBroadcast(a0.y, 3u), b0.y, c3); c3 = fma(subgroupBroadcast(a0.z, 3u), b0.z, c3); c3 = fma(subgroupBroadcast(a0.w, 3u), b0.w, c3);
    c4 = fma(subgroupBroadcast(a1.x, 0u), b0.x, c4); c4 = fma(subgroupBroadcast(a1.y, 0u), b0.y, c4); c4 = fma(subgroupBroadcast(a1.z, 0u), b0.z, c4); c4 = fma(subgroupBroadcast(a1.w, 0u), b0.w, c4);
    c5 = fma(subgroupBroadcast(a1.x, 1u), b0.x, c5); c5 = fma(subgroupBroadcast(a1.y, 1u), b0.y, c5); c5 = fma(subgroupBroadcast(a1.z, 1u), b0.z, c5); c5 = fma(subgroupBroadcast(a1.w, 1u), b0.w, c5);
    c6 = fma(subgroupBroadcast(a1.x, 2u), b0.x, c6); c6 = fma(subgroupBroadcast(a1.y, 2u), b0.y, c6); c6 = fma(subgroupBroadcast(a1.z, 2u), b0.z, c6); c6 = fma(subgroupBroadcast(a1.w, 2u), b0.w, c6);
    c7 = fma(subgroupBroadcast(a1.x, 3u), b0.x, c7); c7 = fma(subgroupBroadcast(a1.y, 3u), b0.y, c7); c7 = fma(subgroupBroadcast(a1.z, 3u), b0.z, c7); c7 = fma(subgroupBroadcast(a1.w, 3u), b0.w, c7);
    c8 = fma(subgroupBroadcast(a2.x, 0u), b0.x, c8); c8 = fma(subgroupBroadcast(a2.y, 0u), b0.y, c8); c8 = fma(subgroupBroadcast(a2.z, 0u), b0.z, c8); c8 = fma(subgroupBroadcast(a2.w, 0u), b0.w, c8);
    c9 = fma(subgroupBroadcast(a2.x, 1u), b0.x, c9); c9 = fma(subgroupBroadcast(a2.y, 1u), b0.y, c9); c9 = fma(subgroupBroadcast(a2.z, 1u), b0.z, c9); c9 = fma(subgroupBroadcast(a2.w, 1u), b0.w, c9);
    c10 = fma(subgroupBroadcast(a2.x, 2u), b0.x, c10); c10 = fma(subgroupBroadcast(a2.y, 2u), b0.y, c10); c10 = fma(subgroupBroadcast(a2.z, 2u), b0.z, c10); c10 = fma(subgroupBroadcast(a2.w, 2u), b0.w, c10);
    c11 = fma(subgroupBroadcast(a2.x, 3u), b0.x, c11); c11 = fma(subgroupBroadcast(a2.y, 3u), b0.y, c11); c11 = fma(subgroupBroadcast(a2.z, 3u), b0.z, c11); c11 = fma(subgroupBroadcast(a2.w, 3u), b0.w, c11);
    c12 = fma(subgroupBroadcast(a3.x, 0u), b0.x, c12); c12 = fma(subgroupBroadcast(a3.y, 0u), b0.y, c12); c12 = fma(subgroupBroadcast(a3.z, 0u), b0.z, c12); c12 = fma(subgroupBroadcast(a3.w, 0u), b0.w, c12);
    c13 = fma(subgroupBroadcast(a3.x, 1u), b0.x, c13); c13 = fma(subgroupBroadcast(a3.y, 1u), b0.y, c13); c13 = fma(subgroupBroadcast(a3.z, 1u), b0.z, c13); c13 = fma(subgroupBroadcast(a3.w, 1u), b0.w, c13);
    c14 = fma(subgroupBroadcast(a3.x, 2u), b0.x, c14); c14 = fma(subgroupBroadcast(a3.y, 2u), b0.y, c14); c14 = fma(subgroupBroadcast(a3.z, 2u), b0.z, c14); c14 = fma(subgroupBroadcast(a3.w, 2u), b0.w, c14);
    c15 = fma(subgroupBroadcast(a3.x, 3u), b0.x, c15); c15 = fma(subgroupBroadcast(a3.y, 3u), b0.y, c15); c15 = fma(subgroupBroadcast(a3.z, 3u), b0.z, c15); c15 = fma(subgroupBroadcast(a3.w, 3u), b0.w, c15);
  }
  var sums = array<vec4f, 4>(vec4f(c0, c1, c2, c3), vec4f(c4, c5, c6, c7), vec4f(c8, c9, c10, c11), vec4f(c12, c13, c14, c15));
  for (var row = 0u; row != 4u && first_row + 4u * row < constants.features; row++) {
    finish(image, first_row / 4u + row, sums[row]);
  }
}
