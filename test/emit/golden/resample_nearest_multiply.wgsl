// An image in another size: the nearest pixels.

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

fn nearest_of(index: u32, size: u32, count: u32) -> u32 {
  return index * size / count;
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
  let row = nearest_of(y, constants.input_height, constants.output_height);
  let column = nearest_of(x, constants.input_width, constants.output_width);
  let value = a[constants.a_base + image * constants.a_image + row * constants.a_row + column * constants.a_column + quad];
  result[y_place + quad] = (value * e1[e1_place + quad]);
}
