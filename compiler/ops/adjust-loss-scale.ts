import {
  inLossScale,
  LARGEST_SCALE,
  LOSS_SCALE,
  LOSS_SCALE_WORDS,
} from "../../program/loss-scale.js";
import type { ValuesOf } from "../../program/words.js";
import type { OptimizerSettings } from "../../program/optimizers.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";

/**
 * A dynamic loss scale after a step's gradients are known (Micikevicius et al., "Mixed precision
 * training", ICLR 2018; PyTorch's GradScaler). Where the sum of their squares is not a finite
 * number, neither is one of them: the step changes nothing, and the scale backs off.
 */
export const adjustLossScale: OpDefinition<"adjustLossScale"> = {
  outputs([state, squares]) {
    requireShape(state!, [LOSS_SCALE_WORDS]);
    if (squares) requireShape(squares, [1]);
    return [{ shape: [4], type: "f32" }];
  },

  reference(inputs, attributes, { optimizer }) {
    const [state, gradients] = inputs;
    const { growth, backoff, interval, isStatic, clipsNorm, counts } = attributes;
    const kept = state!.data;
    const before = (word: keyof typeof LOSS_SCALE) => kept[inLossScale(word)]!;
    const [scale, steps, skipped] = [before("scale"), before("good_steps"), before("skipped")];
    const [power1, power2] = [before("power1"), before("power2")];
    const squares = gradients?.data[0] ?? 0;
    const isFinite = isStatic || Number.isFinite(squares);
    const norm = Math.sqrt(squares) / scale;
    // As torch.nn.utils.clip_grad_norm_ has it.
    const limit = clipsNorm ? (optimizer.clip?.norm ?? Infinity) : Infinity;
    const factor = isFinite ? Math.min(1, limit / (norm + 1e-6)) / scale : 0;
    const grows = isFinite && steps + 1 >= interval;
    const [updates, length] = [before("updates"), before("length")];
    const [beta1, beta2] = averagesIn(optimizer, updates + 1);
    const next: ValuesOf<typeof LOSS_SCALE> = {
      scale: isFinite ? Math.min(LARGEST_SCALE, grows ? scale * growth : scale) : scale * backoff,
      good_steps: isFinite && !grows ? steps + 1 : 0,
      power1: isFinite ? power1 * beta1 : power1,
      power2: isFinite ? power2 * beta2 : power2,
      factor,
      skipped: skipped + (isFinite ? 0 : 1),
      updates: updates + (isFinite ? 1 : 0),
      length: counts === "radam" && isFinite ? length + (2 * updates + 1) * power2 : length,
    };
    for (const word of Object.keys(LOSS_SCALE) as (keyof typeof LOSS_SCALE)[])
      kept[inLossScale(word)] = next[word];
    const { correction1, adjustment } = counted(optimizer, next);
    const applied = Float64Array.of(factor, correction1, 1 - next.power2, adjustment);
    return [{ shape: [4], data: applied }];
  },
};

type Next = ValuesOf<typeof LOSS_SCALE>;

/** What averages are divided by after this many updates, and how steps are adjusted. */
function counted(optimizer: OptimizerSettings, { power1, power2, updates }: Next) {
  switch (optimizer.kind) {
    case "nadam": {
      const [now, next] = [
        nadamMomentum(optimizer, updates),
        nadamMomentum(optimizer, updates + 1),
      ];
      return {
        correction1: (1 - power1 * next) / next,
        adjustment: (1 - now) / (1 - power1),
      };
    }
    case "radam":
      return { correction1: 1 - power1, adjustment: rectification(optimizer, updates, power2) };
    default:
      return { correction1: 1 - power1, adjustment: 0 };
  }
}

type Nadam = Extract<OptimizerSettings, { readonly kind: "nadam" }>;

/** In the update of this number, counted from 1 (Dozat, ICLR 2016 workshop). */
const nadamMomentum = ({ beta1, momentumDecay }: Nadam, update: number): number =>
  beta1 * (1 - 0.5 * 0.96 ** (update * momentumDecay));

/** Of a step of RAdam (arXiv:1908.03265); 0 where its average of squares is too short. */
function rectification({ beta2 }: { readonly beta2: number }, update: number, power: number) {
  const longest = 2 / (1 - beta2) - 1;
  const length = longest - (2 * update * power) / (1 - power);
  if (length <= 5) return 0;
  const grown = (length - 4) * (length - 2) * longest;
  return Math.sqrt(grown / ((longest - 4) * (longest - 2) * length));
}

/** The shares that the two averages keep in the update of this number, counted from 1. */
function averagesIn(optimizer: OptimizerSettings, time: number): readonly [number, number] {
  if (optimizer.kind === "nadam") return [nadamMomentum(optimizer, time), optimizer.beta2];
  return "beta1" in optimizer ? [optimizer.beta1, optimizer.beta2] : [0, 0];
}
