import { LARGEST_SCALE } from "../../program/loss-scale.js";
import { IDENTITY } from "./epilogue.js";
import { assemble, type Kernel } from "./kernel.js";
import { quadKernel } from "./pointwise.js";
import { wgsl } from "./wgsl.js";

/** The state that a dynamic loss scale begins with. A single thread; `scale` is the bits of an f32. */
export function startLossScale(): Kernel {
  return assemble({
    name: "start_loss_scale",
    summary: "A loss scale before the first step.",
    storage: [{ name: "state", access: "read_write", element: "f32" }],
    constants: ["scale"],
    workgroupSize: 1,
    body: wgsl`
      state[0] = bitcast<f32>(constants.scale);
      state[1] = 0.0;
      state[2] = 1.0;
      state[3] = 1.0;
      state[4] = 0.0;
      state[5] = 0.0;`,
  });
}

/** A gradient times the loss scale. */
export function scaleGradient(): Kernel {
  return quadKernel({
    name: "scale_gradient",
    summary: "A loss's gradient times the loss scale.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "state", access: "read", element: "f32" },
    ],
    inputs: ["a"],
    result: "let value = state[0] * a[a_place + quad];",
    epilogue: IDENTITY,
  });
}

/**
 * What becomes of a step's gradients, by the sum of their squares, and of the loss scale. A single thread. That a number is not finite is
 * seen by its bits: WGSL may assume that all are. state: LOSS_SCALE_WORDS; applied: factor, bias corrections, scale.
 */
export function adjustLossScale({ clipsNorm }: { readonly clipsNorm: boolean }): Kernel {
  const norm = "sqrt(squares[0]) / scale";
  const limit = clipsNorm ? `min(1.0, frame.clip_norm / (${norm} + 1e-6)) / scale` : "1.0 / scale";
  return assemble({
    name: `adjust_loss_scale${clipsNorm ? "_norm" : ""}`,
    summary: "The loss scale after a step, and whether the step counts.",
    storage: [
      { name: "squares", access: "read", element: "f32" },
      { name: "state", access: "read_write", element: "f32" },
      { name: "applied", access: "read_write", element: "f32" },
    ],
    constants: ["growth", "backoff", "interval"],
    workgroupSize: 1,
    body: wgsl`
      let scale = state[0];
      let is_finite = (bitcast<u32>(squares[0]) & 0x7f800000u) != 0x7f800000u;
      let factor = select(0.0, ${limit}, is_finite);
      let good = state[1] + 1.0;
      let grows = good >= f32(constants.interval);
      let grown = min(scale * bitcast<f32>(constants.growth), ${LARGEST_SCALE}f);
      let backed_off = scale * bitcast<f32>(constants.backoff);
      state[0] = select(backed_off, select(scale, grown, grows), is_finite);
      state[1] = select(0.0, good, is_finite && !grows);
      let power1 = state[2] * select(1.0, frame.beta1, is_finite);
      let power2 = state[3] * select(1.0, frame.beta2, is_finite);
      state[2] = power1;
      state[3] = power2;
      state[4] = factor;
      state[5] += select(1.0, 0.0, is_finite);
      applied[0] = factor;
      applied[1] = 1.0 - power1;
      applied[2] = 1.0 - power2;
      applied[3] = scale;`,
  });
}
