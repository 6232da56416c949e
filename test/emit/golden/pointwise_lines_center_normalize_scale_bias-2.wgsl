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
  rest1: f32,
  rest2: f32,
  is_first_slice: u32,
  is_last_slice: u32,
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
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> e1: array<vec4f>;
@group(0) @binding(5) var<storage, read> e2: array<vec4f>;
@group(0) @binding(6) var<storage, read> e3: array<vec4f>;
@group(0) @binding(7) var<storage, read> e4: array<vec4f>;

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
  let e1_quad = e1[quad];
  let e2_quad = e2[quad];
  let e3_quad = e3[quad];
  let e4_quad = e4[quad];
  var y_place = constants.y_base + image * constants.y_image + y * constants.y_row;
  var a_place = constants.a_base + image * constants.a_image + y * constants.a_row;
  for (var x = 0u; x < constants.width; x++) {
    let value = a[a_place + quad];
    result[y_place + quad] = ((((value - e1_quad) / sqrt((e2_quad + vec4f(0.00001)))) * e3_quad) + e4_quad);
    y_place += constants.y_column;
    a_place += constants.a_column;
  }
}
