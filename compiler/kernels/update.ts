import { inAppliedScale } from "../../program/loss-scale.js";
import { read } from "./bindings.js";
import { block, code, frame, lane, startThread, type Code } from "./code.js";
import { defineKernel, scopeOf } from "./define-kernel.js";
import { gradientSink, type Corrections, type Descent, type GradientUse } from "./gradient-sink.js";

export const UPDATE_WORKGROUP = 64;

/** vec4 a thread updates: enough to spread the cost of a thread, few enough to fill an adapter. */
export const UPDATE_QUADS = 4;

/**
 * What an update by itself reads in addition to the gradient: the sum of all gradients' squares, or
 * what a loss scale made of it.
 */
export type UpdateScale = "none" | "norm" | "applied";

export const SCALES = {
  none: undefined,
  norm: { bindings: { norm: read("f32") }, constants: {} },
  applied: { bindings: { applied: read("f32") }, constants: {} },
} as const;

const { norm } = scopeOf(SCALES.norm).io;
const { applied } = scopeOf(SCALES.applied).io;

/** Adam's corrections count the steps that were not skipped. */
const APPLIED_CORRECTIONS: Corrections = {
  correction1: applied.load(inAppliedScale("correction1")),
  correction2: applied.load(inAppliedScale("correction2")),
  adjustment: applied.load(inAppliedScale("adjustment")),
};

export const correctionsBy = (scale: UpdateScale): Corrections =>
  scale === "applied" ? APPLIED_CORRECTIONS : frame;

/** Statements that make `scale`, and end the kernel where the step is skipped. */
export function scaleOf(
  { unscales }: Pick<Descent, "unscales">,
  scale: UpdateScale,
): readonly Code[] {
  const { k } = scopeOf({ bindings: {}, constants: { gradient_factor: "f32" } });
  const own = unscales && code`${k.gradient_factor} * `;
  const size = code`${own}sqrt(${norm.load(0)}) + 1e-6`;
  if (scale === "norm") return [code`let scale = min(1.0, ${frame.clip_norm} / (${size}));`];
  if (scale === "none") return [];
  return [
    code`let scale = ${applied.load(inAppliedScale("factor"))};`,
    code`if (scale == 0.0) {\n  return;\n}`,
  ];
}

export interface UpdateVariant {
  readonly descent: Descent;
  readonly scale: UpdateScale;
}

/** The update by itself, of a gradient that was stored. */
export const update = defineKernel("update", ({ descent, scale }: UpdateVariant) => {
  const sink = gradientSink(descent, "weights", correctionsBy(scale));
  return {
    suffix: `${sink.suffix}${scale === "none" ? "" : `_${scale}`}`,
    summary:
      descent.optimizer === "accumulate"
        ? "A slice's gradient, added to the sum of the step's."
        : "The optimizer's step, in place.",
    bindings: { gradient: read("vec4f") },
    constants: { quads: "u32" },
    fragments: [sink, SCALES[scale]],
    lanes: UPDATE_WORKGROUP,
    body: ({ io, k }) => {
      const gradient = io.gradient.load(code`at`);
      return code`
        ${scaleOf(descent, scale)}
        let first = ${block} * ${UPDATE_WORKGROUP * UPDATE_QUADS} + ${lane};
        for (var turn = 0u; turn < ${UPDATE_QUADS}; turn++) {
          let at = first + turn * ${UPDATE_WORKGROUP};
          if (at < ${k.quads}) {
            ${sink.use(code`at`, scale === "none" ? gradient : code`scale * ${gradient}`)}
          }
        }`;
    },
  };
});

/**
 * The use of a gradient whose parts lie in memory, [splits][`partial_quads`], from quad `base` on:
 * some quads from `first` on, added in their order.
 */
export const updateFromPartials = defineKernel(
  "sum_partials_weights",
  ({ use }: { readonly use: GradientUse }) => {
    const sink = gradientSink(use);
    return {
      suffix: sink.suffix,
      summary: "Sums of parts of a weight gradient, in a fixed order, and their use.",
      bindings: { partials: read("vec4f") },
      constants: {
        first: "u32",
        quads: "u32",
        splits: "u32",
        partial_quads: "u32",
        base: "u32",
      },
      fragments: [sink],
      lanes: UPDATE_WORKGROUP,
      body: ({ io, k }) => code`
        ${startThread(UPDATE_WORKGROUP)}
        if (thread < ${k.quads}) {
          let at = ${k.first} + thread;
          var gradient = vec4f(0);
          for (var split = 0u; split < ${k.splits}; split++) {
            gradient += ${io.partials.load(code`split * ${k.partial_quads} + ${k.base} + at`)};
          }
          ${sink.use(code`at`, code`gradient`)}
        }`,
    };
  },
);
