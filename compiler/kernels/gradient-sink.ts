/** What becomes of a gradient that a kernel makes. */
import type { LayerwiseKind } from "../../program/optimizers.js";
import { stateCount, type UpdateRule } from "../ir/graph.js";
import { written, type Bindings, type Io } from "./bindings.js";
import { code, frame, helper, text, times, type Code, type Declared } from "./code.js";
import type { Constants } from "./constants.js";
import { scopeOf, type Fragment } from "./define-kernel.js";
import { OR_NAN } from "./not-a-number.js";

/**
 * Whose gradient a kernel makes: names of what it binds, and of the functions over that, begin with
 * it.
 */
export type Trained = "weights" | "bias";

const nameOf = (trained: Trained, name: string) => (trained === "bias" ? `bias_${name}` : name);

/** Rules by which each weight follows its own gradient. */
export type ElementRule = Exclude<UpdateRule, LayerwiseKind>;

/** How weights, or sums of gradients, follow gradients. */
export interface Descent {
  readonly optimizer: ElementRule;
  /** Whether each element of the gradient is limited in magnitude. */
  readonly clipsValue: boolean;
  /** Whether gradients come times a static loss scale. */
  readonly unscales: boolean;
}

/**
 * What becomes of a gradient: it is stored, or applied at once to the weights and what the
 * optimizer keeps, which lie alike.
 */
export type GradientUse = "stored" | Descent;

/** A place in the weights, whose gradient is used. */
export interface GradientSink extends Fragment {
  /** Words for the kernel's name. */
  readonly suffix: string;
  /** Statement that uses the vec4 `gradient` of the place `at`. */
  readonly use: (at: Code, gradient: Code) => Code;
}

/** Adam's bias corrections and those of its relatives, which count its steps. */
export interface Corrections {
  readonly correction1: Code;
  readonly correction2: Code;
  /** NAdam's and RAdam's, which the device counts. */
  readonly adjustment?: Code;
}

/** What a rule reads and changes: `weight`, `gradient`, `rate` and `decay` are in scope. */
interface Rule {
  readonly weights: Io<{ readonly weights: ReturnType<typeof written> }>["weights"];
  readonly states: readonly Rule["weights"][];
  readonly adam: () => Declared;
  readonly corrections: Corrections;
}

const AT = code`at`;

/**
 * How a weight follows its gradient, in place. Every slice of a step runs `accumulate` and `sgd`;
 * the others run once a step, on the sum of its slices' gradients.
 */
