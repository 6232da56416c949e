/** Gradient sinks of kernels that are still assembled from text. */
import { stateCount, type UpdateRule } from "../ir/graph.js";
import type { Declared } from "./code.js";
import type { StorageBinding } from "./kernel.js";
import { OR_NAN } from "./not-a-number.js";
import { times, wgsl } from "./wgsl.js";

export const UPDATE_WORKGROUP = 64;

/** vec4 a thread updates: enough to spread the cost of a thread, few enough to fill an adapter. */
export const UPDATE_QUADS = 4;

/**
 * Whose gradient a kernel makes: names of what it binds, and of the functions over that, begin with
 * it.
 */
type Trained = "weights" | "bias";

const nameOf = (trained: Trained, name: string) => (trained === "bias" ? `bias_${name}` : name);

/**
 * How a weight follows its gradient, in place. In scope: `rate` and `decay` of the parameter,
 * `weight`, `gradient`, and what the optimizer keeps: `state0[at]`, `state1[at]`, under the names
 * of what is trained. Every slice of a step runs `accumulate` and `sgd`; the others run once a
 * step, on the sum of its slices' gradients.
 */
const RULES: Readonly<Record<UpdateRule, (name: (local: string) => string) => string>> = {
  /*
   * Stochastic gradient descent with momentum. With g = gradient + decay * w: PyTorch v = m v + g,
   * w -= rate * (nesterov ? g + m v : v); Caffe, and the 2012 paper, v = m v + rate * g, w -=
   * (nesterov ? rate * g + m v : v). Both are v = m v + inner * g, w -= outer * (nesterov ? inner *
   * g + m v : v). Without nesterov that is linear in the gradient: the first slice of a step decays
   * and adds its share, the others add theirs, and the weights move after the last.
   */
  sgd: (name) => wgsl`
    let inner = select(1.0, rate, frame.convention == 1u);
    let outer = select(rate, 1.0, frame.convention == 1u);
    let is_first = frame.is_first_slice != 0u;
    let g = inner * (gradient + select(0.0, decay, is_first) * weight);
    let v = select(1.0, frame.momentum, is_first) * ${name("state0")}[at] + g;
    ${name("state0")}[at] = v;
    if (frame.is_last_slice != 0u) {
      ${name("w")}[at] = weight - outer * select(v, g + frame.momentum * v, frame.nesterov != 0u);
    }`,
  // The first slice overwrites what is left of the step before.
  accumulate: (name) => wgsl`
    ${name("w")}[at] = select(weight, vec4f(0), frame.is_first_slice != 0u) + gradient;`,
  adam: (name) => wgsl`
    ${name("w")}[at] = weight - rate * ${name("adam")}(at, gradient + decay * weight);`,
  // The decay is taken off the weights and does not enter the averages (Loshchilov and Hutter,
  // arXiv:1711.05101).
  adamw: (name) => wgsl`
    ${name("w")}[at] = (1.0 - rate * decay) * weight - rate * ${name("adam")}(at, gradient);`,
  // Tieleman and Hinton 2012, with PyTorch's epsilon outside of the root.
  rmsprop: (name) => wgsl`
    let g = gradient + decay * weight;
    let squares = frame.beta2 * ${name("state0")}[at] + frame.rest2 * g * g;
    ${name("state0")}[at] = squares;
    let v = frame.momentum * ${name("state1")}[at] + g / (sqrt(squares) + frame.epsilon);
    ${name("state1")}[at] = v;
    ${name("w")}[at] = weight - rate * v;`,
};

/**
 * Kingma and Ba, arXiv:1412.6980: the step's direction from running averages of the gradient and
 * its square.
 */
const adam = (name: (local: string) => string) => wgsl`
  fn ${name("adam")}(at: u32, g: vec4f) -> vec4f {
    let mean = frame.beta1 * ${name("state0")}[at] + frame.rest1 * g;
    let squares = frame.beta2 * ${name("state1")}[at] + frame.rest2 * g * g;
    ${name("state0")}[at] = mean;
    ${name("state1")}[at] = squares;
    return mean / frame.correction1 / (sqrt(squares) / sqrt(frame.correction2) + frame.epsilon);
  }`;

const clamped = (gradient: string) => `clipped(${gradient})`;

const CLIPPED = wgsl`
  fn clipped(gradient: vec4f) -> vec4f {
    let limit = vec4f(frame.clip_value);
    return or_nan(gradient, clamp(gradient, -limit, limit));
  }`;

const pace = (name: (local: string) => string) => wgsl`
  let rate = frame.learning_rate * bitcast<f32>(constants.${name("learning_rate_factor")});
  let decay = frame.weight_decay * bitcast<f32>(constants.${name("decay_factor")});`;

function descend(descent: Descent, name: (local: string) => string): string {
  const { optimizer, clipsValue, gradientFactor } = descent;
  const factor = `bitcast<f32>(constants.${name(FACTOR)})`;
  const made = gradientFactor === undefined ? "made" : `${factor} * made`;
  return wgsl`
  fn ${name("descend")}(at: u32, made: vec4f) {
    ${optimizer === "accumulate" ? "" : pace(name)}
    let gradient = ${clipsValue ? clamped(made) : made};
    let weight = ${name("w")}[at];
    ${RULES[optimizer](name)}
  }`;
}

const FACTOR = "gradient_factor";

/** How weights, or sums of gradients, follow gradients. */
export interface Descent {
  readonly optimizer: UpdateRule;
  /** Whether each element of the gradient is limited in magnitude. */
  readonly clipsValue: boolean;
  /**
   * Given where gradients come times a static loss scale; what it is makes no difference to the
   * kernel.
   */
  readonly gradientFactor?: number;
}

/**
 * What becomes of a gradient: it is stored, or applied at once to the weights and what the
 * optimizer keeps, which lie alike.
 */
export type GradientUse = "stored" | Descent;

/** The parts that a kernel needs to use the gradient that it makes. */
export interface GradientSink {
  readonly storage: readonly StorageBinding[];
  readonly constants: readonly string[];
  readonly declarations: readonly (string | Declared)[];
  /** Words for the kernel's name. */
  readonly suffix: string;
  /** Statement that uses the vec4 `gradient` of the place `at`. */
  use(at: string, gradient: string): string;
}

const STORED: GradientSink = {
  storage: [{ name: "result", access: "read_write", element: "vec4f" }],
  constants: [],
  declarations: [],
  suffix: "",
  use: (at, gradient) => `result[${at}] = ${gradient};`,
};

export function gradientSink(use: GradientUse, trained: Trained = "weights"): GradientSink {
  if (use === "stored") return STORED;
  const { optimizer, clipsValue, gradientFactor } = use;
  const isScaled = gradientFactor !== undefined;
  const name = (local: string) => nameOf(trained, local);
  const inPlace = (local: string) =>
    ({ name: name(local), access: "read_write", element: "vec4f" }) as const;
  const states = times(stateCount({ optimizer }), (index) => inPlace(`state${index}`));
  return {
    storage: [inPlace("w"), ...states],
    constants: [
      ...(optimizer === "accumulate" ? [] : [name("learning_rate_factor"), name("decay_factor")]),
      ...(isScaled ? [name(FACTOR)] : []),
    ],
    declarations: [
      ...(clipsValue ? [OR_NAN, CLIPPED] : []),
      ...(optimizer.startsWith("adam") ? [adam(name)] : []),
      descend(use, name),
    ],
    suffix: `_${optimizer}${clipsValue ? "_clipped" : ""}${isScaled ? "_unscaled" : ""}`,
    use: (at, gradient) => `${name("descend")}(${at}, ${gradient});`,
  };
}
