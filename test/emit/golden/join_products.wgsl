// Normalization, gradient: sums over batch and space for each channel, from its parts.

struct Frame {
  batch: u32,
}

struct Constants {
  pixels: u32,
  quads: u32,
  part_values: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> partial: array<vec4f>;
@group(0) @binding(3) var<storage, read> mean: array<vec4f>;
@group(0) @binding(4) var<storage, read> variance: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> bias_gradient: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> weight_gradient: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> slope: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> offset: array<vec4f>;

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
  var sum = vec4f(0);
  var products = vec4f(0);
  for (var part = lane; part * constants.part_values < all_values; part += LANES) {
    let at = 2u * (part * constants.quads + block);
    sum += partial[at];
    products += partial[at + 1u];
  }
  sum = total4(sum, lane);
  products = total4(products, lane);
  if (lane == 0u) {
    let deviation = sqrt(variance[block] + vec4f(constants.epsilon));
    let along = products / deviation;
    bias_gradient[block] = sum;
    weight_gradient[block] = along;
    slope[block] = along / count / deviation;
    offset[block] = sum / count - along / count / deviation * mean[block];
  }
}
