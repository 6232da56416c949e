// Input gradient of a convolution with groups of odd sizes, a thread an input quad.

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
  y: Place,
  e1: Place,
  a: Place,
  pixels: u32,
  width: u32,
  quads: u32,
  group_inputs: u32,
  group_outputs: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride_height: u32,
  stride_width: u32,
  dilation_height: u32,
  dilation_width: u32,
  padding_top: u32,
  padding_left: u32,
  input_channels: u32,
  output_height: u32,
  output_width: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> e1: array<vec4f>;

fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(-0x800000)));
}

fn or_nan(x: vec4f, y: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(x);
  let is_nan = (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
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
  let thread = block * 64u + lane;
  let pixel = thread / constants.quads;
  let quad = thread % constants.quads;
  if (pixel >= frame.batch * constants.pixels) {
    return;
  }
  let image = pixel / constants.pixels;
  let y = pixel % constants.pixels / constants.width;
  let x = pixel % constants.width;
  let y_place = place_of(constants.y, image, y, x);
  let e1_place = place_of(constants.e1, image, y, x);
  var value = vec4f(0);
  for (var part = 0u; part < 4u; part++) {
    let c = 4u * quad + part;
    if (c >= constants.input_channels) {
      break;
    }
    var sum = 0f;
    let input = c % constants.group_inputs;
    let first_output = c / constants.group_inputs * constants.group_outputs;
    for (var row = 0u; row < constants.kernel_height; row++) {
      for (var column = 0u; column < constants.kernel_width; column++) {
        let ty = i32(y + constants.padding_top) - i32(row * constants.dilation_height);
        let tx = i32(x + constants.padding_left) - i32(column * constants.dilation_width);
        let oy = ty / i32(constants.stride_height);
        let ox = tx / i32(constants.stride_width);
        let aligned = oy * i32(constants.stride_height) == ty && ox * i32(constants.stride_width) == tx;
        if (ty < 0 || tx < 0 || !aligned || oy >= i32(constants.output_height) || ox >= i32(constants.output_width)) {
          continue;
        }
        for (var part_output = 0u; part_output < constants.group_outputs; part_output++) {
          let output = first_output + part_output;
          sum = fma(a[4u * place_of(constants.a, image, u32(oy), u32(ox)) + output], w[((output * constants.group_inputs + input) * constants.kernel_height + row) * constants.kernel_width + column], sum);
        }
      }
    }
    value[part] = sum;
  }
  result[y_place + quad] = vec4f(0.16666666666666666) * (value * (smaller(relu(e1[e1_place + quad] + vec4f(3.0)), vec4f(6.0)) + e1[e1_place + quad] * select(vec4f(0), select(vec4f(0), vec4f(1), e1[e1_place + quad] + vec4f(3.0) > vec4f(0)), vec4f(6.0) - relu(e1[e1_place + quad] + vec4f(3.0)) > vec4f(0))));
}
