/**
 * Optimizers: their settings, what they keep of each parameter, and what kernels read of them in
 * the frame: settings of one name are one word of it. The step itself is in compiler/ops/update.ts
 * (the reference) and compiler/kernels/gradient-sink.ts (WGSL); what a spec may say is in
 * compiler/semantics/recipes/optimizers.ts.
 */
interface CommonSettings {
  readonly learningRate: number;
  /**
   * Factor of the weights that is added to their gradient; with `adamw` and `lion`, of the weights
   * that are subtracted from them; with `lamb`, of the weights that are added to the direction.
   */
  readonly weightDecay: number;
}

export interface SgdSettings extends CommonSettings {
  readonly kind: "sgd";
  readonly momentum: number;
  readonly nesterov: boolean;
  /**
   * Where the learning rate is applied: outside the velocity (PyTorch) or inside it (Caffe, and the
   * 2012 paper).
   */
  readonly convention: "pytorch" | "caffe";
}

export interface AdamSettings extends CommonSettings {
  readonly kind: "adam" | "adamw" | "radam" | "lamb";
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export interface NadamSettings extends CommonSettings {
  readonly kind: "nadam";
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** How fast the momentum grows from half of `beta1` to all of it. */
  readonly momentumDecay: number;
}

export interface LarsSettings extends CommonSettings {
  readonly kind: "lars";
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Length of a step as a share of the weights' norm, at a learning rate of 1. */
  readonly trustCoefficient: number;
  readonly epsilon: number;
}

export interface RmspropSettings extends CommonSettings {
  readonly kind: "rmsprop";
  readonly alpha: number;
  readonly momentum: number;
  readonly epsilon: number;
}

export interface AdagradSettings extends CommonSettings {
  readonly kind: "adagrad";
  readonly epsilon: number;
}

export interface AdadeltaSettings extends CommonSettings {
  readonly kind: "adadelta";
  readonly rho: number;
  readonly epsilon: number;
}

export interface LionSettings extends CommonSettings {
  readonly kind: "lion";
  readonly beta1: number;
  readonly beta2: number;
}

/** How gradients are kept from growing beyond all bounds, before the optimizer takes them. */
export interface Clipping {
  /** The largest norm of all gradients together: beyond it, all are scaled down alike. */
  readonly norm?: number;
  /** The largest magnitude of any element. */
  readonly value?: number;
}

type RuleSettings =
  | SgdSettings
  | AdamSettings
  | NadamSettings
  | RmspropSettings
  | AdagradSettings
  | AdadeltaSettings
  | LionSettings
  | LarsSettings;

export type OptimizerSettings = RuleSettings & { readonly clip?: Clipping };

type Kind = OptimizerSettings["kind"];

/** Names of the tensors that each keeps of a parameter from step to step: adam's if absent. */
const STATES: { readonly [Each in Kind]?: readonly string[] } = {
  sgd: ["velocity"],
  rmsprop: ["square_avg", "velocity"],
  adagrad: ["sum"],
  adadelta: ["square_avg", "acc_delta"],
  lion: ["exp_avg"],
  lars: ["velocity"],
};

/** What an optimizer keeps of each parameter from step to step, by name. */
export const stateNames = ({ kind }: Pick<OptimizerSettings, "kind">): readonly string[] =>
  STATES[kind] ?? ["exp_avg", "exp_avg_sq"];

/** Optimizers whose steps depend on their number in a way that the device follows. */
export type CountingKind = "nadam" | "radam";

export const isCounting = (kind: Kind | "accumulate"): kind is CountingKind =>
  kind === "nadam" || kind === "radam";

/** Optimizers whose step takes the norms of a whole parameter and of its gradient. */
export type LayerwiseKind = "lamb" | "lars";

export const isLayerwise = (kind: Kind | "accumulate"): kind is LayerwiseKind =>
  kind === "lamb" || kind === "lars";

type Unnamed<Settings> = Omit<Settings, "kind">;

/** The settings of all optimizers, of which each has some. */
type AnySettings = Partial<
  Unnamed<SgdSettings> &
    Unnamed<AdamSettings> &
    Unnamed<RmspropSettings> &
    Unnamed<AdadeltaSettings>
>;

/**
 * An optimizer's words of the frame in the step of this number, counted from 1. Those that its
 * kernels do not read follow from settings that it does not have.
 */
export function optimizerWords(optimizer: OptimizerSettings, time: number) {
  const settings: AnySettings = optimizer;
  const { momentum = 0, nesterov = false, convention, epsilon = 0, beta1 = 0 } = settings;
  const beta2 = settings.beta2 ?? settings.alpha ?? settings.rho ?? 0;
  return {
    momentum,
    nesterov: Number(nesterov),
    convention: Number(convention === "caffe"),
    beta1,
    beta2,
    epsilon,
    // Averages that start at zero are too small at first.
    correction1: 1 - beta1 ** time,
    correction2: 1 - beta2 ** time,
    rest1: 1 - beta1,
    rest2: 1 - beta2,
  };
}
