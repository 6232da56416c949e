// An image in another size, gradient: a pixel gathers from those that are its copies.

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
  a_image: u32,
  a_row: u32,
  a_column: u32,
  a_base: u32,
  input_height: u32,
  input_width: u32,
  output_height: u32,
  output_width: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> e1: array<vec4f>;

fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(-0x800000)));
}
fn first_nearest(index: u32, size: u32, count: u32) -> u32 {
  return (index * count + size - 1u) / size;
}

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
  let first_y = first_nearest(y, constants.input_height, constants.output_height);
  let end_y = first_nearest(y + 1u, constants.input_height, constants.output_height);
  let first_x = first_nearest(x, constants.input_width, constants.output_width);
  let end_x = first_nearest(x + 1u, constants.input_width, constants.output_width);
  var value = vec4f(0);
  for (var oy = first_y; oy < end_y; oy++) {
    for (var ox = first_x; ox < end_x; ox++) {
      value += a[constants.a_base + image * constants.a_image + oy * constants.a_row + ox * constants.a_column + quad];
    }
  }
  result[y_place + quad] = (vec4f(0.16666666666666666) * (value * select(vec4f(0), select(vec4f(0), vec4f(1), (e1[e1_place + quad] + vec4f(3.0)) > vec4f(0)), (vec4f(6.0) - relu((e1[e1_place + quad] + vec4f(3.0)))) > vec4f(0))));
}
