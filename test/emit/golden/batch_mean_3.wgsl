// Means over the batch: the loss and the metrics.

struct Frame {
  batch: u32,
  step: u32,
  seed: u32,
  training: u32,
  learning_rate: f32,
  weight_decay: f32,
  clip_norm: f32,
  clip_value: f32,
  momentum: f32,
  nesterov: u32,
  convention: u32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  correction1: f32,
  correction2: f32,
  first_image: u32,
  step_images: u32,
  rest1: f32,
  rest2: f32,
}

@group(0) @binding(0) var<uniform> frame: Frame;

@group(0) @binding(2) var<storage, read> a0: array<f32>;
@group(0) @binding(3) var<storage, read> a1: array<f32>;
@group(0) @binding(4) var<storage, read> a2: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

var<workgroup> partial_total: array<f32, 64>;

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

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  var sum0 = 0f;
  for (var image = lane; image < frame.batch; image += 64u) {
    sum0 += a0[image];
  }
  let mean0 = total(sum0, lane) / f32(frame.step_images);
  if (lane == 0u) {
    y[0] = select(y[0], 0.0, frame.first_image == 0u) + mean0;
  }
  var sum1 = 0f;
  for (var image = lane; image < frame.batch; image += 64u) {
    sum1 += a1[image];
  }
  let mean1 = total(sum1, lane) / f32(frame.step_images);
  if (lane == 0u) {
    y[1] = select(y[1], 0.0, frame.first_image == 0u) + mean1;
  }
  var sum2 = 0f;
  for (var image = lane; image < frame.batch; image += 64u) {
    sum2 += a2[image];
  }
  let mean2 = total(sum2, lane) / f32(frame.step_images);
  if (lane == 0u) {
    y[2] = select(y[2], 0.0, frame.first_image == 0u) + mean2;
  }
}
