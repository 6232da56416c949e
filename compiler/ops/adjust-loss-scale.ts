import {
  inLossScale,
  LARGEST_SCALE,
  LOSS_SCALE,
  LOSS_SCALE_WORDS,
} from "../../program/loss-scale.js";
import type { ValuesOf } from "../../program/words.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";

/**
 * A dynamic loss scale after a step's gradients are known (Micikevicius et al., "Mixed precision
 * training", ICLR 2018; PyTorch's GradScaler). Where the sum of their squares is not a finite
 * number, neither is one of them: the step changes nothing, and the scale backs off.
 */
export const adjustLossScale: OpDefinition<"adjustLossScale"> = {
  outputs([squares, state]) {
    requireShape(squares!, [1]);
    requireShape(state!, [LOSS_SCALE_WORDS]);
    return [{ shape: [4], type: "f32" }];
  },

  reference(inputs, { growth, backoff, interval, clipsNorm }, { optimizer }) {
    const [squares, state] = inputs;
    const kept = state!.data;
    const before = (word: keyof typeof LOSS_SCALE) => kept[inLossScale(word)]!;
    const [scale, steps, skipped] = [before("scale"), before("good_steps"), before("skipped")];
    const [power1, power2] = [before("power1"), before("power2")];
    const isFinite = Number.isFinite(squares!.data[0]);
    const norm = Math.sqrt(squares!.data[0]!) / scale;
    // As torch.nn.utils.clip_grad_norm_ has it.
    const limit = clipsNorm ? (optimizer.clip?.norm ?? Infinity) : Infinity;
    const factor = isFinite ? Math.min(1, limit / (norm + 1e-6)) / scale : 0;
    const grows = isFinite && steps + 1 >= interval;
    const [beta1, beta2] = "beta1" in optimizer ? [optimizer.beta1, optimizer.beta2] : [0, 0];
    const next: ValuesOf<typeof LOSS_SCALE> = {
      scale: isFinite ? Math.min(LARGEST_SCALE, grows ? scale * growth : scale) : scale * backoff,
      good_steps: isFinite && !grows ? steps + 1 : 0,
      power1: isFinite ? power1 * beta1 : power1,
      power2: isFinite ? power2 * beta2 : power2,
      factor,
      skipped: skipped + (isFinite ? 0 : 1),
    };
    for (const word of Object.keys(LOSS_SCALE) as (keyof typeof LOSS_SCALE)[])
      kept[inLossScale(word)] = next[word];
    const applied = Float64Array.of(factor, 1 - next.power1, 1 - next.power2, scale);
    return [{ shape: [4], data: applied }];
  },
};
