// Mean and variance over batch and space for each channel, from those of its parts.

struct Frame {
  batch: u32,
}

struct Constants {
  pixels: u32,
  quads: u32,
  part_values: u32,
  momentum: f32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> partial: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> running_mean: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> running_variance: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> variance: array<vec4f>;

const LANES = 64u;
var<workgroup> partial_total4: array<vec4f, 64>;

fn total4(value: vec4f, lane: u32) -> vec4f {
  workgroupBarrier();
  partial_total4[lane] = value;
  workgroupBarrier();
  var result = partial_total4[0];
  for (var other = 1u; other < LANES; other++) {
    result = result + partial_total4[other];
  }
  return result;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let all_values = frame.batch * constants.pixels;
  let count = f32(all_values);
  let near = partial[3u * block];
  var rest = vec4f(0);
  for (var part = lane; part * constants.part_values < all_values; part += LANES) {
    let at = 3u * (part * constants.quads + block);
    let values = f32(min(constants.part_values, all_values - part * constants.part_values));
    rest += values * ((partial[at] - near) + partial[at + 1u]);
  }
  rest = total4(rest, lane) / count;
  var squares = vec4f(0);
  for (var part = lane; part * constants.part_values < all_values; part += LANES) {
    let at = 3u * (part * constants.quads + block);
    let values = f32(min(constants.part_values, all_values - part * constants.part_values));
    let distance = (partial[at] - near) + partial[at + 1u] - rest;
    squares += partial[at + 2u] + values * distance * distance;
  }
  squares = total4(squares, lane);
  if (lane == 0u) {
    let momentum = constants.momentum;
    let center = near + rest;
    mean[block] = center;
    variance[block] = squares / count;
    running_mean[block] = (1.0 - momentum) * running_mean[block] + momentum * center;
    if (count > 1.0) {
      running_variance[block] = (1.0 - momentum) * running_variance[block] + momentum * squares / (count - 1.0);
    }
  }
}
