// Contraction: rows are output pixels, columns output channels, K the window.

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
  pixels: u32,
  width: u32,
  columns: u32,
  column_blocks: u32,
  first_quad: u32,
  segments: u32,
  segments_per_row: u32,
  segment_row: u32,
  segment_column: u32,
  run: u32,
  a_group: u32,
  b_group: u32,
  b_column: u32,
  groups: u32,
  splits: u32,
  first_split: u32,
  quads: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

var<workgroup> tile: array<vec4f, 16>;
var<workgroup> places: array<u32, 96>;

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

fn multiply_add(sum: vec4f, row: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  let first = fma(vec4f(row.x), b0, sum);
  let second = fma(vec4f(row.y), b1, first);
  let third = fma(vec4f(row.z), b2, second);
  return fma(vec4f(row.w), b3, third);
}

fn finish(row: u32, column: u32, quad: u32, split: u32, sum: vec4f) {
  let rows = frame.batch * constants.pixels;
  if (row < rows && column < constants.columns) {
    result[(split * rows + row) * constants.quads + quad] = sum;
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
  let rows = frame.batch * constants.pixels;
  let first_row = block * 16u;
  let split = plane / (constants.column_blocks * constants.groups);
  let group = plane / constants.column_blocks % constants.groups;
  let column = plane % constants.column_blocks * 16u + lane % 16u;
  let row_lane = lane % 16u;
  let own_row = lane / 16u * 8u;
  let row0 = min(first_row + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let a_place0 = place_of(constants.a, image0, y0, x0) + group * constants.a_group;
  var c0 = vec4f(0);
  var c1 = vec4f(0);
  var c2 = vec4f(0);
  var c3 = vec4f(0);
  var c4 = vec4f(0);
  var c5 = vec4f(0);
  var c6 = vec4f(0);
  var c7 = vec4f(0);
  let columns = constants.columns;
  var b_place = group * constants.b_group + 4u * min(column, columns - 1u) * constants.b_column;
  let run = constants.run;
  let part = (constants.segments * run + constants.splits - 1u) / constants.splits;
  let first = split * part;
  let last = min(first + part, constants.segments * run);
  b_place += first;
  for (var segment = first / run; segment * run < last; segment++) {
    let start = segment / constants.segments_per_row * constants.segment_row + segment % constants.segments_per_row * constants.segment_column;
    let end = start + min(run, last - segment * run);
    var a0 = a[a_place0 + start + max(first, segment * run) - segment * run];
    var column0 = b[b_place];
    var column1 = b[b_place + constants.b_column];
    var column2 = b[b_place + 2u * constants.b_column];
    var column3 = b[b_place + 3u * constants.b_column];
    for (var k = start + max(first, segment * run) - segment * run; k < end; k++) {
      workgroupBarrier();
      if (lane < 16u) {
        tile[lane] = a0;
      }
      workgroupBarrier();
      let b0 = vec4f(column0.x, column1.x, column2.x, column3.x);
      let b1 = vec4f(column0.y, column1.y, column2.y, column3.y);
      let b2 = vec4f(column0.z, column1.z, column2.z, column3.z);
      let b3 = vec4f(column0.w, column1.w, column2.w, column3.w);
      a0 = a[a_place0 + k + 1u];
      b_place += 1u;
      let next_column0 = b[b_place];
      let next_column1 = b[b_place + constants.b_column];
      let next_column2 = b[b_place + 2u * constants.b_column];
      let next_column3 = b[b_place + 3u * constants.b_column];
      c0 = multiply_add(c0, tile[own_row], b0, b1, b2, b3);
      c1 = multiply_add(c1, tile[own_row + 1u], b0, b1, b2, b3);
      c2 = multiply_add(c2, tile[own_row + 2u], b0, b1, b2, b3);
      c3 = multiply_add(c3, tile[own_row + 3u], b0, b1, b2, b3);
      c4 = multiply_add(c4, tile[own_row + 4u], b0, b1, b2, b3);
      c5 = multiply_add(c5, tile[own_row + 5u], b0, b1, b2, b3);
      c6 = multiply_add(c6, tile[own_row + 6u], b0, b1, b2, b3);
      c7 = multiply_add(c7, tile[own_row + 7u], b0, b1, b2, b3);
      column0 = next_column0;
      column1 = next_column1;
      column2 = next_column2;
      column3 = next_column3;
    }
  }
  let quad = constants.first_quad + group * columns + column;
  finish(first_row + own_row, column, quad, constants.first_split + split, c0);
  finish(first_row + own_row + 1u, column, quad, constants.first_split + split, c1);
  finish(first_row + own_row + 2u, column, quad, constants.first_split + split, c2);
  finish(first_row + own_row + 3u, column, quad, constants.first_split + split, c3);
  finish(first_row + own_row + 4u, column, quad, constants.first_split + split, c4);
  finish(first_row + own_row + 5u, column, quad, constants.first_split + split, c5);
  finish(first_row + own_row + 6u, column, quad, constants.first_split + split, c6);
  finish(first_row + own_row + 7u, column, quad, constants.first_split + split, c7);
}
