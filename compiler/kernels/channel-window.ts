import { describe, print } from "./expression.js";
import type { Epilogue } from "./epilogue.js";
import type { Kernel } from "./kernel.js";
import { quadKernel } from "./pointwise.js";
import { wgsl } from "./wgsl.js";
import type { Expression } from "../ir/expression.js";

/**
 * Sums over neighbouring channels, as local response normalisation needs. The prologue is computed on each element read.
 */
export function channelWindowSum(prologue: Expression, epilogue: Epilogue): Kernel {
  const element = print(prologue, {
    type: "f32",
    operand: () => "a[start + c]",
    channel: () => {
      throw new Error("a channel window's prologue reads no vectors");
    },
    counter: "0u",
  });
  const words = describe(prologue);
  return quadKernel({
    name: `channel_window_sum${words === "" ? "" : `_of_${words}`}`,
    summary: "Sum over a window of neighbouring channels.",
    storage: [{ name: "a", access: "read", element: "f32" }],
    constants: ["window_channels", "before", "after", "a_image", "a_row", "a_column", "a_base"],
    inputs: [],
    result: wgsl`
      let first = 4u * quad;
      let start = 4u * (constants.a_base + image * constants.a_image + y * constants.a_row + x * constants.a_column);
      let lanes = vec4i(i32(first)) + vec4i(0, 1, 2, 3);
      var value = vec4f(0);
      let low = u32(max(i32(first) - i32(constants.before), 0));
      let high = min(first + 4u + constants.after, constants.window_channels);
      for (var c = low; c < high; c++) {
        let element = ${element};
        let distance = vec4i(i32(c)) - lanes;
        let inside = (distance >= vec4i(-i32(constants.before))) & (distance <= vec4i(i32(constants.after)));
        value += select(vec4f(0), vec4f(element), inside);
      }`,
    epilogue,
  });
}
