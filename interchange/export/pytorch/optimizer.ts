/** An optimizer's state as `optimizer.state_dict()` of PyTorch gives it. */
import type { AdamSettings, OptimizerSettings } from "../../../program/optimizers.js";
import type { ExportOptimizer, OptimizerGroup } from "../optimizer.js";
import { TorchArchive } from "./archive.js";
import type { PickleValue } from "./pickle.js";

type Kind = OptimizerSettings["kind"];
type Of<Each extends Kind> = Extract<OptimizerSettings, { readonly kind: Each }>;
type Entry = readonly [name: string, value: PickleValue];

interface TorchOptimizer<Settings> {
  /** In `torch.optim`; undefined where PyTorch has none. */
  readonly className: string | undefined;
  /** PyTorch's name of each state. */
  readonly states: Readonly<Record<string, string>>;
  /** Whether each weight counts its steps. */
  readonly countsSteps: boolean;
  /** What a group of weights has in addition to its rate and decay. */
  readonly settings: (settings: Settings) => readonly Entry[];
}

const float = (value: number): PickleValue => ({ float: value });

const adam = (className: string): TorchOptimizer<AdamSettings> => ({
  className,
  states: { exp_avg: "exp_avg", exp_avg_sq: "exp_avg_sq" },
  countsSteps: true,
  settings: ({ beta1, beta2, epsilon }) => [
    ["betas", { tuple: [float(beta1), float(beta2)] }],
    ["eps", float(epsilon)],
    ["amsgrad", false],
  ],
});

const NOT_IN_PYTORCH: TorchOptimizer<OptimizerSettings> = {
  className: undefined,
  states: {},
  countsSteps: false,
  settings: () => [],
};

const OPTIMIZERS: { readonly [Each in Kind]: TorchOptimizer<Of<Each>> } = {
  sgd: {
    className: "SGD",
    states: { velocity: "momentum_buffer" },
    countsSteps: false,
    settings: ({ momentum, nesterov }) => [
      ["momentum", float(momentum)],
      ["dampening", float(0)],
      ["nesterov", nesterov],
    ],
  },
  adam: adam("Adam"),
  adamw: adam("AdamW"),
  rmsprop: {
    className: "RMSprop",
    states: { square_avg: "square_avg", velocity: "momentum_buffer" },
    countsSteps: true,
    settings: ({ alpha, momentum, epsilon }) => [
      ["momentum", float(momentum)],
      ["alpha", float(alpha)],
      ["eps", float(epsilon)],
      ["centered", false],
    ],
  },
  adagrad: {
    className: "Adagrad",
    states: { sum: "sum" },
    countsSteps: true,
    settings: ({ epsilon }) => [
      ["lr_decay", float(0)],
      ["eps", float(epsilon)],
      ["initial_accumulator_value", float(0)],
    ],
  },
  adadelta: {
    className: "Adadelta",
    states: { square_avg: "square_avg", acc_delta: "acc_delta" },
    countsSteps: true,
    settings: ({ rho, epsilon }) => [
      ["rho", float(rho)],
      ["eps", float(epsilon)],
    ],
  },
  // PyTorch's NAdam also keeps the product of its momenta, which netc computes from the step.
  nadam: NOT_IN_PYTORCH,
  radam: {
    className: "RAdam",
    states: { exp_avg: "exp_avg", exp_avg_sq: "exp_avg_sq" },
    countsSteps: true,
    settings: ({ beta1, beta2, epsilon }) => [
      ["betas", { tuple: [float(beta1), float(beta2)] }],
      ["eps", float(epsilon)],
    ],
  },
  lion: NOT_IN_PYTORCH,
  lamb: NOT_IN_PYTORCH,
  lars: NOT_IN_PYTORCH,
};

const torchOf = ({ kind }: OptimizerSettings): TorchOptimizer<never> => OPTIMIZERS[kind];

/** `SGD`; undefined where PyTorch has no optimizer that keeps the same. */
export function optimizerClass(settings: OptimizerSettings): string | undefined {
  const isCaffe = settings.kind === "sgd" && settings.convention === "caffe";
  return isCaffe ? undefined : torchOf(settings).className;
}

export interface OptimizerNames {
  /** Of the weights that the module has. */
  readonly has: (name: string) => boolean;
  /** A weight's name in Python. */
  readonly of: (name: string) => string;
}

/** A file that `load_state_dict` of the optimizer reads. */
export function optimizerFile(optimizer: ExportOptimizer, names: OptimizerNames): Uint8Array {
  const archive = new TorchArchive();
  const groups = optimizer.groups
    .map((group) => ({ ...group, names: group.names.filter(names.has) }))
    .filter((group) => group.names.length > 0);
  const all = groups.flatMap((group) => group.names);
  const state = all.map((name, index) => {
    return [index, { dictionary: stateOf(optimizer, name, archive) }] as const;
  });
  let first = 0;
  const listed = groups.map((group) => {
    const numbers = group.names.map((_, index) => first + index);
    first += numbers.length;
    return groupOf(optimizer, group, { numbers, names: group.names.map(names.of) });
  });
  return archive.finish({
    dictionary: [
      ["state", { dictionary: state }],
      ["param_groups", { list: listed }],
    ],
  });
}

function stateOf(
  { settings, steps, states }: ExportOptimizer,
  name: string,
  archive: TorchArchive,
): readonly Entry[] {
  const torch = torchOf(settings);
  const tensors = [...states].map(([state, tensors]): Entry => {
    return [torch.states[state]!, archive.tensor(tensors.get(name)!)];
  });
  const count = { shape: [], values: Float32Array.of(steps) };
  return torch.countsSteps ? [["step", archive.tensor(count)], ...tensors] : tensors;
}

function groupOf(
  { settings }: ExportOptimizer,
  { learningRate, weightDecay }: OptimizerGroup,
  { numbers, names }: { readonly numbers: readonly number[]; readonly names: readonly string[] },
): PickleValue {
  return {
    dictionary: [
      ["lr", float(learningRate)],
      ["weight_decay", float(weightDecay)],
      ...torchOf(settings).settings(settings as never),
      ["params", { list: numbers }],
      ["param_names", { list: names }],
    ],
  };
}
