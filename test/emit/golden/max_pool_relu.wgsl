// Max pooling and ReLU: the largest of a window.

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
  pixels: u32,
  width: u32,
  quads: u32,
  input_height: u32,
  input_width: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride_height: u32,
  stride_width: u32,
  padding_top: u32,
  padding_left: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

const MAGNITUDE = 0x7fffffff;
const MINUS_INFINITY = -0x800000;
const LANES = 64u;

fn relu_rank(x: vec4f) -> vec4i {
  let bits = bitcast<vec4i>(x);
  return select(bits & vec4i(MAGNITUDE), vec4i(0), bits <= vec4i(MINUS_INFINITY));
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
  var winner = vec4i(0);
  // The window, less padding.
  let top = i32(y * constants.stride_height) - i32(constants.padding_top);
  let left = i32(x * constants.stride_width) - i32(constants.padding_left);
  let last_row = min(top + i32(constants.kernel_height), i32(constants.input_height));
  let last_column = min(left + i32(constants.kernel_width), i32(constants.input_width));
  let image_start = place_of(constants.input, image, 0u, 0u) + quad;
  for (var row = max(top, 0); row < last_row; row++) {
    let row_start = image_start + u32(row) * constants.input.row_pitch;
    for (var column = max(left, 0); column < last_column; column++) {
      let at = row_start + u32(column) * constants.input.column_pitch;
      let candidate = relu_rank(input[at]);
      winner = max(winner, candidate);
    }
  }
  let value = bitcast<vec4f>(winner);
  result[result_place + quad] = value;
}
