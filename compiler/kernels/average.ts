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

const AT = code`at`;
