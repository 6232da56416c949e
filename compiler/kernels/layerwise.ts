/** Updates by the norms of a whole parameter and of its step: LAMB and LARS. */
import type { LayerwiseKind } from "../../program/optimizers.js";
import { read, written } from "./bindings.js";
import { block, code, frame, lane, type Code, type Hole } from "./code.js";
import { defineKernel, scopeOf } from "./define-kernel.js";
import { adamOf, CLIPPED, type Descent } from "./gradient-sink.js";
import {
  correctionsBy,
  SCALES,
  scaleOf,
  UPDATE_QUADS,
  UPDATE_WORKGROUP,
  type UpdateScale,
} from "./update.js";

export interface LayerwiseVariant extends Pick<Descent, "clipsValue" | "unscales"> {
  readonly optimizer: LayerwiseKind;
  readonly scale: UpdateScale;
}

const AT = code`at`;

/** What a thread does at each of its vec4. */
function overQuads(quads: Code, statements: Hole): Code {
  return code`
    let first = ${block} * ${UPDATE_WORKGROUP * UPDATE_QUADS} + ${lane};
    for (var turn = 0u; turn < ${UPDATE_QUADS}; turn++) {
      let at = first + turn * ${UPDATE_WORKGROUP};
      if (at < ${quads}) {
        ${statements}
      }
    }`;
}

const AVERAGES = { state0: written("vec4f"), state1: written("vec4f") } as const;

/** What LAMB reads and changes for its direction. */
const LAMB_PARTS = {
  bindings: { weights: read("vec4f"), ...AVERAGES },
  constants: { decay_factor: "f32" },
} as const;

const { io: lamb, k: factors } = scopeOf(LAMB_PARTS);

/**
 * The gradient that counts, unscaled and clipped; of LAMB, Adam's direction by it with the decay.
 */
export const layerDirection = defineKernel("layer_direction", (variant: LayerwiseVariant) => {
  const { optimizer, scale, clipsValue, unscales } = variant;
  const isLamb = optimizer === "lamb";
  const adam = adamOf("adam", [lamb.state0, lamb.state1], correctionsBy(scale));
  const decay = code`${frame.weight_decay} * ${factors.decay_factor}`;
  return {
    suffix: suffixOf(variant),
    summary: isLamb
      ? "The direction of a step before it is scaled, from averages moved by the gradient."
      : "The gradient of a step as the optimizer takes it.",
    bindings: { gradient: read("vec4f"), direction: written("vec4f") },
    constants: { quads: "u32", gradient_factor: unscales ? "f32" : undefined },
    fragments: [isLamb ? LAMB_PARTS : undefined, SCALES[scale]],
    lanes: UPDATE_WORKGROUP,
    body: ({ io, k }) => {
      const own = unscales && code`${k.gradient_factor} * `;
      const made = code`${own}${scale !== "none" && code`scale * `}${io.gradient.load(AT)}`;
      const clipped = clipsValue ? code`${CLIPPED}(${made})` : made;
      const lambDirection = code`${adam}(at, ${clipped}) + ${decay} * ${lamb.weights.load(AT)}`;
      return code`
        ${scaleOf({ unscales }, scale)}
        ${overQuads(k.quads, io.direction.store(AT, isLamb ? lambDirection : clipped))}`;
    },
  };
});

const suffixOf = ({ optimizer, scale, clipsValue, unscales }: LayerwiseVariant) =>
  [
    `_${optimizer}`,
    clipsValue ? "_clipped" : "",
    unscales ? "_unscaled" : "",
    scale === "none" ? "" : `_${scale}`,
  ].join("");

const VELOCITY = { bindings: { state0: written("vec4f") }, constants: {} } as const;
const { state0: velocity } = scopeOf(VELOCITY).io;

/** How far a layer follows its direction; parameters without decay follow it as it is. */
function trustOf(coefficient: Code | undefined): Code {
  if (!coefficient) return code`weight_norm / step_norm`;
  const length = code`step_norm + decay * weight_norm + ${frame.epsilon}`;
  return code`${coefficient} * weight_norm / (${length})`;
}

/** A layer's step along its direction. */
export const layerStep = defineKernel("layer_step", (optimizer: LayerwiseKind, skips: boolean) => ({
  suffix: `_${optimizer}${skips ? "_applied" : ""}`,
  summary: "The step of a parameter, scaled by its norm and that of the direction.",
  bindings: {
    direction: read("vec4f"),
    weight_squares: read("f32"),
    step_squares: read("f32"),
    weights: written("vec4f"),
  },
  constants: {
    quads: "u32",
    learning_rate_factor: "f32",
    decay_factor: "f32",
    trust_coefficient: optimizer === "lars" ? "f32" : undefined,
  },
  fragments: [optimizer === "lars" ? VELOCITY : undefined, skips ? SCALES.applied : undefined],
  lanes: UPDATE_WORKGROUP,
  body: ({ io, k }) => {
    const weight = io.weights.load(AT);
    const direction = io.direction.load(AT);
    const lambStep = io.weights.store(AT, code`${weight} - rate * trust * ${direction}`);
    const ahead = code`select(next, slope + ${frame.momentum} * next, ${frame.nesterov} != 0u)`;
    const larsStep = code`
        let slope = trust * (${direction} + decay * ${weight});
        let next = ${frame.momentum} * ${velocity.load(AT)} + slope;
        ${velocity.store(AT, code`next`)}
        ${io.weights.store(AT, code`${weight} - rate * ${ahead}`)}`;
    return code`
        ${skips && scaleOf({ unscales: false }, "applied")}
        let rate = ${frame.learning_rate} * ${k.learning_rate_factor};
        let decay = ${frame.weight_decay} * ${k.decay_factor};
        let weight_norm = sqrt(${io.weight_squares.load(0)});
        let step_norm = sqrt(${io.step_squares.load(0)});
        let is_scaled = decay > 0.0 && weight_norm > 0.0 && step_norm > 0.0;
        let trust = select(1.0, ${trustOf(k.trust_coefficient)}, is_scaled);
        ${overQuads(k.quads, optimizer === "lamb" ? lambStep : larsStep)}`;
  },
}));
