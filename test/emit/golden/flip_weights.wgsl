// Weights turned by half a circle and transposed, for the input gradient.

struct Constants {
  input_quads: u32,
  row_quads: u32,
  outputs: u32,
  all_outputs: u32,
  taps: u32,
  threads: u32,
  input_base: u32,
  result_base: u32,
}

@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

const LANES = 64u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * LANES + lane;
  if (thread < constants.threads) {
    let quad = thread % constants.input_quads;
    let output = thread / constants.input_quads % constants.outputs;
    let tap = thread / constants.input_quads / constants.outputs % constants.taps;
    let group = thread / constants.input_quads / constants.outputs / constants.taps;
    let flipped = group * constants.taps + constants.taps - 1u - tap;
    let source = constants.input_base + (flipped * constants.row_quads + quad) * 4u * constants.outputs + output;
    let row = (group * constants.taps + tap) * constants.all_outputs + output;
    result[constants.result_base + row * constants.input_quads + quad] = vec4f(
      input[source],
      input[source + constants.outputs],
      input[source + 2u * constants.outputs],
      input[source + 3u * constants.outputs],
    );
  }
}
