import type { Expression } from "../ir/expression.js";
import { read } from "./bindings.js";
import { code } from "./code.js";
import { describe, expressionDeclarations, print } from "./expression.js";
import { defineQuads } from "./quads.js";

/**
 * Sums over neighboring channels, as local response normalization needs. The prologue is computed
 * on each element read.
 */
export const channelWindowSum = defineQuads(
  "channel_window_sum",
  ({ prologue }: { readonly prologue: Expression }) => {
    const words = describe(prologue);
    return {
      suffix: words === "" ? "" : `_of_${words}`,
      summary: "Sum over a window of neighboring channels.",
      bindings: { input: read("f32") },
      constants: { window_channels: "u32", before: "u32", after: "u32", input: "place" },
      declarations: expressionDeclarations([prologue]),
      value: ({ io, k }) => {
        const element = print(prologue, {
          type: "f32",
          operand: () => io.input.load(code`start + channel`),
          channel: () => {
            throw new Error("a channel window's prologue reads no vectors");
          },
          counter: () => code`0u`,
        });
        const isInside = code`(distance >= vec4i(-i32(${k.before})))`;
        const isBefore = code`(distance <= vec4i(i32(${k.after})))`;
        return code`
          let first = 4u * quad;
          let start = 4u * ${k.input.at(code`image`, code`y`, code`x`)};
          let lanes = vec4i(i32(first)) + vec4i(0, 1, 2, 3);
          var value = vec4f(0);
          let low = u32(max(i32(first) - i32(${k.before}), 0));
          let high = min(first + 4u + ${k.after}, ${k.window_channels});
          for (var channel = low; channel < high; channel++) {
            let element = ${element};
            let distance = vec4i(i32(channel)) - lanes;
            let inside = ${isInside} & ${isBefore};
            value += select(vec4f(0), vec4f(element), inside);
          }`;
      },
    };
  },
);
