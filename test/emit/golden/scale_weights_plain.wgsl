// Weights times the scale of their output channels.

struct Constants {
  threads: u32,
  per_output: u32,
}

@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> scaled: array<f32>;

const LANES = 64u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let at = block * LANES + lane;
  if (at < constants.threads) {
    scaled[at] = weights[at] * scale[at / constants.per_output];
  }
}
