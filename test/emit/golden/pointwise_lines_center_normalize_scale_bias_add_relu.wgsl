// Pointwise: one expression for each element.

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
  e5: Place,
  height: u32,
  width: u32,
  quads: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(4) var<storage, read> e1: array<vec4f>;
@group(0) @binding(5) var<storage, read> e2: array<vec4f>;
@group(0) @binding(6) var<storage, read> e3: array<vec4f>;
@group(0) @binding(7) var<storage, read> e4: array<vec4f>;
@group(0) @binding(8) var<storage, read> e5: array<vec4f>;

fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(-0x800000)));
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
  let e1_quad = e1[quad];
  let e2_quad = e2[quad];
  let e3_quad = e3[quad];
  let e4_quad = e4[quad];
  var y_place = constants.y.base + image * constants.y.image_pitch + y * constants.y.row_pitch;
  var a_place = constants.a.base + image * constants.a.image_pitch + y * constants.a.row_pitch;
  var e5_place = constants.e5.base + image * constants.e5.image_pitch + y * constants.e5.row_pitch;
  for (var x = 0u; x < constants.width; x++) {
    let value = a[a_place + quad];
    result[y_place + quad] = relu((value - e1_quad) / sqrt(e2_quad + vec4f(0.00001)) * e3_quad + e4_quad + e5[e5_place + quad]);
    y_place += constants.y.column_pitch;
    a_place += constants.a.column_pitch;
    e5_place += constants.e5.column_pitch;
  }
}
