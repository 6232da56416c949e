// Contraction: rows are weights of a kernel window, columns output channels, K pixels.

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
  a: Place,
  b: Place,
  groups: u32,
  splits: u32,
  partial_quads: u32,
  height: u32,
  width: u32,
  columns: u32,
  column_blocks: u32,
  first_quad: u32,
  row_quads: u32,
  run_values: u32,
  segments_per_row: u32,
  segment_row: u32,
  segment_column: u32,
  run: u32,
  a_group: u32,
  y_group: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

var<workgroup> tile: array<vec4f, 8>;
var<workgroup> places: array<u32, 48>;

fn finish(row: u32, group: u32, column: u32, split: u32, sum: vec4f) {
  let is_value = row % (4u * constants.run) < constants.run_values;
  if (row < 4u * constants.row_quads && column < constants.columns) {
    result[split * constants.partial_quads + group * constants.y_group + row * constants.columns + column] = select(vec4f(0), sum, is_value);
  }
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let plane = workgroup.z + constants.first_plane;
  let first_quad = block * 8u;
  let split = plane / (constants.column_blocks * constants.groups);
  let group = plane / constants.column_blocks % constants.groups;
  let column = plane % constants.column_blocks * 16u + lane % 16u;
  let row_lane = lane % 8u;
  let own_row = lane / 16u * 4u;
  let quad0 = min(first_quad + row_lane, constants.row_quads - 1u);
  let segment0 = quad0 / constants.run;
  let a_place0 = segment0 / constants.segments_per_row * constants.segment_row + segment0 % constants.segments_per_row * constants.segment_column + quad0 % constants.run + group * constants.a_group;
  let b_quad = group * constants.columns + min(column, constants.columns - 1u) + constants.first_quad;
  var c0 = vec4f(0);
  var c1 = vec4f(0);
  var c2 = vec4f(0);
  var c3 = vec4f(0);
  var c4 = vec4f(0);
  var c5 = vec4f(0);
  var c6 = vec4f(0);
  var c7 = vec4f(0);
  var c8 = vec4f(0);
  var c9 = vec4f(0);
  var c10 = vec4f(0);
  var c11 = vec4f(0);
  var c12 = vec4f(0);
  var c13 = vec4f(0);
  var c14 = vec4f(0);
  var c15 = vec4f(0);
  let part = (frame.batch * constants.height + constants.splits - 1u) / constants.splits;
  let first_line = split * part;
  let last_line = min(first_line + part, frame.batch * constants.height);
  let width = constants.width;
  let a_column = constants.a.column_pitch;
  let b_column = constants.b.column_pitch;
  for (var line = first_line; line < last_line; line++) {
    let image = line / constants.height;
    let y_row = line % constants.height;
    var a_line = constants.a.base + image * constants.a.image_pitch + y_row * constants.a.row_pitch;
    var b_line = constants.b.base + line / constants.height * constants.b.image_pitch + line % constants.height * constants.b.row_pitch + b_quad;
    for (var x = 0u; x < width; x++) {
      let a0 = a[a_line + a_place0];
      workgroupBarrier();
      if (lane < 8u) {
        tile[lane] = a0;
      }
      workgroupBarrier();
      let b0 = b[b_line];
      c0 = fma(vec4f(tile[own_row].x), b0, c0);
      c1 = fma(vec4f(tile[own_row].y), b0, c1);
      c2 = fma(vec4f(tile[own_row].z), b0, c2);
      c3 = fma(vec4f(tile[own_row].w), b0, c3);
      c4 = fma(vec4f(tile[own_row + 1u].x), b0, c4);
      c5 = fma(vec4f(tile[own_row + 1u].y), b0, c5);
      c6 = fma(vec4f(tile[own_row + 1u].z), b0, c6);
      c7 = fma(vec4f(tile[own_row + 1u].w), b0, c7);
      c8 = fma(vec4f(tile[own_row + 2u].x), b0, c8);
      c9 = fma(vec4f(tile[own_row + 2u].y), b0, c9);
      c10 = fma(vec4f(tile[own_row + 2u].z), b0, c10);
      c11 = fma(vec4f(tile[own_row + 2u].w), b0, c11);
      c12 = fma(vec4f(tile[own_row + 3u].x), b0, c12);
      c13 = fma(vec4f(tile[own_row + 3u].y), b0, c13);
      c14 = fma(vec4f(tile[own_row + 3u].z), b0, c14);
      c15 = fma(vec4f(tile[own_row + 3u].w), b0, c15);
      a_line += a_column;
      b_line += b_column;
    }
  }
  finish(4u * (first_quad + own_row), group, column, split, c0);
  finish(4u * (first_quad + own_row) + 1u, group, column, split, c1);
  finish(4u * (first_quad + own_row) + 2u, group, column, split, c2);
  finish(4u * (first_quad + own_row) + 3u, group, column, split, c3);
  finish(4u * (first_quad + own_row) + 4u, group, column, split, c4);
  finish(4u * (first_quad + own_row) + 5u, group, column, split, c5);
  finish(4u * (first_quad + own_row) + 6u, group, column, split, c6);
  finish(4u * (first_quad + own_row) + 7u, group, column, split, c7);
  finish(4u * (first_quad + own_row) + 8u, group, column, split, c8);
  finish(4u * (first_quad + own_row) + 9u, group, column, split, c9);
  finish(4u * (first_quad + own_row) + 10u, group, column, split, c10);
  finish(4u * (first_quad + own_row) + 11u, group, column, split, c11);
  finish(4u * (first_quad + own_row) + 12u, group, column, split, c12);
  finish(4u * (first_quad + own_row) + 13u, group, column, split, c13);
  finish(4u * (first_quad + own_row) + 14u, group, column, split, c14);
  finish(4u * (first_quad + own_row) + 15u, group, column, split, c15);
}
