import { absentOptimizers } from "./absent.js";
import { each, type ArgumentTranslation, type ForeignAlias } from "../../diagnostics/alias.js";
import type { OptimizerSettings } from "../../../program/program.js";
import { boolean, choice, float } from "../../calls/argument-types.js";
import { required, withDefault } from "../../calls/signature.js";
import { define, type Registry } from "./definition.js";

const optimizer = define<OptimizerSettings>();

const decay = float({ minimum: 0 });
const share = float({ minimum: 0, below: 1 });
const epsilon = withDefault(float({ above: 0 }), 1e-8, "what keeps divisions finite");

/** Keras takes the decay off the weights themselves, PyTorch and netc add it to the gradient. */
const decoupledDecay: ArgumentTranslation = {
  value: () => undefined,
  note: "Keras takes `weight_decay` off the weights, `sgd` (as in PyTorch) adds it to the gradient",
};

/** Arguments that only PyTorch's optimizers have, by which they are told from Keras'. */
const OF_PYTORCH = ["lr", "betas", "eps", "alpha", "dampening", "amsgrad"];

/** An optimizer that PyTorch and Keras spell alike, with the same meaning in PyTorch only. */
function ofTwo(name: string, differs: string): readonly ForeignAlias[] {
  return [
    { name, given: OF_PYTORCH },
    { name, differs },
  ];
}

/** The two running averages of Adam and its relatives; the defaults are the paper's. */
const averages = {
  beta1: withDefault(share, 0.9, "share kept of the average of gradients"),
  beta2: withDefault(share, 0.999, "share kept of the average of their squares"),
  eps: epsilon,
};

interface AdaptiveValues {
  readonly lr: number;
  readonly weight_decay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
}

/** What all optimizers with these averages have, as programs name it. */
const adaptive = ({ lr, weight_decay, beta1, beta2, eps }: AdaptiveValues) => ({
  learningRate: lr,
  weightDecay: weight_decay,
  beta1,
  beta2,
  epsilon: eps,
});

