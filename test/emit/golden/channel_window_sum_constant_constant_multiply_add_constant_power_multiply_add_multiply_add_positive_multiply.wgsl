// Sum over a window of neighbouring channels.

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
}

struct Constants {

  pixels: u32,
  width: u32,
  quads: u32,
  y_image: u32,
  y_row: u32,
  y_column: u32,
  y_base: u32,
  e1_image: u32,
  e1_row: u32,
  e1_column: u32,
  e1_base: u32,
  e2_image: u32,
  e2_row: u32,
  e2_column: u32,
  e2_base: u32,
  e3_image: u32,
  e3_row: u32,
  e3_column: u32,
  e3_base: u32,
  window_channels: u32,
  before: u32,
  after: u32,
  a_image: u32,
  a_row: u32,
  a_column: u32,
  a_base: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> e1: array<vec4f>;
@group(0) @binding(5) var<storage, read> e2: array<vec4f>;
@group(0) @binding(6) var<storage, read> e3: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * 64u + lane;
  let pixel = thread / constants.quads;
  let quad = thread % constants.quads;
  if (pixel >= frame.batch * constants.pixels) {
    return;
  }
  let image = pixel / constants.pixels;
  let y = pixel % constants.pixels / constants.width;
  let x = pixel % constants.width;
  let y_place = constants.y_base + image * constants.y_image + y * constants.y_row + x * constants.y_column;
  let e1_place = constants.e1_base + image * constants.e1_image + y * constants.e1_row + x * constants.e1_column;
  let e2_place = constants.e2_base + image * constants.e2_image + y * constants.e2_row + x * constants.e2_column;
  let e3_place = constants.e3_base + image * constants.e3_image + y * constants.e3_row + x * constants.e3_column;
  let first = 4u * quad;
  let start = 4u * (constants.a_base + image * constants.a_image + y * constants.a_row + x * constants.a_column);
  let lanes = vec4i(i32(first)) + vec4i(0, 1, 2, 3);
  var value = vec4f(0);
  let low = u32(max(i32(first) - i32(constants.before), 0));
  let high = min(first + 4u + constants.after, constants.window_channels);
  for (var c = low; c < high; c++) {
    let element = a[start + c];
    let distance = vec4i(i32(c)) - lanes;
    let inside = (distance >= vec4i(-i32(constants.before))) & (distance <= vec4i(i32(constants.after)));
    value += select(vec4f(0), vec4f(element), inside);
  }
  result[y_place + quad] = select(vec4f(0), ((e2[e2_place + quad] * pow((vec4f(2.0) + (vec4f(0.00002) * e3[e3_place + quad])), vec4f(-0.75))) + (value * (e1[e1_place + quad] + e1[e1_place + quad]))), e1[e1_place + quad] > vec4f(0));
}
