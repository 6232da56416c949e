import { binary, constant } from "../ir/expression.js";
import { float } from "../calls/argument-types.js";
import { optional } from "../calls/signature.js";
import { defineActivation } from "./activation.js";
import type { InferenceContext } from "./layer.js";

export const clip = defineActivation({
  name: "clip",
  aliases: [
    ...["Clip", "clamp"],
    {
      name: "Hardtanh",
      positional: ["min", "max"],
      defaults: { min: "-1", max: "1" },
      translates: {
        min_val: { name: "min", note: "`min_val` of PyTorch is `min` here" },
        max_val: { name: "max", note: "`max_val` of PyTorch is `max` here" },
      },
    },
  ],
  summary: "limits values to a range",
  documentation: `
\`y = min(max(x, min), max)\`; one of the limits may be left out. Element by element; input and
output have the same shape. \`clip(-1, max=1)\` is PyTorch's \`Hardtanh\`; \`relu6\` is
\`clip(0, max=6)\`.
`,
  positional: ["min", "max"],
  arguments: {
    min: optional(float(), "the least value"),
    max: optional(float(), "the largest value"),
  },
  samples: [
    { spec: "clip(-1, max=1)", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "clip(max=0.5)", input: [10], output: [10] },
    { spec: "clip(min=-0.5)", input: [10], output: [10] },
  ],

  check({ min, max }, context) {
    if (min === undefined && max === undefined) reportMissing(context);
    else if (min !== undefined && max !== undefined && min >= max) reportOrder(min, max, context);
  },

  expression(x, { min, max }) {
    const above = min === undefined ? x : binary("maximum", x, constant(min));
    return max === undefined ? above : binary("minimum", above, constant(max));
  },
});

function reportMissing(context: InferenceContext): void {
  context.report("NET1010", {
    message: `${context.title} needs \`min\`, \`max\` or both: without them it changes nothing`,
    label: "no limits",
  });
}

function reportOrder(min: number, max: number, context: InferenceContext): void {
  context.report("NET1010", {
    message:
      `${context.title}: min=${min} is not below max=${max}, ` +
      `so that every value becomes ${max}`,
    at: "max",
    label: `must be above ${min}`,
  });
}
