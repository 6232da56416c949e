// Adaptive average pooling, gradient.

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
  normalized: Place,
  input: Place,
  height: u32,
  width: u32,
  quads: u32,
  partial_quads: u32,
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
@group(0) @binding(5) var<storage, read> normalized: array<vec4f>;
@group(0) @binding(6) var<storage, read> mean: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> partial: array<vec4f>;

const MINUS_INFINITY = -0x800000;
const MAGNITUDE = 0x7fffffff;
const INFINITY = 0x7f800000;
const LANES = 64u;
var<private> count: f32;
var<private> gradients: vec4f;
var<private> products: vec4f;

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

fn window_start(index: u32, size: u32, count: u32) -> u32 {
  return index * size / count;
}

fn window_end(index: u32, size: u32, count: u32) -> u32 {
  return ((index + 1u) * size + count - 1u) / count;
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
  let line = thread / constants.quads;
  let quad = thread % constants.quads;
  if (line >= frame.batch * constants.height) {
    return;
  }
  let image = line / constants.height;
  let y = line % constants.height;
  var result_place = constants.result.base + image * constants.result.image_pitch + y * constants.result.row_pitch;
  var operand1_place = constants.operand1.base + image * constants.operand1.image_pitch + y * constants.operand1.row_pitch;
  var normalized_place = constants.normalized.base + image * constants.normalized.image_pitch + y * constants.normalized.row_pitch;
  for (var x = 0u; x < constants.width; x++) {
    var value = vec4f(0);
    for (var output_y = 0u; output_y < constants.output_height; output_y++) {
      let top = window_start(output_y, constants.input_height, constants.output_height);
      let bottom = window_end(output_y, constants.input_height, constants.output_height);
      if (y < top || y >= bottom) {
        continue;
      }
      for (var output_x = 0u; output_x < constants.output_width; output_x++) {
        let left = window_start(output_x, constants.input_width, constants.output_width);
        let right = window_end(output_x, constants.input_width, constants.output_width);
        if (x >= left && x < right) {
          value += input[place_of(constants.input, image, output_y, output_x) + quad] / f32((bottom - top) * (right - left));
        }
      }
    }
    let made = vec4f(0.16666666666666666) * (value * (smaller(relu(operand1[operand1_place + quad] + vec4f(3.0)), vec4f(6.0)) + operand1[operand1_place + quad] * select(vec4f(0), select(vec4f(0), vec4f(1), operand1[operand1_place + quad] + vec4f(3.0) > vec4f(0)), vec4f(6.0) - relu(operand1[operand1_place + quad] + vec4f(3.0)) > vec4f(0))));
    result[result_place + quad] = made;
    gradients += made;
    products = fma(made, normalized[normalized_place + quad] - mean[quad], products);
    count += 1.0;
    result_place += constants.result.column_pitch;
    operand1_place += constants.operand1.column_pitch;
    normalized_place += constants.normalized.column_pitch;
  }
  if (count > 0.0) {
    let place = line * constants.partial_quads + quad;
    partial[2u * place] = gradients;
    partial[2u * place + 1u] = products;
  }
}
