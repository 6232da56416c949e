import { assemble, type Kernel } from "./kernel.js";
import { wgsl } from "./wgsl.js";

export const NORMALIZE_WORKGROUP = 64;

/** Scale and shift of a normalisation by known statistics; with weight and bias, or without. A thread a channel quad. */
export function normalizeScale({ isAffine }: { readonly isAffine: boolean }): Kernel {
  const read = ["mean", "variance", ...(isAffine ? ["weight", "bias"] : [])];
  return assemble({
    name: `normalize_scale${isAffine ? "_affine" : ""}`,
    summary: "Normalisation by known statistics: what to multiply by, and what to add.",
    storage: [
      ...read.map((name) => ({ name, access: "read", element: "vec4f" }) as const),
      { name: "scale", access: "read_write", element: "vec4f" },
      { name: "shift", access: "read_write", element: "vec4f" },
    ],
    constants: ["quads", "epsilon"],
    workgroupSize: NORMALIZE_WORKGROUP,
    body: wgsl`
      let quad = block * ${NORMALIZE_WORKGROUP}u + lane;
      if (quad < constants.quads) {
        let deviation = sqrt(variance[quad] + vec4f(bitcast<f32>(constants.epsilon)));
        let factor = ${isAffine ? "weight[quad]" : "vec4f(1)"} / deviation;
        scale[quad] = factor;
        shift[quad] = ${isAffine ? "bias[quad]" : "vec4f(0)"} - mean[quad] * factor;
      }`,
  });
}

/** How weights lie: in vec4 of output channels, or in PyTorch's order. */
export type WeightOrder = "columns" | "plain";

const SCALED: Readonly<
  Record<WeightOrder, { readonly constants: string[]; readonly channel: string }>
> = {
  columns: {
    constants: ["columns", "group_quads", "first_quad"],
    channel:
      "constants.first_quad + at / constants.group_quads * constants.columns + at % constants.columns",
  },
  plain: { constants: ["per_output"], channel: "at / constants.per_output" },
};

/** Weights times the scale of their output channels. A thread a vec4 of weights, or a weight. */
export function scaleWeights(order: WeightOrder): Kernel {
  const { constants, channel } = SCALED[order];
  const element = order === "plain" ? "f32" : "vec4f";
  return assemble({
    name: `scale_weights_${order}`,
    summary: "Weights times the scale of their output channels.",
    storage: [
      { name: "w", access: "read", element },
      { name: "scale", access: "read", element },
      { name: "scaled", access: "read_write", element },
    ],
    constants: ["threads", ...constants],
    workgroupSize: NORMALIZE_WORKGROUP,
    body: wgsl`
      let at = block * ${NORMALIZE_WORKGROUP}u + lane;
      if (at < constants.threads) {
        scaled[at] = w[at] * scale[${channel}];
      }`,
  });
}