const RULES: Readonly<Record<ElementRule, (rule: Rule) => Code>> = {
  /*
   * Stochastic gradient descent with momentum. With g = gradient + decay * w:
   * PyTorch v = m v + g, w -= rate * (nesterov ? g + m v : v);
   * Caffe, and the 2012 paper, v = m v + rate * g, w -= (nesterov ? rate * g + m v : v).
   * Both are v = m v + inner * g, w -= outer * (nesterov ? inner * g + m v : v). Without nesterov
   * that is linear in the gradient: the first slice of a step decays and adds its share, the others
   * add theirs, and the weights move after the last.
   */
  sgd: ({ weights, states: [before] }) => {
    const ahead = code`slope + ${frame.momentum} * velocity`;
    const moved = code`select(velocity, ${ahead}, ${frame.nesterov} != 0u)`;
    return code`
      let inner = select(1.0, rate, ${frame.convention} == 1u);
      let outer = select(rate, 1.0, ${frame.convention} == 1u);
      let is_first = ${frame.is_first_slice} != 0u;
      let slope = inner * (gradient + select(0.0, decay, is_first) * weight);
      let velocity = select(1.0, ${frame.momentum}, is_first) * ${before!.load(AT)} + slope;
      ${before!.store(AT, code`velocity`)}
      if (${frame.is_last_slice} != 0u) {
        ${weights.store(AT, code`weight - outer * ${moved}`)}
      }`;
  },
  // The first slice overwrites what is left of the step before.
  accumulate: ({ weights }) =>
    weights.store(AT, code`select(weight, vec4f(0), ${frame.is_first_slice} != 0u) + gradient`),
  adam: ({ weights, adam }) =>
    weights.store(AT, code`weight - rate * ${adam()}(at, gradient + decay * weight)`),
  // The decay is subtracted from the weights and does not enter the averages (Loshchilov and
  // Hutter, arXiv:1711.05101).
  adamw: ({ weights, adam }) =>
    weights.store(AT, code`(1.0 - rate * decay) * weight - rate * ${adam()}(at, gradient)`),
  // Dozat, ICLR 2016 workshop, as PyTorch has it.
  nadam: ({ weights, states, corrections: { correction1, correction2, adjustment } }) => code`
    ${moveAverages(states)}
    let deviation = sqrt(squares) / sqrt(${correction2}) + ${frame.epsilon};
    let ahead = ${adjustment} * slope + mean / ${correction1};
    ${weights.store(AT, code`weight - rate * ahead / deviation`)}`,
  // Liu et al., arXiv:1908.03265.
  radam: ({ weights, states, corrections: { correction1, correction2, adjustment } }) => code`
    ${moveAverages(states)}
    let deviation = (sqrt(squares) + ${frame.epsilon}) / sqrt(${correction2});
    let factor = select(vec4f(1), ${adjustment} / deviation, ${adjustment} > 0.0);
    ${weights.store(AT, code`weight - rate * mean / ${correction1} * factor`)}`,
  // Tieleman and Hinton 2012, with PyTorch's epsilon outside of the root.
  rmsprop: ({ weights, states: [squares, before] }) => code`
    let slope = gradient + decay * weight;
    let squares = ${frame.beta2} * ${squares!.load(AT)} + ${frame.rest2} * slope * slope;
    ${squares!.store(AT, code`squares`)}
    let scaled = slope / (sqrt(squares) + ${frame.epsilon});
    let velocity = ${frame.momentum} * ${before!.load(AT)} + scaled;
    ${before!.store(AT, code`velocity`)}
    ${weights.store(AT, code`weight - rate * velocity`)}`,
  // Duchi et al., JMLR 12, 2011.
  adagrad: ({ weights, states: [sums] }) => code`
    let slope = gradient + decay * weight;
    let sum = ${sums!.load(AT)} + slope * slope;
    ${sums!.store(AT, code`sum`)}
    ${weights.store(AT, code`weight - rate * slope / (sqrt(sum) + ${frame.epsilon})`)}`,
  // Zeiler, arXiv:1212.5701.
  adadelta: ({ weights, states: [squares, deltas] }) => code`
    let slope = gradient + decay * weight;
    let squares = ${frame.beta2} * ${squares!.load(AT)} + ${frame.rest2} * slope * slope;
    ${squares!.store(AT, code`squares`)}
    let deltas = ${deltas!.load(AT)};
    let delta = sqrt(deltas + ${frame.epsilon}) / sqrt(squares + ${frame.epsilon}) * slope;
    ${deltas!.store(AT, code`${frame.beta2} * deltas + ${frame.rest2} * delta * delta`)}
    ${weights.store(AT, code`weight - rate * delta`)}`,
  // Chen et al., arXiv:2302.06675. `sign` would hide NaN.
  lion: ({ weights, states: [means] }) => code`
    let means = ${means!.load(AT)};
    let direction = ${frame.beta1} * means + ${frame.rest1} * gradient;
    ${means!.store(AT, code`${frame.beta2} * means + ${frame.rest2} * gradient`)}
    let delta = ${OR_NAN}(direction, sign(direction));
    ${weights.store(AT, code`(1.0 - rate * decay) * weight - rate * delta`)}`,
};

/** The averages that Adam's relatives keep of `slope`, the gradient with the decay. */
const moveAverages = ([means, squares]: Rule["states"]) => code`
  let slope = gradient + decay * weight;
  let mean = ${frame.beta1} * ${means!.load(AT)} + ${frame.rest1} * slope;
  let squares = ${frame.beta2} * ${squares!.load(AT)} + ${frame.rest2} * slope * slope;
  ${means!.store(AT, code`mean`)}
  ${squares!.store(AT, code`squares`)}`;

