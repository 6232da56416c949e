// Cross-entropy, its gradient and top-k hits of one example a workgroup.

struct Frame {
  batch: u32,
  first_image: u32,
  step_images: u32,
}

struct Place {
  image_pitch: u32,
  row_pitch: u32,
  column_pitch: u32,
  base: u32,
}

struct Constants {
  input: Place,
  result: Place,
  pixels: u32,
  width: u32,
  channels: u32,
  smoothing: f32,
  weight: f32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> hits1: array<f32>;
@group(0) @binding(6) var<storage, read_write> hits5: array<f32>;
@group(0) @binding(7) var<storage, read_write> result: array<f32>;

const LANES = 64u;
const LOWEST = -0x1.fffffep+127f;
const UNFIT = 0x1p23;
const INFINITY = 0x7f800000;
const NAN_BITS = 0x7fc00000u;
var<workgroup> partial_largest: array<f32, 64>;
var<workgroup> partial_total: array<f32, 64>;

fn largest(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  partial_largest[lane] = value;
  workgroupBarrier();
  var result = partial_largest[0];
  for (var other = 1u; other < LANES; other++) {
    result = max(result, partial_largest[other]);
  }
  return result;
}

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
  if (block >= frame.batch * constants.pixels) {
    return;
  }
  let image = block / constants.pixels;
  let y = block % constants.pixels / constants.width;
  let x = block % constants.width;
  let input_place = 4u * place_of(constants.input, image, y, x);
  let result_place = 4u * place_of(constants.result, image, y, x);
  let label = labels[block];
  let label_logit = input[input_place + label];
  let smoothing = constants.smoothing;
  let classes = f32(constants.channels);
  // The largest: less it, no exponential overflows.
  var most = LOWEST;
  for (var channel = lane; channel < constants.channels; channel += LANES) {
    most = max(most, input[input_place + channel]);
  }
  most = largest(most, lane);
  // Softmax.
  var exponentials = 0f;
  var logits = 0f;
  for (var channel = lane; channel < constants.channels; channel += LANES) {
    exponentials += exp(input[input_place + channel] - most);
    logits += input[input_place + channel] - most;
  }
  exponentials = total(exponentials, lane);
  logits = total(logits, lane);
  // Logits before the label's.
  var rank = 0f;
  for (var channel = lane; channel < constants.channels; channel += LANES) {
    let logit = input[input_place + channel];
    let before = logit > label_logit || (logit == label_logit && channel < label);
    rank += select(select(0.0, 1.0, before), UNFIT, (bitcast<u32>(logit) & INFINITY) == INFINITY);
  }
  rank = total(rank, lane);
  let is_unfit = rank >= UNFIT;
  // Write.
  if (lane == 0u) {
    losses[block] = log(exponentials) - (1.0 - smoothing) * (label_logit - most) - smoothing * logits / classes;
    hits1[block] = bitcast<f32>(select(bitcast<u32>(select(0.0, 1.0, rank < 1.0)), NAN_BITS, is_unfit));
    hits5[block] = bitcast<f32>(select(bitcast<u32>(select(0.0, 1.0, rank < 5.0)), NAN_BITS, is_unfit));
  }
  let share = constants.weight / f32(frame.step_images);
  for (var channel = lane; channel < constants.channels; channel += LANES) {
    let expected = select(0.0, 1.0 - smoothing, channel == label) + smoothing / classes;
    let probability = exp(input[input_place + channel] - most) / exponentials;
    result[result_place + channel] = share * (probability - expected);
  }
}
