import type { OptimizerSettings } from "../../../program/program.js";
import { boolean, choice, float } from "../argument-types.js";
import { required, withDefault } from "../signature.js";
import { define, type Registry } from "./definition.js";

const optimizer = define<OptimizerSettings>();

const decay = float({ minimum: 0 });
const share = float({ minimum: 0, below: 1 });
const epsilon = withDefault(float({ above: 0 }), 1e-8, "what keeps divisions finite");

/** The two running averages of Adam and AdamW; the defaults are the paper's. */
const averages = {
  beta1: withDefault(share, 0.9, "share kept of the average of gradients"),
  beta2: withDefault(share, 0.999, "share kept of the average of their squares"),
  eps: epsilon,
};

export const optimizers: Registry<OptimizerSettings> = {
  noun: "optimizer",
  example: "sgd(lr=0.01, momentum=0.9)",
  unknown: "NET3005",
  planned: ["adagrad", "adadelta", "lars", "lamb"],
  definitions: [
    optimizer({
      name: "sgd",
      aliases: ["SGD", "momentum", "gradient_descent"],
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
          "whether the learning rate stands outside the velocity (PyTorch) or inside it (Caffe)",
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
      aliases: ["Adam"],
      summary: "running averages of the gradient and its square (arXiv:1412.6980)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-3, "learning rate"),
        ...averages,
        weight_decay: withDefault(decay, 0, "factor of the weights that is added to the gradient"),
      },
      resolve: ({ lr, beta1, beta2, eps, weight_decay }) => ({
        ...{ kind: "adam", learningRate: lr, weightDecay: weight_decay },
        ...{ beta1, beta2, epsilon: eps },
      }),
    }),
    optimizer({
      name: "adamw",
      aliases: ["AdamW"],
      summary: "adam with the decay taken off the weights themselves (arXiv:1711.05101)",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-3, "learning rate"),
        ...averages,
        weight_decay: withDefault(decay, 0.01, "share of the weights taken off, times the rate"),
      },
      resolve: ({ lr, beta1, beta2, eps, weight_decay }) => ({
        ...{ kind: "adamw", learningRate: lr, weightDecay: weight_decay },
        ...{ beta1, beta2, epsilon: eps },
      }),
    }),
    optimizer({
      name: "rmsprop",
      aliases: ["RMSprop", "RMSProp"],
      summary: "the gradient over the root of its running mean square, PyTorch's form",
      positional: [],
      arguments: {
        lr: withDefault(float({ above: 0 }), 1e-2, "learning rate"),
        alpha: withDefault(share, 0.99, "share kept of the average of squares"),
        eps: epsilon,
        momentum: withDefault(share, 0, "share of the velocity kept"),
        weight_decay: withDefault(decay, 0, "factor of the weights' decay"),
      },
      resolve: ({ lr, alpha, eps, momentum, weight_decay }) => ({
        ...{ kind: "rmsprop", learningRate: lr, weightDecay: weight_decay },
        ...{ alpha, momentum, epsilon: eps },
      }),
    }),
  ],
};
