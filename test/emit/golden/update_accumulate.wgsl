// A slice's gradient, added to the sum of the step's.

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
  quads: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> weights: array<vec4f>;

fn descend(at: u32, made: vec4f) {
  let gradient = made;
  let weight = weights[at];
  weights[at] = select(weight, vec4f(0), frame.is_first_slice != 0u) + gradient;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let first = block * 256u + lane;
  for (var turn = 0u; turn < 4u; turn++) {
    let at = first + turn * 64u;
    if (at < constants.quads) {
      descend(at, gradient[at]);
    }
  }
}
