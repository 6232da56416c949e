// Zeros, where a halo is to come and something else was.

struct Frame {
  batch: u32,
}

struct Constants {
  fixed_words: u32,
  image_words: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

const LANES = 64u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let quad = block * LANES + lane;
  if (4u * quad < constants.fixed_words + constants.image_words * frame.batch) {
    result[quad] = vec4f(0);
  }
}
