// Normalization, gradient: sums over parts of each channel.

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
  gradient: Place,
  input: Place,
  height: u32,
  width: u32,
  quads: u32,
  lines: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read> input: array<vec4f>;
@group(0) @binding(4) var<storage, read> mean: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partial: array<vec4f>;

const LANES = 64u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * LANES + lane;
  let quad = thread % constants.quads;
  let first_line = thread / constants.quads * constants.lines;
  let last_line = min(first_line + constants.lines, frame.batch * constants.height);
  if (first_line >= last_line) {
    return;
  }
  let middle = mean[quad];
  var gradients = vec4f(0);
  var products = vec4f(0);
  for (var line = first_line; line < last_line; line++) {
    var gradient_place = constants.gradient.base + line / constants.height * constants.gradient.image_pitch + line % constants.height * constants.gradient.row_pitch + quad;
    var input_place = constants.input.base + line / constants.height * constants.input.image_pitch + line % constants.height * constants.input.row_pitch + quad;
    for (var x = 0u; x < constants.width; x++) {
      let slope = gradient[gradient_place];
      gradients += slope;
      products = fma(slope, input[input_place] - middle, products);
      gradient_place += constants.gradient.column_pitch;
      input_place += constants.input.column_pitch;
    }
  }
  partial[2u * thread] = gradients;
  partial[2u * thread + 1u] = products;
}
