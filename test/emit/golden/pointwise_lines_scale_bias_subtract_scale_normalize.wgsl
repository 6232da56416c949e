// Pointwise: one expression for each element.

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
  input: Place,
  operand1: Place,
  height: u32,
  width: u32,
  quads: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> operand1: array<vec4f>;
@group(0) @binding(5) var<storage, read> operand2: array<vec4f>;
@group(0) @binding(6) var<storage, read> operand3: array<vec4f>;
@group(0) @binding(7) var<storage, read> operand4: array<vec4f>;
@group(0) @binding(8) var<storage, read> operand5: array<vec4f>;

const LANES = 64u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * LANES + lane;
  let line = thread / constants.quads;
  let quad = thread % constants.quads;
  if (line >= frame.batch * constants.height) {
    return;
  }
  let image = line / constants.height;
  let y = line % constants.height;
  let operand2_quad = operand2[quad];
  let operand3_quad = operand3[quad];
  let operand4_quad = operand4[quad];
  let operand5_quad = operand5[quad];
  var result_place = constants.result.base + image * constants.result.image_pitch + y * constants.result.row_pitch;
  var input_place = constants.input.base + image * constants.input.image_pitch + y * constants.input.row_pitch;
  var operand1_place = constants.operand1.base + image * constants.operand1.image_pitch + y * constants.operand1.row_pitch;
  for (var x = 0u; x < constants.width; x++) {
    let value = input[input_place + quad];
    result[result_place + quad] = (value - (operand1[operand1_place + quad] * operand2_quad + operand3_quad)) * operand4_quad / sqrt(operand5_quad + vec4f(0.00001));
    result_place += constants.result.column_pitch;
    input_place += constants.input.column_pitch;
    operand1_place += constants.operand1.column_pitch;
  }
}
