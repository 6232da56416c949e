// Normalization by known statistics: what to multiply by, and what to add.

struct Constants {
  quads: u32,
  epsilon: f32,
}

@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> mean: array<vec4f>;
@group(0) @binding(3) var<storage, read> variance: array<vec4f>;
@group(0) @binding(4) var<storage, read> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read> bias: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> scale: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> shift: array<vec4f>;

const LANES = 64u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let quad = block * LANES + lane;
  if (quad < constants.quads) {
    let deviation = sqrt(variance[quad] + vec4f(constants.epsilon));
    let factor = weight[quad] / deviation;
    scale[quad] = factor;
    shift[quad] = bias[quad] - mean[quad] * factor;
  }
}
