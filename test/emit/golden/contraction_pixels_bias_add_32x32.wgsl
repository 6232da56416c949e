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
  y: Place,
  e2: Place,
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
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> e1: array<vec4f>;
@group(0) @binding(6) var<storage, read> e2: array<vec4f>;

var<workgroup> tile: array<vec4f, 32>;
var<workgroup> places: array<u32, 192>;

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

fn multiply_add(sum: vec4f, row: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  let first = fma(vec4f(row.x), b0, sum);
  let second = fma(vec4f(row.y), b1, first);
  let third = fma(vec4f(row.z), b2, second);
  return fma(vec4f(row.w), b3, third);
}

fn finish(row: u32, column: u32, quad: u32, sum: vec4f, y_place: u32, e2_place: u32) {
  if (row < frame.batch * constants.pixels && column < constants.columns) {
    result[y_place + quad] = sum + e1[quad] + e2[e2_place + quad];
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
  let first_row = block * 32u;
  let group = plane / constants.column_blocks;
  let column = plane % constants.column_blocks * 8u + lane % 8u;
  let row_lane = lane % 32u;
  let own_row = lane / 8u * 8u;
  let row0 = min(first_row + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let a_place0 = place_of(constants.a, image0, y0, x0) + group * constants.a_group;
  let y_place0 = place_of(constants.y, image0, y0, x0);
  let e2_place0 = place_of(constants.e2, image0, y0, x0);
  var c0 = vec4f(0);
  var c1 = vec4f(0);
  var c2 = vec4f(0);
  var c3 = vec4f(0);
  var c4 = vec4f(0);
  var c5 = vec4f(0);
  var c6 = vec4f(0);
  var c7 = vec4f(0);
  let columns = constants.columns;
  var b_place = group * constants.b_group + min(column, columns - 1u);
  for (var segment = 0u; segment < constants.segments; segment++) {
    let start = segment / constants.segments_per_row * constants.segment_row + segment % constants.segments_per_row * constants.segment_column;
    let end = start + constants.run;
    for (var k = start; k < end; k++) {
      let a0 = a[a_place0 + k];
      workgroupBarrier();
      if (lane < 32u) {
        tile[lane] = a0;
      }
      workgroupBarrier();
      let b0 = b[b_place];
      let b1 = b[b_place + columns];
      let b2 = b[b_place + 2u * columns];
      let b3 = b[b_place + 3u * columns];
      c0 = multiply_add(c0, tile[own_row], b0, b1, b2, b3);
      c1 = multiply_add(c1, tile[own_row + 1u], b0, b1, b2, b3);
      c2 = multiply_add(c2, tile[own_row + 2u], b0, b1, b2, b3);
      c3 = multiply_add(c3, tile[own_row + 3u], b0, b1, b2, b3);
      c4 = multiply_add(c4, tile[own_row + 4u], b0, b1, b2, b3);
      c5 = multiply_add(c5, tile[own_row + 5u], b0, b1, b2, b3);
      c6 = multiply_add(c6, tile[own_row + 6u], b0, b1, b2, b3);
      c7 = multiply_add(c7, tile[own_row + 7u], b0, b1, b2, b3);
      b_place += 4u * columns;
    }
  }
  let quad = constants.first_quad + group * columns + column;
  workgroupBarrier();
  if (lane < 32u) {
    places[lane] = y_place0;
    places[lane + 32u] = e2_place0;
  }
  workgroupBarrier();
  finish(first_row + own_row, column, quad, c0, places[own_row], places[own_row + 32u]);
  finish(first_row + own_row + 1u, column, quad, c1, places[own_row + 1u], places[own_row + 33u]);
  finish(first_row + own_row + 2u, column, quad, c2, places[own_row + 2u], places[own_row + 34u]);
  finish(first_row + own_row + 3u, column, quad, c3, places[own_row + 3u], places[own_row + 35u]);
  finish(first_row + own_row + 4u, column, quad, c4, places[own_row + 4u], places[own_row + 36u]);
  finish(first_row + own_row + 5u, column, quad, c5, places[own_row + 5u], places[own_row + 37u]);
  finish(first_row + own_row + 6u, column, quad, c6, places[own_row + 6u], places[own_row + 38u]);
  finish(first_row + own_row + 7u, column, quad, c7, places[own_row + 7u], places[own_row + 39u]);
}
