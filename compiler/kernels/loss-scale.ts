import {
  type APPLIED_SCALE,
  inAppliedScale,
  inLossScale,
  LARGEST_SCALE,
  type LOSS_SCALE,
} from "../../program/loss-scale.js";
import { read, written, type Loaded } from "./bindings.js";
import { code, frame, text, type Code } from "./code.js";
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
      ${store("skipped", code`0.0`)}`;
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

/**
 * What becomes of a step's gradients, by the sum of their squares, and of the loss scale. A single
 * thread. That a number is not finite is seen by its bits: WGSL may assume that all are.
 */
export const adjustLossScale = defineKernel(
  "adjust_loss_scale",
  ({ clipsNorm }: { readonly clipsNorm: boolean }) => ({
    suffix: clipsNorm ? "_norm" : "",
    summary: "The loss scale after a step, and whether the step counts.",
    bindings: { squares: read("f32"), state: written("f32"), applied: written("f32") },
    constants: { growth: "f32", backoff: "f32", interval: "u32" },
    lanes: 1,
    body: ({ io, k }) => {
      const state = (word: Word) => loadWord(io.state, word);
      const store = (word: Word, value: Code) => io.state.store(inLossScale(word), value);
      const apply = (word: keyof typeof APPLIED_SCALE, value: Code) =>
        io.applied.store(inAppliedScale(word), value);
      const squares = io.squares.load(0);
      const norm = code`sqrt(${squares}) / scale`;
      const clipped = code`min(1.0, ${frame.clip_norm} / (${norm} + 1e-6)) / scale`;
      const limit = clipsNorm ? clipped : code`1.0 / scale`;
      const largest = text(`${LARGEST_SCALE}f`);
      return code`
        let scale = ${state("scale")};
        let is_finite = (bitcast<u32>(${squares}) & 0x7f800000u) != 0x7f800000u;
        let factor = select(0.0, ${limit}, is_finite);
        let good = ${state("good_steps")} + 1.0;
        let grows = good >= f32(${k.interval});
        let grown = min(scale * ${k.growth}, ${largest});
        let backed_off = scale * ${k.backoff};
        ${store("scale", code`select(backed_off, select(scale, grown, grows), is_finite)`)}
        ${store("good_steps", code`select(0.0, good, is_finite && !grows)`)}
        let power1 = ${state("power1")} * select(1.0, ${frame.beta1}, is_finite);
        let power2 = ${state("power2")} * select(1.0, ${frame.beta2}, is_finite);
        ${store("power1", code`power1`)}
        ${store("power2", code`power2`)}
        ${store("factor", code`factor`)}
        ${store("skipped", code`${state("skipped")} + select(1.0, 0.0, is_finite)`)}
        ${apply("factor", code`factor`)}
        ${apply("correction1", code`1.0 - power1`)}
        ${apply("correction2", code`1.0 - power2`)}
        ${apply("scale", code`scale`)}`;
    },
  }),
);