/**
 * Kingma and Ba, arXiv:1412.6980: the step's direction from running averages of the gradient and
 * its square.
 */
export function adamOf(
  name: string,
  [means, squares]: Rule["states"],
  { correction1, correction2 }: Corrections,
): Declared {
  return helper(
    name,
    code`
      fn ${text(name)}(at: u32, slope: vec4f) -> vec4f {
        let mean = ${frame.beta1} * ${means!.load(AT)} + ${frame.rest1} * slope;
        let squares = ${frame.beta2} * ${squares!.load(AT)} + ${frame.rest2} * slope * slope;
        ${means!.store(AT, code`mean`)}
        ${squares!.store(AT, code`squares`)}
        return mean / ${correction1} / (sqrt(squares) / sqrt(${correction2}) + ${frame.epsilon});
      }`,
  );
}

/** A gradient of which each element is limited. */
export const CLIPPED = helper(
  "clipped",
  code`
    fn clipped(gradient: vec4f) -> vec4f {
      let limit = vec4f(${frame.clip_value});
      return ${OR_NAN}(gradient, clamp(gradient, -limit, limit));
    }`,
);

const STORED_INTERFACE = { bindings: { result: written("vec4f") }, constants: {} } as const;

const STORED: GradientSink = {
  ...STORED_INTERFACE,
  suffix: "",
  use: (at, gradient) => scopeOf(STORED_INTERFACE).io.result.store(at, gradient),
};

/** The factors of a single parameter, by the names that they have for weights. */
const factorsOf = ({ optimizer, unscales }: Descent): readonly string[] => [
  ...(optimizer === "accumulate" ? [] : ["learning_rate_factor", "decay_factor"]),
  ...(unscales ? ["gradient_factor"] : []),
];

/**
 * What an update binds, the weights and then what the optimizer keeps of them, and the factors that
 * it is given.
 */
export function sinkNames(
  use: Descent,
  trained: Trained,
): { readonly memory: readonly string[]; readonly factors: readonly string[] } {
  const states = times(stateCount(use), (index) => `state${index}`);
  return {
    memory: [trained, ...states.map((name) => nameOf(trained, name))],
    factors: factorsOf(use).map((name) => nameOf(trained, name)),
  };
}

export function gradientSink(
  use: GradientUse,
  trained: Trained = "weights",
  corrections: Corrections = frame,
): GradientSink {
  if (use === "stored") return STORED;
  const { optimizer, clipsValue, unscales } = use;
  const name = (own: string) => nameOf(trained, own);
  const { memory, factors } = sinkNames(use, trained);
  const [weightsName, ...states] = memory as [string, ...string[]];
  const bindings: Bindings = asWritten(memory);
  const constants: Constants = asFloats(factors);
  const { io } = scopeOf({ bindings: asWritten(memory), constants: {} });
  const { k } = scopeOf({ bindings: {}, constants: asFloats(factors) });
  const kept = states.map((state) => io[state]!);
  const adam = () => adamOf(name("adam"), kept, corrections);
  const weights = io[weightsName]!;
  const made = unscales ? code`${k[name("gradient_factor")]} * made` : code`made`;
  const pace = code`
    let rate = ${frame.learning_rate} * ${k[name("learning_rate_factor")]};
    let decay = ${frame.weight_decay} * ${k[name("decay_factor")]};`;
  const descend = helper(
    name("descend"),
    code`
      fn ${text(name("descend"))}(at: u32, made: vec4f) {
        ${optimizer !== "accumulate" && pace}
        let gradient = ${clipsValue ? code`${CLIPPED}(${made})` : made};
        let weight = ${weights.load(AT)};
        ${RULES[optimizer]({ weights, states: kept, adam, corrections })}
      }`,
  );
  return {
    bindings,
    constants,
    declarations: [descend],
    suffix: `_${optimizer}${clipsValue ? "_clipped" : ""}${unscales ? "_unscaled" : ""}`,
    use: (at, gradient) => code`${descend}(${at}, ${gradient});`,
  };
}

const asWritten = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, written("vec4f")] as const));

const asFloats = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, "f32"] as const));
