// Contraction: rows are features, columns images, K output channels.
enable subgroups;

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
  features: u32,
  quads: u32,
  pixels: u32,
  width: u32,
  run: u32,
  b_image: u32,
  b_base: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

fn multiply_add(sum: f32, row: vec4f, column: vec4f) -> f32 {
  let first = fma(row.x, column.x, sum);
  let second = fma(row.y, column.y, first);
  let third = fma(row.z, column.z, second);
  return fma(row.w, column.w, third);
}

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

fn finish(image: u32, feature_quad: u32, sum: vec4f) {
  if (image >= frame.batch || 4u * feature_quad >= constants.features) {
    return;
  }
  let quad = feature_quad % constants.quads;
  let place = feature_quad / constants.quads;
  let pixel = image * constants.pixels + place;
  let y = place / constants.width;
  let x = place % constants.width;
  let y_place = place_of(constants.y, image, y, x);
  let value = sum;
  result[y_place + quad] = value;
}

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let plane = workgroup.z + constants.first_plane;
  let first_row = plane * 16u;
  let image = block * 4u + lane;
  let row_lane = subgroup_lane % 4u;
  let a_place0 = min(first_row + row_lane, constants.features - 1u) * constants.run;
  let a_place1 = min(first_row + row_lane + 4u, constants.features - 1u) * constants.run;
  let a_place2 = min(first_row + row_lane + 8u, constants.features - 1u) * constants.run;
  let a_place3 = min(first_row + row_lane + 12u, constants.features - 1u) * constants.run;
  let b_place = constants.b_base + min(image, frame.batch - 1u) * constants.b_image;
  var c0 = 0f;
  var c1 = 0f;
  var c2 = 0f;
  var c3 = 0f;
  var c4 = 0f;
  var c5 = 0f;
  var c6 = 0f;
  var c7 = 0f;
  var c8 = 0f;
  var c9 = 0f;
  var c10 = 0f;
  var c11 = 0f;
  var c12 = 0f;
  var c13 = 0f;
  var c14 = 0f;
  var c15 = 0f;
  let run = constants.run;
  for (var k = 0u; k < run; k++) {
    let a0 = a[a_place0 + k];
    let a1 = a[a_place1 + k];
    let a2 = a[a_place2 + k];
    let a3 = a[a_place3 + k];
    let b0 = b[b_place + k];
    c0 = multiply_add(c0, subgroupBroadcast(a0, 0u), b0);
    c1 = multiply_add(c1, subgroupBroadcast(a0, 1u), b0);
    c2 = multiply_add(c2, subgroupBroadcast(a0, 2u), b0);
    c3 = multiply_add(c3, subgroupBroadcast(a0, 3u), b0);
    c4 = multiply_add(c4, subgroupBroadcast(a1, 0u), b0);
    c5 = multiply_add(c5, subgroupBroadcast(a1, 1u), b0);
    c6 = multiply_add(c6, subgroupBroadcast(a1, 2u), b0);
    c7 = multiply_add(c7, subgroupBroadcast(a1, 3u), b0);
    c8 = multiply_add(c8, subgroupBroadcast(a2, 0u), b0);
    c9 = multiply_add(c9, subgroupBroadcast(a2, 1u), b0);
    c10 = multiply_add(c10, subgroupBroadcast(a2, 2u), b0);
    c11 = multiply_add(c11, subgroupBroadcast(a2, 3u), b0);
    c12 = multiply_add(c12, subgroupBroadcast(a3, 0u), b0);
    c13 = multiply_add(c13, subgroupBroadcast(a3, 1u), b0);
    c14 = multiply_add(c14, subgroupBroadcast(a3, 2u), b0);
    c15 = multiply_add(c15, subgroupBroadcast(a3, 3u), b0);
  }
  var sums = array<vec4f, 4>(vec4f(c0, c1, c2, c3), vec4f(c4, c5, c6, c7), vec4f(c8, c9, c10, c11), vec4f(c12, c13, c14, c15));
  for (var row = 0u; row != 4u && first_row + 4u * row < constants.features; row++) {
    finish(image, first_row / 4u + row, sums[row]);
  }
}
