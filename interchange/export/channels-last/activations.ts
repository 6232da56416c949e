/** Activations that Keras and TensorFlow.js have alike. */
import { activation, element, type KerasMapping } from "./keras-writer.js";

export const sharedActivations: Readonly<Record<string, KerasMapping>> = {
  relu: element("ReLU"),
  relu6: element("ReLU", () => ({ max_value: 6 })),
  mish: activation("mish"),
  sigmoid: activation("sigmoid"),
  tanh: activation("tanh"),
  softmax: element("Softmax", () => ({ axis: -1 })),
};
