// An image in another size, gradient: a pixel gathers from those that are its copies.

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
  operand1: Place,
  input: Place,
  pixels: u32,
  width: u32,
  quads: u32,
  input_height: u32,
  input_width: u32,
  output_height: u32,
  output_width: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> operand1: array<vec4f>;

const MINUS_INFINITY = -0x800000;
const LANES = 64u;

fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(MINUS_INFINITY)));
}

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
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
  let operand1_place = place_of(constants.operand1, image, y, x);
  let first_y = first_nearest(y, constants.input_height, constants.output_height);
  let end_y = first_nearest(y + 1u, constants.input_height, constants.output_height);
  let first_x = first_nearest(x, constants.input_width, constants.output_width);
  let end_x = first_nearest(x + 1u, constants.input_width, constants.output_width);
  var value = vec4f(0);
  for (var output_y = first_y; output_y < end_y; output_y++) {
    for (var output_x = first_x; output_x < end_x; output_x++) {
      value += input[place_of(constants.input, image, output_y, output_x) + quad];
    }
  }
  result[result_place + quad] = vec4f(0.16666666666666666) * (value * select(vec4f(0), select(vec4f(0), vec4f(1), operand1[operand1_place + quad] + vec4f(3.0) > vec4f(0)), vec4f(6.0) - relu(operand1[operand1_place + quad] + vec4f(3.0)) > vec4f(0)));
}
