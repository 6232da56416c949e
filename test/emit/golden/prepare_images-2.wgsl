// Images of the network's input from bytes, transformed as it was drawn for each.

struct Frame {
  batch: u32,
}

struct Constants {
  channels: u32,
  staged_width: u32,
  slot: u32,
  words: u32,
  width: u32,
  height: u32,
  mean0_1: f32,
  mean1_1: f32,
  mean2_1: f32,
  std0_1: f32,
  std1_1: f32,
  std2_1: f32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> staged: array<u32>;
@group(0) @binding(3) var<storage, read> draws: array<u32>;
@group(0) @binding(4) var<storage, read_write> images: array<f32>;

const LANES = 64u;

fn staged_byte(index: u32) -> f32 {
  return f32((staged[index / 4u] >> (index % 4u * 8u)) & 255u);
}

fn staged_color(view: u32, x: i32, y: i32) -> vec3f {
  let column = u32(x);
  let row = u32(y);
  let start = view * constants.slot;
  let first = start + (row * constants.staged_width + column) * constants.channels;
  return vec3f(staged_byte(first), staged_byte(first + 1u), staged_byte(first + 2u));
}

fn prepared(view: u32, column: i32, row: i32) -> vec3f {
  let word = view * constants.words;
  var x = column;
  var y = row;
  var color = staged_color(view, x, y) * bitcast<f32>(draws[word]);
  color = (color - vec3f(constants.mean0_1, constants.mean1_1, constants.mean2_1)) / vec3f(constants.std0_1, constants.std1_1, constants.std2_1);
  return color;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * LANES + lane;
  let pixels = constants.width * constants.height;
  let image = thread / pixels;
  if (image >= frame.batch) {
    return;
  }
  let x = i32(thread % constants.width);
  let y = i32(thread % pixels / constants.width);
  let view = image;
  var color = prepared(view, x, y);
  for (var channel = 0u; channel < constants.channels; channel++) {
    images[(image * constants.channels + channel) * pixels + thread % pixels] = color[channel];
  }
}
