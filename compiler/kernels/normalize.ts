import { read, written } from "./bindings.js";
import { code, startThread } from "./code.js";
import { defineKernel } from "./define-kernel.js";

const LANES = 64;

/**
 * Scale and shift of a normalization by known statistics; with weight and bias, or without. A
 * thread a channel quad.
 */
export const normalizeScale = defineKernel(
  "normalize_scale",
  ({ isAffine }: { readonly isAffine: boolean }) => ({
    suffix: isAffine ? "_affine" : "",
    summary: "Normalization by known statistics: what to multiply by, and what to add.",
    bindings: {
      mean: read("vec4f"),
      variance: read("vec4f"),
      weight: isAffine ? read("vec4f") : undefined,
      bias: isAffine ? read("vec4f") : undefined,
      scale: written("vec4f"),
      shift: written("vec4f"),
    },
    constants: { quads: "u32", epsilon: "f32" },
    lanes: LANES,
    body: ({ io, k }) => {
      const quad = code`quad`;
      const bias = io.bias?.load(quad) ?? code`vec4f(0)`;
      return code`
        ${startThread(LANES, "quad")}
        if (quad < ${k.quads}) {
          let deviation = sqrt(${io.variance.load(quad)} + vec4f(${k.epsilon}));
          let factor = ${io.weight?.load(quad) ?? code`vec4f(1)`} / deviation;
          ${io.scale.store(quad, code`factor`)}
          ${io.shift.store(quad, code`${bias} - ${io.mean.load(quad)} * factor`)}
        }`;
    },
  }),
);

/** Weights in vec4 of output channels, times the scale of these. A thread a vec4. */
export const scaleColumns = defineKernel("scale_weights_columns", () => ({
  summary: SCALED,
  bindings: { weights: read("vec4f"), scale: read("vec4f"), scaled: written("vec4f") },
  constants: { threads: "u32", columns: "u32", group_quads: "u32", first_quad: "u32" },
  lanes: LANES,
  body: ({ io, k }) => {
    const at = code`at`;
    const column = code`at / ${k.group_quads} * ${k.columns} + at % ${k.columns}`;
    const scale = io.scale.load(code`${k.first_quad} + ${column}`);
    return code`
      ${startThread(LANES, "at")}
      if (at < ${k.threads}) {
        ${io.scaled.store(at, code`${io.weights.load(at)} * ${scale}`)}
      }`;
  },
}));

/** Weights in PyTorch's order times the scale of their output channels. A thread a weight. */
export const scaleWeights = defineKernel("scale_weights_plain", () => ({
  summary: SCALED,
  bindings: { weights: read("f32"), scale: read("f32"), scaled: written("f32") },
  constants: { threads: "u32", per_output: "u32" },
  lanes: LANES,
  body: ({ io, k }) => {
    const at = code`at`;
    const scale = io.scale.load(code`at / ${k.per_output}`);
    return code`
      ${startThread(LANES, "at")}
      if (at < ${k.threads}) {
        ${io.scaled.store(at, code`${io.weights.load(at)} * ${scale}`)}
      }`;
  },
}));

const SCALED = "Weights times the scale of their output channels.";
