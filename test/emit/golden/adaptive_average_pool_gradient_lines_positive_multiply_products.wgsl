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
  y: Place,
  e1: Place,
  input: Place,
  a: Place,
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
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> e1: array<vec4f>;
@group(0) @binding(5) var<storage, read> input: array<vec4f>;
@group(0) @binding(6) var<storage, read> mean: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> partial: array<vec4f>;

var<private> count: f32;
var<private> gradients: vec4f;
var<private> products: vec4f;

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
  let thread = block * 64u + lane;
  let line = thread / constants.quads;
  let quad = thread % constants.quads;
  if (line >= frame.batch * constants.height) {
    return;
  }
  let image = line / constants.height;
  let y = line % constants.height;
  var y_place = constants.y.base + image * constants.y.image_pitch + y * constants.y.row_pitch;
  var e1_place = constants.e1.base + image * constants.e1.image_pitch + y * constants.e1.row_pitch;
  var input_place = constants.input.base + image * constants.input.image_pitch + y * constants.input.row_pitch;
  for (var x = 0u; x < constants.width; x++) {
    var value = vec4f(0);
    for (var oy = 0u; oy < constants.output_height; oy++) {
      let top = window_start(oy, constants.input_height, constants.output_height);
      let bottom = window_end(oy, constants.input_height, constants.output_height);
      if (y < top || y >= bottom) {
        continue;
      }
      for (var ox = 0u; ox < constants.output_width; ox++) {
        let left = window_start(ox, constants.input_width, constants.output_width);
        let right = window_end(ox, constants.input_width, constants.output_width);
        if (x >= left && x < right) {
          value += a[place_of(constants.a, image, oy, ox) + quad] / f32((bottom - top) * (right - left));
        }
      }
    }
    let made = select(vec4f(0), value, e1[e1_place + quad] > vec4f(0));
    result[y_place + quad] = made;
    gradients += made;
    products = fma(made, input[input_place + quad] - mean[quad], products);
    count += 1.0;
    y_place += constants.y.column_pitch;
    e1_place += constants.e1.column_pitch;
    input_place += constants.input.column_pitch;
  }
  if (count > 0.0) {
    let place = line * constants.partial_quads + quad;
    partial[2u * place] = gradients;
    partial[2u * place + 1u] = products;
  }
}