export const optimizers: Registry<OptimizerSettings> = {
  noun: "optimizer",
  example: "sgd(lr=0.01, momentum=0.9)",
  unknown: "NET3005",
  planned: [],
  absent: absentOptimizers,
  definitions: [
    optimizer({
      name: "sgd",
      example: "sgd(lr=0.01, momentum=0.9, weight_decay=5e-4)",
      aliases: [
        "gradient_descent",
        { name: "SGD", given: OF_PYTORCH },
        // In Keras and Caffe the learning rate is part of the velocity.
        {
          name: "SGD",
          defaults: { convention: "caffe" },
          translates: { weight_decay: decoupledDecay },
        },
        { name: "momentum", differs: "`momentum` is an argument: `sgd(lr=0.01, momentum=0.9)`" },
      ],
      summary: "stochastic gradient descent with momentum and weight decay",
      positional: [],
      arguments: {
        lr: required(float({ above: 0 }), "learning rate"),
        momentum: withDefault(share, 0, "share of the velocity kept"),
        weight_decay: withDefault(decay, 0, "factor of the weights' decay"),
        nesterov: withDefault(boolean(), false, "whether the gradient is taken a step ahead"),
        convention: withDefault(
          choice(["pytorch", "caffe"]),
          "pytorch",
          "whether the learning rate multiplies the velocity (PyTorch) or the gradient (Caffe)",
        ),
      },
      resolve: ({ lr, momentum, weight_decay, nesterov, convention }) => ({
        kind: "sgd",
        learningRate: lr,
        momentum,
        weightDecay: weight_decay,
        nesterov,
        convention,
      }),
    }),
    optimizer({
      name: "adam",
      example: "adam(lr=1e-3)",
      aliases: ofTwo("Adam", "as in PyTorch; Keras has `eps=1e-7`, outside of the bias correction"),
      summary: "running averages of the gradient and of its square (arXiv:1412.6980)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-3, "learning rate"),
        ...averages,
        weight_decay: withDefault(decay, 0, "factor of the weights that is added to the gradient"),
      },
      resolve: (given) => ({ kind: "adam", ...adaptive(given) }),
    }),
    optimizer({
      name: "adamw",
      example: "adamw(lr=1e-3, weight_decay=0.05)",
      aliases: ofTwo("AdamW", "as in PyTorch; Keras has `weight_decay=0.004` and `eps=1e-7`"),
      summary: "Adam with decoupled weight decay (arXiv:1711.05101)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-3, "learning rate"),
        ...averages,
        weight_decay: withDefault(
          decay,
          0.01,
          "decoupled decay: share of the weights subtracted, times `lr`",
        ),
      },
      resolve: (given) => ({ kind: "adamw", ...adaptive(given) }),
    }),
    optimizer({
      name: "rmsprop",
      example: "rmsprop(lr=1e-2, alpha=0.99)",
      aliases: ["RMSprop", "RMSProp"].flatMap((name) =>
        ofTwo(name, "as in PyTorch; Keras has `lr=1e-3`, `alpha=0.9` and `eps=1e-7`"),
      ),
      summary: "divides the gradient by the root of its running mean square, as in PyTorch",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-2, "learning rate"),
        alpha: withDefault(share, 0.99, "share kept of the average of squares"),
        eps: epsilon,
        momentum: withDefault(share, 0, "share of the velocity kept"),
        weight_decay: withDefault(decay, 0, "factor of the weights' decay"),
      },
      resolve: ({ lr, alpha, eps, momentum, weight_decay }) => ({
        kind: "rmsprop",
        learningRate: lr,
        weightDecay: weight_decay,
        alpha,
        momentum,
        epsilon: eps,
      }),
    }),
    optimizer({
      name: "adagrad",
      example: "adagrad(lr=1e-2)",
      aliases: ofTwo("Adagrad", "as in PyTorch; Keras has `lr=1e-3`, and sums that begin at 0.1"),
      summary: "divides the gradient by the root of the sum of its squares (JMLR 12, 2011)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-2, "learning rate"),
        eps: withDefault(float({ above: 0 }), 1e-10, "what keeps divisions finite"),
        weight_decay: withDefault(decay, 0, "factor of the weights that is added to the gradient"),
      },
      resolve: ({ lr, eps, weight_decay }) => ({
        kind: "adagrad",
        learningRate: lr,
        weightDecay: weight_decay,
        epsilon: eps,
      }),
    }),
    optimizer({
      name: "adadelta",
      example: "adadelta(lr=1)",
      aliases: ofTwo("Adadelta", "as in PyTorch; Keras has `lr=1e-3`, `rho=0.95` and `eps=1e-7`"),
      summary: "adapts the step to running averages of gradients and updates (arXiv:1212.5701)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1, "factor of the steps"),
        rho: withDefault(share, 0.9, "share kept of both averages of squares"),
        eps: withDefault(float({ above: 0 }), 1e-6, "what the first steps grow from"),
        weight_decay: withDefault(decay, 0, "factor of the weights that is added to the gradient"),
      },
      resolve: ({ lr, rho, eps, weight_decay }) => ({
        kind: "adadelta",
        learningRate: lr,
        weightDecay: weight_decay,
        rho,
        epsilon: eps,
      }),
    }),
    optimizer({
      name: "lion",
      example: "lion(lr=1e-4, weight_decay=0.1)",
      aliases: ["Lion"],
      summary:
        "the sign of an average of gradients; needs a third to a tenth of adamw's `lr`, and " +
        "three to ten times its `weight_decay` (arXiv:2302.06675)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-4, "learning rate: the length of every step"),
        beta1: withDefault(share, 0.9, "share of the average in the direction of a step"),
        beta2: withDefault(share, 0.99, "share kept of the average of gradients"),
        weight_decay: withDefault(
          decay,
          0,
          "decoupled decay: share of the weights subtracted, times `lr`",
        ),
      },
      resolve: ({ lr, beta1, beta2, weight_decay }) => ({
        kind: "lion",
        learningRate: lr,
        weightDecay: weight_decay,
        beta1,
        beta2,
      }),
    }),
    optimizer({
      name: "nadam",
      example: "nadam(lr=2e-3)",
      aliases: ["NAdam", "Nadam"].flatMap((name) =>
        ofTwo(name, "as in PyTorch; Keras has `lr=1e-3` and `eps=1e-7`"),
      ),
      summary: "adam with Nesterov's momentum, as in PyTorch 2 (Dozat, ICLR 2016 workshop)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 2e-3, "learning rate"),
        ...averages,
        weight_decay: withDefault(decay, 0, "factor of the weights that is added to the gradient"),
        momentum_decay: withDefault(
          float({ minimum: 0 }),
          4e-3,
          "how fast the momentum grows from half of `beta1` to all of it",
        ),
      },
      resolve: ({ momentum_decay, ...given }) => ({
        kind: "nadam",
        ...adaptive(given),
        momentumDecay: momentum_decay,
      }),
    }),
    optimizer({
      name: "radam",
      example: "radam(lr=1e-3)",
      aliases: ["RAdam", "RectifiedAdam"],
      summary:
        "adam whose first steps are rectified, so that it needs no warmup; as in PyTorch " +
        "(arXiv:1908.03265)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-3, "learning rate"),
        ...averages,
        weight_decay: withDefault(decay, 0, "factor of the weights that is added to the gradient"),
      },
      resolve: (given) => ({ kind: "radam", ...adaptive(given) }),
    }),
    optimizer({
      name: "lamb",
      example: "lamb(lr=4e-3, weight_decay=0.02)",
      aliases: [
        ...each(["Lamb", "LAMB", "FusedLAMB"], {
          differs: "timm and apex also clip gradients to a norm of 1: `clip_norm = 1`",
        }),
      ],
      summary:
        "adamw whose step of each parameter has a length by the parameter's norm, for large " +
        "batches; parameters without decay take the step as it is, as in timm and apex " +
        "(arXiv:1904.00962)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-3, "learning rate"),
        ...averages,
        eps: withDefault(float({ above: 0 }), 1e-6, "what keeps divisions finite"),
        weight_decay: withDefault(decay, 0.01, "factor of the weights that join the direction"),
      },
      resolve: (given) => ({ kind: "lamb", ...adaptive(given) }),
    }),
    optimizer({
      name: "lars",
      example: "lars(lr=4, momentum=0.9, weight_decay=1e-4)",
      aliases: [
        ...["Lars", "LARS"],
        { name: "LARC", differs: "LARC also limits the rate of a layer to `lr`; `lars` does not" },
      ],
      summary:
        "sgd whose rate of each parameter follows its norm and its gradient's, for large " +
        "batches; parameters without decay take the rate as it is, as in timm (arXiv:1708.03888)",
      positional: [],
      arguments: {
        lr: required(float({ above: 0 }), "learning rate"),
        momentum: withDefault(share, 0, "share of the velocity kept"),
        weight_decay: withDefault(decay, 0, "factor of the weights that is added to the gradient"),
        nesterov: withDefault(boolean(), false, "whether the gradient is taken a step ahead"),
        trust_coefficient: withDefault(
          float({ above: 0 }),
          1e-3,
          "length of a step as a share of the weights' norm, times the rate",
        ),
        eps: epsilon,
      },
      resolve: ({ lr, momentum, weight_decay, nesterov, trust_coefficient, eps }) => ({
        kind: "lars",
        learningRate: lr,
        weightDecay: weight_decay,
        momentum,
        nesterov,
        trustCoefficient: trust_coefficient,
        epsilon: eps,
      }),
    }),
  ],
};
