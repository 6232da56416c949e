// Pointwise: one expression for each element.

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

  height: u32,
  width: u32,
  quads: u32,
  y_image: u32,
  y_row: u32,
  y_column: u32,
  y_base: u32,
  a_image: u32,
  a_row: u32,
  a_column: u32,
  a_base: u32,
  e1_image: u32,
  e1_row: u32,
  e1_column: u32,
  e1_base: u32,
  partial_quads: u32,
  input_image: u32,
  input_row: u32,
  input_column: u32,
  input_base: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> e1: array<vec4f>;
@group(0) @binding(5) var<storage, read> input: array<vec4f>;
@group(0) @binding(6) var<storage, read> mean: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> partial: array<vec4f>;

var<private> count: f32;
var<private> gradients: vec4f;
var<private> products: vec4f;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * 64u + lane;
  let line = thread / constants.quads;
  let quad = thread % constants.quads;
  if (line >= frame.batch * constants.height) {
    return;
  }
  let image = line / constants.height;
  let y = line % constants.height;

  var y_place = constants.y_base + image * constants.y_image + y * constants.y_row;
  var a_place = constants.a_base + image * constants.a_image + y * constants.a_row;
  var e1_place = constants.e1_base + image * constants.e1_image + y * constants.e1_row;
  var input_place = constants.input_base + image * constants.input_image + y * constants.input_row;
  for (var x = 0u; x < constants.width; x++) {
    let value = a[a_place + quad];
    let made = select(vec4f(0), value, e1[e1_place + quad] > vec4f(0));
    result[y_place + quad] = made;
    gradients += made;
    products = fma(made, input[input_place + quad] - mean[quad], products);
    count += 1.0;
    y_place += constants.y_column;
    a_place += constants.a_column;
    e1_place += constants.e1_column;
    input_place += constants.input_column;
  }
  if (count > 0.0) {
    let place = (line * constants.partial_quads + quad);
    partial[2u * place] = gradients;
    partial[2u * place + 1u] = products;
  }
}
