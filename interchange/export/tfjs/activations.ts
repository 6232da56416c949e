import { sharedActivations } from "../channels-last/activations.js";
import {
  activation,
  element,
  type KerasLayers,
  type KerasMapping,
  type TensorRef,
} from "../channels-last/keras-writer.js";
import { RefusedExport } from "../refusal.js";
import { filled, lineOf } from "./normalizations.js";

export const activations: Readonly<Record<string, KerasMapping>> = {
  ...sharedActivations,
  leaky_relu: element("LeakyReLU", ({ call }) => ({ alpha: call.number("slope") })),
  elu: (layers) => {
    if (layers.call.number("alpha") !== 1)
      throw new RefusedExport("its ELU has no other `alpha` than 1");
    element("ELU", () => ({ alpha: 1 }))(layers);
  },
  gelu: (layers) => {
    if (layers.call.text("approximate") === "tanh") {
      throw new RefusedExport(
        "it reads no gelu by tanh",
        "`gelu`, which differs by less than 5e-4",
      );
    }
    activation("gelu")(layers);
  },
  silu: activation("swish"),
  hardswish,
  softplus: (layers) => {
    if (layers.call.number("beta") !== 1) throw new RefusedExport("its softplus has no `beta`");
    if (layers.call.number("threshold") < 20) {
      throw new RefusedExport("its softplus has no `threshold`");
    }
    activation("softplus")(layers);
  },
  hardsigmoid,
  clip,
};

function clip(layers: KerasLayers): void {
  const { call } = layers;
  if (!call.has("min") || call.number("min") !== 0) {
    throw new RefusedExport("it clips from 0 on", "`clip(0, max=...)`");
  }
  const limit = call.has("max") ? { max_value: call.number("max") } : {};
  element("ReLU", () => limit)(layers);
}

/** TensorFlow.js has the slope 0.2 alone; others are made of a ReLU between two lines. */
function hardsigmoid(layers: KerasLayers): void {
  const { call } = layers;
  const [slope, offset] = [call.number("slope"), call.number("offset")];
  if (slope === 0.2 && offset === 0.5) return activation("hard_sigmoid")(layers);
  const clipped = clippedLine(layers, { slope, offset });
  layers.give(line(layers, "sixth", clipped, { weight: 1 / 6, bias: 0 }), layers.value().order);
}

function hardswish(layers: KerasLayers): void {
  const clipped = clippedLine(layers, { slope: 1 / 6, offset: 0.5 });
  const gate = line(layers, "gate", clipped, { weight: 1 / 6, bias: 0 });
  layers.end("Multiply", { inputs: [layers.input(), gate] });
  layers.keepOrder();
}

/** min(max(6 * (slope * x + offset), 0), 6) */
function clippedLine(
  layers: KerasLayers,
  { slope, offset }: { readonly slope: number; readonly offset: number },
): TensorRef {
  const x = layers.input();
  const straight = line(layers, "line", x, { weight: 6 * slope, bias: 6 * offset });
  const config = { max_value: 6 };
  return layers.part("clipped", "ReLU", straight.shape, { config, inputs: [straight] });
}

function line(
  layers: KerasLayers,
  name: string,
  input: TensorRef,
  { weight, bias }: { readonly weight: number; readonly bias: number },
): TensorRef {
  const channels = input.shape.at(-1)!;
  const settings = lineOf(filled(channels, weight), filled(channels, bias));
  return layers.part(name, "BatchNormalization", input.shape, { ...settings, inputs: [input] });
}
