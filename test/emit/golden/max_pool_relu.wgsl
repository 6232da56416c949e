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
  y: Place,
  a: Place,
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
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

fn rank_of(x: vec4f) -> vec4i {
  let bits = bitcast<vec4i>(x);
  let size = bits & vec4i(0x7fffffff);
  return select(size, -size, bits <= vec4i(-0x800000));
}

fn ranked(rank: vec4i) -> vec4f {
  let bits = bitcast<vec4u>(abs(rank)) | (bitcast<vec4u>(rank) & vec4u(0x80000000u));
  return bitcast<vec4f>(bits);
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
  var winner = vec4i(0);
  let top = i32(y * constants.stride_height) - i32(constants.padding_top);
  let left = i32(x * constants.stride_width) - i32(constants.padding_left);
  let last_row = min(top + i32(constants.kernel_height), i32(constants.input_height));
  let last_column = min(left + i32(constants.kernel_width), i32(constants.input_width));
  for (var row = max(top, 0); row < last_row; row++) {
    for (var column = max(left, 0); column < last_column; column++) {
      let candidate = rank_of(a[place_of(constants.a, image, u32(row), u32(column)) + quad]);
      winner = max(winner, candidate);
    }
  }
  let value = ranked(winner);
  result[y_place + quad] = value;
}
