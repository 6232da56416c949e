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
  d: Place,
  a: Place,
  height: u32,
  width: u32,
  quads: u32,
  lines: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> d: array<vec4f>;
@group(0) @binding(3) var<storage, read> a: array<vec4f>;
@group(0) @binding(4) var<storage, read> mean: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partial: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * 64u + lane;
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
    var d_place = constants.d.base + line / constants.height * constants.d.image_pitch + line % constants.height * constants.d.row_pitch + quad;
    var a_place = constants.a.base + line / constants.height * constants.a.image_pitch + line % constants.height * constants.a.row_pitch + quad;
    for (var x = 0u; x < constants.width; x++) {
      let gradient = d[d_place];
      gradients += gradient;
      products = fma(gradient, a[a_place] - middle, products);
      d_place += constants.d.column_pitch;
      a_place += constants.a.column_pitch;
    }
  }
  partial[2u * thread] = gradients;
  partial[2u * thread + 1u] = products;
}
