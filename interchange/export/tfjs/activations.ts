import { RefusedExport } from "../refusal.js";
import type { KerasConfig, KerasLayers, TensorRef } from "./keras-writer.js";
import { lineWeights } from "./normalizations.js";

type TfjsLayer = (layers: KerasLayers) => void;

/** An element by element layer keeps the order of what it reads. */
const element =
  (className: string, config: (layers: KerasLayers) => KerasConfig = () => ({})): TfjsLayer =>
  (layers) => {
    const { order } = layers.value();
    layers.end(className, config(layers), [layers.input()]);
    layers.give([layers.call.name, 0, 0], order);
  };

const named = (activation: string) => element("Activation", () => ({ activation }));

export const activations: Readonly<Record<string, TfjsLayer>> = {
  relu: element("ReLU"),
  leaky_relu: element("LeakyReLU", ({ call }) => ({ alpha: call.number("slope") })),
  relu6: element("ReLU", () => ({ max_value: 6 })),
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
    named("gelu")(layers);
  },
  silu: named("swish"),
  mish: named("mish"),
  hardswish,
  softplus: (layers) => {
    if (layers.call.number("beta") !== 1) throw new RefusedExport("its softplus has no `beta`");
    named("softplus")(layers);
  },
  sigmoid: named("sigmoid"),
  hardsigmoid,
  tanh: named("tanh"),
  clip,
  softmax: element("Softmax", () => ({ axis: -1 })),
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
  if (slope === 0.2 && offset === 0.5) return named("hard_sigmoid")(layers);
  const clipped = clippedLine(layers, { slope, offset });
  layers.give(line(layers, "sixth", clipped, { weight: 1 / 6, bias: 0 }), layers.value().order);
}

function hardswish(layers: KerasLayers): void {
  const clipped = clippedLine(layers, { slope: 1 / 6, offset: 0.5 });
  const gate = line(layers, "gate", clipped, { weight: 1 / 6, bias: 0 });
  const { order } = layers.value();
  layers.end("Multiply", {}, [layers.input(), gate]);
  layers.give([layers.call.name, 0, 0], order);
}

/** min(max(6 * (slope * x + offset), 0), 6) */
function clippedLine(
  layers: KerasLayers,
  { slope, offset }: { readonly slope: number; readonly offset: number },
): TensorRef {
  const x = layers.input();
  const straight = line(layers, "line", x, { weight: 6 * slope, bias: 6 * offset });
  return layers.part("clipped", "ReLU", { max_value: 6 }, [straight]);
}

function line(
  layers: KerasLayers,
  name: string,
  input: TensorRef,
  { weight, bias }: { readonly weight: number; readonly bias: number },
): TensorRef {
  const { channels } = layers.call.image;
  const filled = (value: number) => new Float32Array(channels).fill(value);
  const { config, weights } = lineWeights(filled(weight), filled(bias));
  return layers.part(name, "BatchNormalization", config, [input], weights);
}
