// Sums over the batch: the loss and the metrics.

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
  at: u32,
  unfit_at: u32,
  share0: u32,
  share1: u32,
  share2: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> values0: array<f32>;
@group(0) @binding(3) var<storage, read> values1: array<f32>;
@group(0) @binding(4) var<storage, read> values2: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;

const LANES = 64u;
const INFINITY = 0x7f800000;
var<workgroup> partial_total: array<f32, 64>;

fn total(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  partial_total[lane] = value;
  workgroupBarrier();
  var result = partial_total[0];
  for (var other = 1u; other < LANES; other++) {
    result = result + partial_total[other];
  }
  return result;
}

fn add_up(at: u32, part: f32, lane: u32) {
  let sum = total(part, lane);
  if (lane == 0u) {
    sums[at] = select(sums[at], 0.0, frame.is_first_slice != 0u) + sum;
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  var unfit = 0f;
  var sum0 = 0f;
  var sum1 = 0f;
  var sum2 = 0f;
  for (var image = lane; image < frame.batch; image += LANES) {
    var is_unfit = false;
    let value0 = values0[image];
    let is_unfit0 = (bitcast<u32>(value0) & INFINITY) == INFINITY;
    is_unfit = is_unfit || is_unfit0;
    sum0 += select(value0, 0.0, is_unfit0 && constants.share0 != 0u);
    let value1 = values1[image];
    let is_unfit1 = (bitcast<u32>(value1) & INFINITY) == INFINITY;
    is_unfit = is_unfit || is_unfit1;
    sum1 += select(value1, 0.0, is_unfit1 && constants.share1 != 0u);
    let value2 = values2[image];
    let is_unfit2 = (bitcast<u32>(value2) & INFINITY) == INFINITY;
    is_unfit = is_unfit || is_unfit2;
    sum2 += select(value2, 0.0, is_unfit2 && constants.share2 != 0u);
    unfit += select(0.0, 1.0, is_unfit);
  }
  add_up(constants.at, sum0, lane);
  add_up(constants.at + 1u, sum1, lane);
  add_up(constants.at + 2u, sum2, lane);
  add_up(constants.unfit_at, unfit, lane);
}
