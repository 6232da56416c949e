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
  y: Place,
  e1: Place,
  a: Place,
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
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> e1: array<vec4f>;

fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(-0x800000)));
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
  let first_y = first_nearest(y, constants.input_height, constants.output_height);
  let end_y = first_nearest(y + 1u, constants.input_height, constants.output_height);
  let first_x = first_nearest(x, constants.input_width, constants.output_width);
  let end_x = first_nearest(x + 1u, constants.input_width, constants.output_width);
  var value = vec4f(0);
  for (var oy = first_y; oy < end_y; oy++) {
    for (var ox = first_x; ox < end_x; ox++) {
      value += a[place_of(constants.a, image, oy, ox) + quad];
    }
  }
  result[y_place + quad] = vec4f(0.16666666666666666) * (value * select(vec4f(0), select(vec4f(0), vec4f(1), e1[e1_place + quad] + vec4f(3.0) > vec4f(0)), vec4f(6.0) - relu(e1[e1_place + quad] + vec4f(3.0)) > vec4f(0)));
}
