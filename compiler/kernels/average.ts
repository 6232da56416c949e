import { inLossScale } from "../../program/loss-scale.js";
import { read, written } from "./bindings.js";
import { block, code, frame, lane } from "./code.js";
import { defineKernel } from "./define-kernel.js";
import { UPDATE_QUADS, UPDATE_WORKGROUP } from "./update.js";

/**
 * An exponential moving average of weights: a share of `decay` of it is kept at each step. It
 * begins with the initial weights. With `skips`, a step that a loss scale had skipped leaves it as
 * it is; with `every`, so do steps in between.
 */
export const average = defineKernel(
  "average_weights",
  ({ skips, every }: { readonly skips: boolean; readonly every?: number | undefined }) => ({
    suffix: `${skips ? "_skipping" : ""}${every ? `_every${every}` : ""}`,
    summary: "The average of the weights over the steps; the weights themselves where it begins.",
    bindings: {
      weights: read("vec4f"),
      average: written("vec4f"),
      loss_scale: skips ? read("f32") : undefined,
    },
    constants: { quads: "u32", decay: "f32" },
    lanes: UPDATE_WORKGROUP,
    body: ({ io, k }) => code`
    ${
      io.loss_scale &&
      code`
      if (${frame.training} != 0u && ${io.loss_scale.load(inLossScale("factor"))} == 0.0) {
        return;
      }`
    }
    ${
      every !== undefined &&
      code`
      if (${frame.training} != 0u && (${frame.step} + 1u) % ${every} != 0u) {
        return;
      }`
    }
    let decay = ${k.decay};
    let first = ${block} * ${UPDATE_WORKGROUP * UPDATE_QUADS} + ${lane};
    for (var turn = 0u; turn < ${UPDATE_QUADS}; turn++) {
      let at = first + turn * ${UPDATE_WORKGROUP};
      if (at < ${k.quads}) {
        let weight = ${io.weights.load(AT)};
        let moved = decay * ${io.average.load(AT)} + (1.0 - decay) * weight;
        ${io.average.store(AT, code`select(weight, moved, ${frame.training} != 0u)`)}
      }
    }`,
  }),
);

/**
 * Stochastic weight averaging: the mean of the weights at the ends of intervals of `every` steps
 * after `start`, and before the first of these the weights themselves.
 */
export const meanOfWeights = defineKernel("mean_of_weights", () => ({
  summary: "The mean of the weights at the ends of intervals; the weights themselves before.",
  bindings: { weights: read("vec4f"), average: written("vec4f") },
  constants: { quads: "u32", start: "u32", every: "u32" },
  lanes: UPDATE_WORKGROUP,
  body: ({ io, k }) => code`
    let done = ${frame.step} + 1u;
    let intervals = (max(done, ${k.start}) - ${k.start}) / ${k.every};
    let averages = ${frame.training} != 0u && intervals > 0u;
    if (averages && (done - ${k.start}) % ${k.every} != 0u) {
      return;
    }
    let share = select(1.0, 1.0 / f32(intervals), averages);
    let first = ${block} * ${UPDATE_WORKGROUP * UPDATE_QUADS} + ${lane};
    for (var turn = 0u; turn < ${UPDATE_QUADS}; turn++) {
      let at = first + turn * ${UPDATE_WORKGROUP};
      if (at < ${k.quads}) {
        let weight = ${io.weights.load(AT)};
        let moved = mix(${io.average.load(AT)}, weight, share);
        ${io.average.store(AT, code`select(moved, weight, share == 1.0)`)}
      }
    }`,
}));

const AT = code`at`;
