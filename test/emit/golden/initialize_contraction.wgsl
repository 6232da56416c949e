// Initial values of a parameter, from the counter-based generator.

struct Frame {
  batch: u32,
  first_image: u32,
  step_images: u32,
  step: u32,
  seed: u32,
}

struct Constants {
  size: u32,
  distribution: u32,
  first: f32,
  second: f32,
  stream: u32,
  kernel_height: u32,
  kernel_width: u32,
  inputs: u32,
  input_pitch: u32,
  outputs: u32,
  first_output: u32,
  output_pitch: u32,
  run: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

const LANES = 64u;
const PADDING = 0xffffffffu;
const UNIFORM = 1u;
const NORMAL = 2u;

fn logical_index(thread: u32) -> u32 {
  let output = thread % constants.output_pitch;
  let row = thread / constants.output_pitch;
  let value = row % constants.run;
  let kernel_row = row / constants.run % constants.kernel_height;
  let group = row / constants.run / constants.kernel_height;
  let column = value / constants.input_pitch;
  let input = value % constants.input_pitch;
  if (output >= constants.outputs || input >= constants.inputs || column >= constants.kernel_width) {
    return PADDING;
  }
  let channel = group * constants.outputs + constants.first_output + output;
  return ((channel * constants.inputs + input) * constants.kernel_height + kernel_row) * constants.kernel_width + column;
}

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

fn draw(index: u32) -> f32 {
  let first = constants.first;
  let second = constants.second;
  let words = threefry(vec2u(frame.seed, constants.stream), vec2u(index, 0xffffffffu));
  switch constants.distribution {
    case UNIFORM: {
      return first + (second - first) * to_unit(words.x);
    }
    case NORMAL: {
      // Box-Muller; 1 - u keeps the logarithm finite.
      let radius = sqrt(-2.0 * log(1.0 - to_unit(words.x)));
      return first + second * radius * cos(6.2831853 * to_unit(words.y));
    }
    default: {
      return first;
    }
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * LANES + lane;
  if (thread < constants.size) {
    let index = logical_index(thread);
    result[thread] = select(0.0, draw(index), index != PADDING);
  }
}
