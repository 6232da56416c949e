import {
  type APPLIED_SCALE,
  inAppliedScale,
  inLossScale,
  LARGEST_SCALE,
  type LOSS_SCALE,
} from "../../program/loss-scale.js";
import type { CountingKind } from "../../program/optimizers.js";
import type { LossScaleAttributes } from "../ir/graph.js";
import { read, written, type Loaded, type Stored } from "./bindings.js";
import { code, frame, helper, text, type Code } from "./code.js";
import { defineKernel } from "./define-kernel.js";
import { defineQuads } from "./quads.js";

type Word = keyof typeof LOSS_SCALE;

/** The words of a dynamic loss scale's state. */
const loadWord = (state: Loaded, word: Word) => state.load(inLossScale(word));

/** The state that a dynamic loss scale begins with. A single thread. */
export const startLossScale = defineKernel("start_loss_scale", () => ({
  summary: "A loss scale before the first step.",
  bindings: { state: written("f32") },
  constants: { scale: "f32" },
  lanes: 1,
  body: ({ io, k }) => {
    const store = (word: Word, value: Code) => io.state.store(inLossScale(word), value);
    return code`
      ${store("scale", k.scale)}
      ${store("good_steps", code`0.0`)}
      ${store("power1", code`1.0`)}
      ${store("power2", code`1.0`)}
      ${store("factor", code`0.0`)}
      ${store("skipped", code`0.0`)}
      ${store("updates", code`0.0`)}
      ${store("length", code`0.0`)}`;
  },
}));

/** A gradient times the loss scale. */
export const scaleGradient = defineQuads("scale_gradient", () => ({
  summary: "A loss's gradient times the loss scale.",
  bindings: { input: read("vec4f"), state: read("f32") },
  constants: { input: "place" },
  inputs: ["input"],
  value: ({ io }) =>
    code`let value = ${loadWord(io.state, "scale")} * ${io.input.load(code`input_place + quad`)};`,
}));

/** NAdam's momentum in the update of this number: 0.96^x is 2^(log2(0.96) x). */
const MOMENTUM = helper(
  "momentum_at",
  code`
    fn momentum_at(time: f32, momentum_decay: f32) -> f32 {
      return ${frame.beta1} * (1.0 - 0.5 * exp2(-0.058893689 * momentum_decay * time));
    }`,
);

const nadamCorrection = (decay: Code) => code`1.0 / ${MOMENTUM}(updates + 1.0, ${decay}) - power1`;

/** RAdam's sum, by what the state held before. */
const lengthened = (state: Stored) => code`
  let added = (2.0 * updates - 1.0) * ${loadWord(state, "power2")};
  let total = ${loadWord(state, "length")} + select(0.0, added, is_finite);
  ${state.store(inLossScale("length"), code`total`)}`;

/** The length of RAdam's average is over the sum of beta2^j, (1 - beta2^t) / (1 - beta2). */
const RECTIFICATION = helper(
  "rectification",
  code`
    fn rectification(terms: f32) -> f32 {
      let longest = 2.0 / ${frame.rest2} - 1.0;
      let grown = (terms - 4.0) * (terms - 2.0) * longest;
      let most = (longest - 4.0) * (longest - 2.0) * terms;
      return select(0.0, sqrt(max(grown / most, 0.0)), terms > 5.0);
    }`,
);

const ADJUSTMENTS: Readonly<Record<CountingKind, Code>> = {
  nadam: code`(1.0 - momentum) / (1.0 - power1)`,
  radam: code`${RECTIFICATION}(total * ${frame.rest2} / (1.0 - power2))`,
};

type AdjustmentVariant = Pick<LossScaleAttributes, "isStatic" | "clipsNorm" | "counts">;

/**
 * What becomes of a step's gradients, by the sum of their squares, and of the loss scale. A single
 * thread. That a number is not finite is seen by its bits: WGSL may assume that all are.
 */
export const adjustLossScale = defineKernel(
  "adjust_loss_scale",
  ({ isStatic, clipsNorm, counts }: AdjustmentVariant) => ({
    suffix: `${isStatic ? "_static" : ""}${counts ? `_${counts}` : ""}${clipsNorm ? "_norm" : ""}`,
    summary: "The loss scale after a step, and whether the step counts.",
    bindings: {
      squares: isStatic && !clipsNorm ? undefined : read("f32"),
      state: written("f32"),
      applied: written("f32"),
    },
    constants: {
      growth: "f32",
      backoff: "f32",
      interval: "u32",
      momentum_decay: counts === "nadam" ? "f32" : undefined,
    },
    lanes: 1,
    body: ({ io, k }) => {
      const state = (word: Word) => loadWord(io.state, word);
      const store = (word: Word, value: Code) => io.state.store(inLossScale(word), value);
      const apply = (word: keyof typeof APPLIED_SCALE, value: Code) =>
        io.applied.store(inAppliedScale(word), value);
      const squares = io.squares?.load(0);
      const norm = squares && code`sqrt(${squares}) / scale`;
      const clipped = code`min(1.0, ${frame.clip_norm} / (${norm} + 1e-6)) / scale`;
      const isFinite = code`(bitcast<u32>(${squares}) & 0x7f800000u) != 0x7f800000u`;
      const limit = clipsNorm ? clipped : code`1.0 / scale`;
      const largest = text(`${LARGEST_SCALE}f`);
      const decay = k.momentum_decay;
      const share = decay ? code`momentum` : frame.beta1;
      return code`
        let scale = ${state("scale")};
        let is_finite = ${isStatic ? code`true` : isFinite};
        let factor = select(0.0, ${limit}, is_finite);
        let good = ${state("good_steps")} + 1.0;
        let grows = good >= f32(${k.interval});
        let grown = min(scale * ${k.growth}, ${largest});
        let backed_off = scale * ${k.backoff};
        ${store("scale", code`select(backed_off, select(scale, grown, grows), is_finite)`)}
        ${store("good_steps", code`select(0.0, good, is_finite && !grows)`)}
        let updates = ${state("updates")} + select(0.0, 1.0, is_finite);
        ${store("updates", code`updates`)}
        ${decay && code`let momentum = ${MOMENTUM}(updates, ${decay});`}
        ${counts === "radam" && lengthened(io.state)}
        let power1 = ${state("power1")} * select(1.0, ${share}, is_finite);
        let power2 = ${state("power2")} * select(1.0, ${frame.beta2}, is_finite);
        ${store("power1", code`power1`)}
        ${store("power2", code`power2`)}
        ${store("factor", code`factor`)}
        ${store("skipped", code`${state("skipped")} + select(1.0, 0.0, is_finite)`)}
        ${apply("factor", code`factor`)}
        ${apply("correction1", decay ? nadamCorrection(decay) : code`1.0 - power1`)}
        ${apply("correction2", code`1.0 - power2`)}
        ${apply("adjustment", counts ? ADJUSTMENTS[counts] : code`0.0`)}`;
    },
  }),
);
