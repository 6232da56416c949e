import type { OptimizerSettings } from "../../../program/program.js";
import { boolean, choice, float } from "../argument-types.js";
import { required, withDefault } from "../signature.js";
import { define, type Registry } from "./definition.js";

const optimizer = define<OptimizerSettings>();

export const optimizers: Registry<OptimizerSettings> = {
  noun: "optimizer",
  unknown: "NET3005",
  planned: ["adam", "adamw", "rmsprop", "adagrad", "lars", "lamb"],
  definitions: [
    optimizer({
      name: "sgd",
      aliases: ["SGD", "momentum", "gradient_descent"],
      summary: "stochastic gradient descent with momentum and weight decay",
      positional: [],
      arguments: {
        lr: required(float({ above: 0 }), "learning rate"),
        momentum: withDefault(float({ minimum: 0, below: 1 }), 0, "share of the velocity kept"),
        weight_decay: withDefault(float({ minimum: 0 }), 0, "factor of the weights' decay"),
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
  ],
};
