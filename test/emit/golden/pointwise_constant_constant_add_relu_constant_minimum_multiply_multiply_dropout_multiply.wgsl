// Pointwise: one expression for each element.

struct Frame {
  batch: u32,
  first_image: u32,
  step_images: u32,
  step: u32,
  seed: u32,
  training: u32,
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
  pixels: u32,
  width: u32,
  quads: u32,
  channels: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

const MINUS_INFINITY = -0x800000;
const MAGNITUDE = 0x7fffffff;
const INFINITY = 0x7f800000;
const LANES = 64u;

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

fn keep(counter: u32, rate: f32, stream: u32) -> vec4f {
  let key = vec2u(frame.seed, stream);
  let units = vec4f(
    to_unit(threefry(key, vec2u(counter, frame.step)).x),
    to_unit(threefry(key, vec2u(counter + 1u, frame.step)).x),
    to_unit(threefry(key, vec2u(counter + 2u, frame.step)).x),
    to_unit(threefry(key, vec2u(counter + 3u, frame.step)).x),
  );
  let scaled = select(vec4f(0), vec4f(1.0 / (1.0 - rate)), units >= vec4f(rate));
  return select(vec4f(1), scaled, frame.training != 0u);
}

fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(MINUS_INFINITY)));
}

fn or_nan(x: vec4f, y: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(x);
  let is_nan = (bits & vec4u(MAGNITUDE)) > vec4u(INFINITY);
  return bitcast<vec4f>(select(bitcast<vec4u>(y), bits, is_nan));
}

fn smaller(a: vec4f, b: vec4f) -> vec4f {
  return or_nan(a, or_nan(b, min(a, b)));
}

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * LANES + lane;
  let pixel = thread / constants.quads;
  let quad = thread % constants.quads;
  if (pixel >= frame.batch * constants.pixels) {
    return;
  }
  let image = pixel / constants.pixels;
  let y = pixel % constants.pixels / constants.width;
  let x = pixel % constants.width;
  let result_place = place_of(constants.result, image, y, x);
  let input_place = place_of(constants.input, image, y, x);
  let value = input[input_place + quad];
  result[result_place + quad] = vec4f(0.16666666666666666) * (value * smaller(relu(value + vec4f(3.0)), vec4f(6.0))) * keep((frame.first_image * constants.pixels + pixel) * constants.channels + 4u * quad, 0.2, 1u);
}
