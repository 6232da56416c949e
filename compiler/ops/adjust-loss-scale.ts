import { LARGEST_SCALE } from "../../program/loss-scale.js";
import { LOSS_SCALE_WORDS } from "../ir/graph.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { stored } from "./tensors.js";

/**
 * A dynamic loss scale after a step's gradients are known (Micikevicius et al., "Mixed precision training", ICLR 2018; PyTorch's GradScaler).
 * Where the sum of their squares is no finite number, neither is one of them: the step changes nothing, and the scale backs off.
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
    const [scale, steps, power1, power2] = kept as unknown as [number, number, number, number];
    const isFinite = Number.isFinite(squares!.data[0]);
    const norm = Math.sqrt(squares!.data[0]!) / scale;
    // As torch.nn.utils.clip_grad_norm_ has it.
    const limit = clipsNorm ? (optimizer.clip?.norm ?? Infinity) : Infinity;
    const factor = isFinite ? Math.min(1, limit / (norm + 1e-6)) / scale : 0;
    const grows = isFinite && steps + 1 >= interval;
    kept[0] = isFinite ? Math.min(LARGEST_SCALE, grows ? scale * growth : scale) : scale * backoff;
    kept[1] = isFinite && !grows ? steps + 1 : 0;
    const [beta1, beta2] = "beta1" in optimizer ? [optimizer.beta1, optimizer.beta2] : [0, 0];
    kept[2] = isFinite ? power1 * beta1 : power1;
    kept[3] = isFinite ? power2 * beta2 : power2;
    kept[4] = factor;
    kept[5] = kept[5]! + (isFinite ? 0 : 1);
    const applied = Float64Array.of(factor, 1 - kept[2], 1 - kept[3], scale);
    return [stored({ shape: [4], data: applied }, inputs)];
  },
};
