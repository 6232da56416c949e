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
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> e1: array<vec4f>;

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
  let value = sum;
  result[y_place + quad] = select(vec4f(0), value, e1[e1_place + quad] > vec4f(0));
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
  let first_row = plane * 8u;
  let image = block * 8u + lane;
  let row_lane = subgroup_lane % 8u;
  let a_place0 = min(first_row + 0u + row_lane, constants.features - 1u) * constants.run;
  let b_place = constants.b_base + min(image, frame.batch - 1u) * constants.b_image;
  var c0 = 0f;
  var c1 = 0f;
  var c2 = 0f;
  var c3 = 0f;
  var c4 = 0f;
  var c5 = 0f;
  var c6 = 0f;
  var c7 = 0f;
  let run = constants.run;
  for (var k = 0u; k < run; k++) {
    let a0 = a[a_place0 + k];

    let b0 = b[b_place + k];
    c0 = fma(subgroupBroadcast(a0.x, 0u), b0.x, c0); c0 = fma(subgroupBroadcast(a0.y, 0u), b0.y, c0); c0 = fma(subgroupBroadcast(a0.z, 0u), b0.z, c0); c0 = fma(subgroupBroadcast(a0.w, 0u), b0.w, c0);
    c1 = fma(subgroupBroadcast(a0.x, 1u), b0.x, c1); c1 = fma(subgroupBroadcast(a0.y, 1u), b0.y, c1); c1 = fma(subgroupBroadcast(a0.z, 1u), b0.z, c1); c1 = fma(subgroupBroadcast(a0.w, 1u), b0.w, c1);
    c2 = fma(subgroupBroadcast(a0.x, 2u), b0.x, c2); c2 = fma(subgroupBroadcast(a0.y, 2u), b0.y, c2); c2 = fma(subgroupBroadcast(a0.z, 2u), b0.z, c2); c2 = fma(subgroupBroadcast(a0.w, 2u), b0.w, c2);
    c3 = fma(subgroupBroadcast(a0.x, 3u), b0.x, c3); c3 = fma(subgroupBroadcast(a0.y, 3u), b0.y, c3); c3 = fma(subgroupBroadcast(a0.z, 3u), b0.z, c3); c3 = fma(subgroupBroadcast(a0.w, 3u), b0.w, c3);
    c4 = fma(subgroupBroadcast(a0.x, 4u), b0.x, c4); c4 = fma(subgroupBroadcast(a0.y, 4u), b0.y, c4); c4 = fma(subgroupBroadcast(a0.z, 4u), b0.z, c4); c4 = fma(subgroupBroadcast(a0.w, 4u), b0.w, c4);
    c5 = fma(subgroupBroadcast(a0.x, 5u), b0.x, c5); c5 = fma(subgroupBroadcast(a0.y, 5u), b0.y, c5); c5 = fma(subgroupBroadcast(a0.z, 5u), b0.z, c5); c5 = fma(subgroupBroadcast(a0.w, 5u), b0.w, c5);
    c6 = fma(subgroupBroadcast(a0.x, 6u), b0.x, c6); c6 = fma(subgroupBroadcast(a0.y, 6u), b0.y, c6); c6 = fma(subgroupBroadcast(a0.z, 6u), b0.z, c6); c6 = fma(subgroupBroadcast(a0.w, 6u), b0.w, c6);
    c7 = fma(subgroupBroadcast(a0.x, 7u), b0.x, c7); c7 = fma(subgroupBroadcast(a0.y, 7u), b0.y, c7); c7 = fma(subgroupBroadcast(a0.z, 7u), b0.z, c7); c7 = fma(subgroupBroadcast(a0.w, 7u), b0.w, c7);
  }
  var sums = array<vec4f, 2>(vec4f(c0, c1, c2, c3), vec4f(c4, c5, c6, c7));
  for (var row = 0u; row != 2u && first_row + 4u * row < constants.features; row++) {
    finish(image, first_row / 4u + row, sums[row]);
  }
}
