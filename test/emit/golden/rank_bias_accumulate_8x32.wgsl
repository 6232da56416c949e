// Weight gradient of a few images, applied row by row.
enable subgroups;

struct Frame {
  batch: u32,
  first_image: u32,
  step_images: u32,
  step: u32,
  seed: u32,
  training: u32,
  is_first_slice: u32,
}

struct Constants {
  features: u32,
  columns: u32,
  first_quad: u32,
  a_image: u32,
  b_image: u32,
  b_base: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> bias_w: array<vec4f>;

fn descend(at: u32, made: vec4f) {
  let gradient = made;
  let weight = w[at];
  w[at] = select(weight, vec4f(0), frame.is_first_slice != 0u) + gradient;
}

fn bias_descend(at: u32, made: vec4f) {
  let gradient = made;
  let weight = bias_w[at];
  bias_w[at] = select(weight, vec4f(0), frame.is_first_slice != 0u) + gradient;
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let plane = workgroup.z + constants.first_plane;
  let column = block * 8u + lane;
  let quad = constants.first_quad + min(column, constants.columns - 1u);
  let row_lane = subgroup_lane % 8u;
  let last_image = frame.batch - 1u;
  let a_place0 = min(row_lane, last_image) * constants.a_image;
  let d0 = select(vec4f(0), b[constants.b_base + min(0u, last_image) * constants.b_image + quad], 0u <= last_image);
  let d1 = select(vec4f(0), b[constants.b_base + min(1u, last_image) * constants.b_image + quad], 1u <= last_image);
  let d2 = select(vec4f(0), b[constants.b_base + min(2u, last_image) * constants.b_image + quad], 2u <= last_image);
  let d3 = select(vec4f(0), b[constants.b_base + min(3u, last_image) * constants.b_image + quad], 3u <= last_image);
  let d4 = select(vec4f(0), b[constants.b_base + min(4u, last_image) * constants.b_image + quad], 4u <= last_image);
  let d5 = select(vec4f(0), b[constants.b_base + min(5u, last_image) * constants.b_image + quad], 5u <= last_image);
  let d6 = select(vec4f(0), b[constants.b_base + min(6u, last_image) * constants.b_image + quad], 6u <= last_image);
  let d7 = select(vec4f(0), b[constants.b_base + min(7u, last_image) * constants.b_image + quad], 7u <= last_image);
  let first = plane * 64u;
  let end = min(first + 64u, constants.features);
  for (var row = first; row < end; row++) {
    let x0 = a[a_place0 + row];
    var gradient = vec4f(0);
    gradient = fma(vec4f(subgroupBroadcast(x0, 0u)), d0, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 1u)), d1, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 2u)), d2, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 3u)), d3, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 4u)), d4, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 5u)), d5, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 6u)), d6, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 7u)), d7, gradient);
    if (column < constants.columns) {
      descend(row * constants.columns + column, gradient);
    }
  }
  if (plane == 0u && column < constants.columns) {
    let bias_sum = d0 + d1 + d2 + d3 + d4 + d5 + d6 + d7;
    bias_descend(quad, bias_sum);
  }
}
