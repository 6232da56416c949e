import { RefusedExport } from "../refusal.js";
import { sharedActivations } from "../channels-last/activations.js";
import {
  activation,
  element,
  type KerasCall,
  type KerasLayers,
  type KerasMapping,
  type TensorRef,
} from "../channels-last/keras-writer.js";

export const activations: Readonly<Record<string, KerasMapping>> = {
  ...sharedActivations,
  leaky_relu: element("LeakyReLU", ({ call }) => ({ negative_slope: call.number("slope") })),
  elu: element("ELU", ({ call }) => ({ alpha: call.number("alpha") })),
  gelu: (layers) => {
    if (layers.call.text("approximate") !== "tanh") return activation("gelu")(layers);
    element("Gelu", () => ({ approximate: true }))(layers);
  },
  silu: activation("silu"),
  hardswish: activation("hard_silu"),
  softplus,
  hardsigmoid,
  clip,
};

/** `log(1 + exp(beta * x)) / beta` */
function softplus(layers: KerasLayers): void {
  const beta = layers.call.number("beta");
  if (layers.call.number("threshold") < 20) {
    throw new RefusedExport("its softplus has no `threshold`", "`--to onnx` or `--to pytorch`");
  }
  if (beta === 1) return activation("softplus")(layers);
  const scaled = same(layers, "scaled", "Rescaling", layers.input(), { scale: beta, offset: 0 });
  const bent = same(layers, "softplus", "Activation", scaled, { activation: "softplus" });
  layers.end("Rescaling", { config: { scale: 1 / beta, offset: 0 }, inputs: [bent] });
  layers.keepOrder();
}

/** Keras has the slope of PyTorch; others are a ReLU between two lines. */
function hardsigmoid(layers: KerasLayers): void {
  const { call } = layers;
  const [slope, offset] = [call.number("slope"), call.number("offset")];
  const isPlain = Math.abs(slope - 1 / 6) < 1e-7 && offset === 0.5;
  if (isPlain) return activation("hard_sigmoid")(layers);
  const line = same(layers, "line", "Rescaling", layers.input(), { scale: slope, offset });
  layers.end("ReLU", { config: { max_value: 1 }, inputs: [line] });
  layers.keepOrder();
}

/** A ReLU from 0 on; functions of Keras elsewhere. */
function clip(layers: KerasLayers): void {
  const { call } = layers;
  const limit = (name: string) => (call.has(name) ? call.number(name) : undefined);
  const [least, most] = [limit("min"), limit("max")];
  if (least === 0) {
    const config = most === undefined ? {} : { max_value: most };
    return element("ReLU", () => config)(layers);
  }
  const atLeast = (): KerasCall => ({
    inputs: [layers.input()],
    arguments: { positional: [least!] },
  });
  if (most === undefined) layers.end("Maximum", atLeast());
  else {
    const { shape } = layers.input();
    const input =
      least === undefined ? layers.input() : layers.part("least", "Maximum", shape, atLeast());
    layers.end("Minimum", { inputs: [input], arguments: { positional: [most] } });
  }
  layers.keepOrder();
}

/** A layer before it of the same shape. */
function same(
  layers: KerasLayers,
  name: string,
  className: string,
  input: TensorRef,
  config: Readonly<Record<string, unknown>>,
): TensorRef {
  return layers.part(name, className, input.shape, { config, inputs: [input] });
}
