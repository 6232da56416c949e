// Max pooling, gradient: an input gathers from the windows that it won.

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
  kernel_height: u32,
  kernel_width: u32,
  stride_height: u32,
  stride_width: u32,
  padding_top: u32,
  padding_left: u32,
  output_height: u32,
  output_width: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read> codes: array<u32>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

const LANES = 64u;

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
  var value = vec4f(0);
  let top = y + constants.padding_top;
  let left = x + constants.padding_left;
  let first_y = select((top - constants.kernel_height) / constants.stride_height + 1u, 0u, top < constants.kernel_height);
  let first_x = select((left - constants.kernel_width) / constants.stride_width + 1u, 0u, left < constants.kernel_width);
  for (var output_y = first_y; output_y < min(top / constants.stride_height + 1u, constants.output_height); output_y++) {
    for (var output_x = first_x; output_x < min(left / constants.stride_width + 1u, constants.output_width); output_x++) {
      let row = top - output_y * constants.stride_height;
      let column = left - output_x * constants.stride_width;
      let window = (image * constants.output_height + output_y) * constants.output_width + output_x;
      let at = window * constants.quads + quad;
      let code = (vec4u(codes[at]) >> vec4u(0, 8, 16, 24)) & vec4u(255);
      let place = row * constants.kernel_width + column;
      value += select(vec4f(0), input[place_of(constants.input, image, output_y, output_x) + quad], code == vec4u(place));
    }
  }
  result[result_place + quad] = value;
}
