// Images from NCHW, as uploaded, into the layout of the first layer.

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
  result: Place,
  channels: u32,
  height: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

const LANES = 64u;

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
  let thread = block * LANES + lane;
  let channel = thread % constants.channels;
  let x = thread / constants.channels % constants.width;
  let y = thread / constants.channels / constants.width % constants.height;
  let image = thread / constants.channels / constants.width / constants.height;
  if (image < frame.batch) {
    let plane_of_channel = image * constants.channels + channel;
    result[place_of(constants.result, image, y, x) + channel] = input[(plane_of_channel * constants.height + y) * constants.width + x];
  }
}
