import {
  type APPLIED_SCALE,
  inAppliedScale,
  inLossScale,
  LARGEST_SCALE,
  type LOSS_SCALE,
} from "../../program/loss-scale.js";
import { IDENTITY } from "./epilogue.js";
import { assemble, type Kernel } from "./kernel.js";
import { quadKernel } from "./pointwise-old.js";
import { wgsl } from "./wgsl.js";

const state = (word: keyof typeof LOSS_SCALE) => `state[${inLossScale(word)}]`;

const applied = (word: keyof typeof APPLIED_SCALE) => `applied[${inAppliedScale(word)}]`;

/** The state that a dynamic loss scale begins with. A single thread; `scale` is the bits of an f32. */
export function startLossScale(): Kernel {
  return assemble({
    name: "start_loss_scale",
    summary: "A loss scale before the first step.",
    storage: [{ name: "state", access: "read_write", element: "f32" }],
    constants: ["scale"],
    workgroupSize: 1,
    body: wgsl`
      ${state("scale")} = bitcast<f32>(constants.scale);
      ${state("good_steps")} = 0.0;
      ${state("power1")} = 1.0;
      ${state("power2")} = 1.0;
      ${state("factor")} = 0.0;
      ${state("skipped")} = 0.0;`,
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
    result: `let value = ${state("scale")} * a[a_place + quad];`,
    epilogue: IDENTITY,
  });
}

/**
 * What becomes of a step's gradients, by the sum of their squares, and of the loss scale. A single thread. That a number is not finite is
 * seen by its bits: WGSL may assume that all are.
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
      let scale = ${state("scale")};
      let is_finite = (bitcast<u32>(squares[0]) & 0x7f800000u) != 0x7f800000u;
      let factor = select(0.0, ${limit}, is_finite);
      let good = ${state("good_steps")} + 1.0;
      let grows = good >= f32(constants.interval);
      let grown = min(scale * bitcast<f32>(constants.growth), ${LARGEST_SCALE}f);
      let backed_off = scale * bitcast<f32>(constants.backoff);
      ${state("scale")} = select(backed_off, select(scale, grown, grows), is_finite);
      ${state("good_steps")} = select(0.0, good, is_finite && !grows);
      let power1 = ${state("power1")} * select(1.0, frame.beta1, is_finite);
      let power2 = ${state("power2")} * select(1.0, frame.beta2, is_finite);
      ${state("power1")} = power1;
      ${state("power2")} = power2;
      ${state("factor")} = factor;
      ${state("skipped")} += select(1.0, 0.0, is_finite);
      ${applied("factor")} = factor;
      ${applied("correction1")} = 1.0 - power1;
      ${applied("correction2")} = 1.0 - power2;
      ${applied("scale")} = scale;`,
  });
}
