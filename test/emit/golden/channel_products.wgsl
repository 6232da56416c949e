// Normalization, gradient: sums over parts of each channel.

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

  height: u32,
  width: u32,
  quads: u32,
  lines: u32,
  d_image: u32,
  d_row: u32,
  d_column: u32,
  d_base: u32,
  a_image: u32,
  a_row: u32,
  a_column: u32,
  a_base: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> d: array<vec4f>;
@group(0) @binding(3) var<storage, read> a: array<vec4f>;
@group(0) @binding(4) var<storage, read> mean: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partial: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * 64u + lane;
  let quad = thread % constants.quads;
  let first_line = thread / constants.quads * constants.lines;
  let last_line = min(first_line + constants.lines, frame.batch * constants.height);
  if (first_line >= last_line) {
    return;
  }
  let middle = mean[quad];
  var gradients = vec4f(0);
  var products = vec4f(0);
  for (var line = first_line; line < last_line; line++) {
    var d_place = constants.d_base + line / constants.height * constants.d_image + line % constants.height * constants.d_row + quad;
    var a_place = constants.a_base + line / constants.height * constants.a_image + line % constants.height * constants.a_row + quad;
    for (var x = 0u; x < constants.width; x++) {
      let gradient = d[d_place];
      gradients += gradient;
      products = fma(gradient, a[a_place] - middle, products);
      d_place += constants.d_column;
      a_place += constants.a_column;
    }
  }
  partial[2u * thread] = gradients;
  partial[2u * thread + 1u] = products;
}
