import { inLossScale } from "../../program/loss-scale.js";
import { assemble, type Kernel } from "./kernel.js";
import { UPDATE_QUADS, UPDATE_WORKGROUP } from "./update.js";
import { wgsl } from "./wgsl.js";

/**
 * An exponential moving average of weights: a share of `decay` of it is kept at each step. It begins with the initial weights. With `skips`,
 * a step that a loss scale had skipped leaves it as it is.
 */
export function average({ skips }: { readonly skips: boolean }): Kernel {
  const wasSkipped = `frame.training != 0u && loss_scale[${inLossScale("factor")}] == 0.0`;
  return assemble({
    name: `average_weights${skips ? "_skipping" : ""}`,
    summary: "The average of the weights over the steps; the weights themselves where it begins.",
    storage: [
      { name: "weights", access: "read", element: "vec4f" },
      { name: "average", access: "read_write", element: "vec4f" },
      ...(skips ? [{ name: "loss_scale", access: "read", element: "f32" } as const] : []),
    ],
    constants: ["quads", "decay"],
    workgroupSize: UPDATE_WORKGROUP,
    body: wgsl`
      ${skips ? `if (${wasSkipped}) {\n  return;\n}` : ""}
      let decay = bitcast<f32>(constants.decay);
      let first = block * ${UPDATE_WORKGROUP * UPDATE_QUADS}u + lane;
      for (var turn = 0u; turn < ${UPDATE_QUADS}u; turn++) {
        let at = first + turn * ${UPDATE_WORKGROUP}u;
        if (at < constants.quads) {
          let weight = weights[at];
          let moved = decay * average[at] + (1.0 - decay) * weight;
          average[at] = select(weight, moved, frame.training != 0u);
        }
      }`,
  });
}
