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
  a: Place,
  y: Place,
  pixels: u32,
  width: u32,
  channels: u32,
  smoothing: f32,
  weight: f32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> hits1: array<f32>;
@group(0) @binding(6) var<storage, read_write> hits5: array<f32>;
@group(0) @binding(7) var<storage, read_write> result: array<f32>;

var<workgroup> partial_largest: array<f32, 64>;
var<workgroup> partial_total: array<f32, 64>;

fn largest(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  partial_largest[lane] = value;
  workgroupBarrier();
  var result = partial_largest[0];
  for (var other = 1u; other < 64u; other++) {
    result = max(result, partial_largest[other]);
  }
  return result;
}

fn total(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  partial_total[lane] = value;
  workgroupBarrier();
  var result = partial_total[0];
  for (var other = 1u; other < 64u; other++) {
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
  let a_place = 4u * place_of(constants.a, image, y, x);
  let y_place = 4u * place_of(constants.y, image, y, x);
  let label = labels[block];
  let label_logit = a[a_place + label];
  let smoothing = constants.smoothing;
  let classes = f32(constants.channels);
  var most = -0x1.fffffep+127f;
  for (var c = lane; c < constants.channels; c += 64u) {
    most = max(most, a[a_place + c]);
  }
  most = largest(most, lane);
  var exponentials = 0f;
  var logits = 0f;
  for (var c = lane; c < constants.channels; c += 64u) {
    exponentials += exp(a[a_place + c] - most);
    logits += a[a_place + c] - most;
  }
  exponentials = total(exponentials, lane);
  logits = total(logits, lane);
  var rank = 0f;
  for (var c = lane; c < constants.channels; c += 64u) {
    let logit = a[a_place + c];
    let before = logit > label_logit || (logit == label_logit && c < label);
    rank += select(select(0.0, 1.0, before), 0x1p23, (bitcast<u32>(logit) & 0x7f800000u) == 0x7f800000u);
  }
  rank = total(rank, lane);
  let is_unfit = rank >= 0x1p23;
  if (lane == 0u) {
    losses[block] = log(exponentials) - (1.0 - smoothing) * (label_logit - most) - smoothing * logits / classes;
    hits1[block] = bitcast<f32>(select(bitcast<u32>(select(0.0, 1.0, rank < 1.0)), 0x7fc00000u, is_unfit));
    hits5[block] = bitcast<f32>(select(bitcast<u32>(select(0.0, 1.0, rank < 5.0)), 0x7fc00000u, is_unfit));
  }
  let share = constants.weight / f32(frame.step_images);
  for (var c = lane; c < constants.channels; c += 64u) {
    let expected = select(0.0, 1.0 - smoothing, c == label) + smoothing / classes;
    let probability = exp(a[a_place + c] - most) / exponentials;
    result[y_place + c] = share * (probability - expected);
  }
}
