// Sums of parts of a contraction, in a fixed order.

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
  pixels: u32,
  width: u32,
  quads: u32,
  splits: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> partials: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> operand1: array<vec4f>;

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
  let operand1_place = place_of(constants.operand1, image, y, x);
  let rows = frame.batch * constants.pixels;
  var value = vec4f(0);
  for (var split = 0u; split < constants.splits; split++) {
    value += partials[(split * rows + pixel) * constants.quads + quad];
  }
  result[result_place + quad] = operand1[operand1_place + quad] + value;
}
