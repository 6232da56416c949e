// Mean and sum of squared distances over parts of each channel.

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
  input: Place,
  height: u32,
  width: u32,
  quads: u32,
  lines: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4f>;

const LANES = 64u;
const MINUS_INFINITY = -0x800000;

fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(MINUS_INFINITY)));
}

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
  let near = input[constants.input.base + first_line / constants.height * constants.input.image_pitch + first_line % constants.height * constants.input.row_pitch + quad];
  var rest = vec4f(0);
  var squares = vec4f(0);
  for (var line = first_line; line < last_line; line++) {
    var input_place = constants.input.base + line / constants.height * constants.input.image_pitch + line % constants.height * constants.input.row_pitch + quad;
    for (var x = 0u; x < constants.width; x++) {
      let distance = input[input_place] - near;
      rest += distance;
      squares = fma(distance, distance, squares);
      input_place += constants.input.column_pitch;
    }
  }
  let count = f32((last_line - first_line) * constants.width);
  partial[3u * thread] = near;
  partial[3u * thread + 1u] = rest / count;
  partial[3u * thread + 2u] = relu(squares - rest * rest / count);
}
