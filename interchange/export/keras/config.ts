/** The description of a functional model in JSON, as Keras 3 writes it. */
import type { KerasLayer, KerasShape, KerasUse, TensorRef } from "../channels-last/keras-writer.js";

export interface KerasGraph {
  readonly name: string;
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly TensorRef[];
  readonly outputs: readonly TensorRef[];
}

export function modelConfig({ name, layers, inputs, outputs }: KerasGraph) {
  return {
    module: "keras.src.models.functional",
    class_name: "Functional",
    config: {
      name,
      trainable: true,
      layers: layers.map(layerConfig),
      input_layers: inputs.map(historyOf),
      output_layers: outputs.map(historyOf),
    },
    registered_name: "Functional",
    build_config: { input_shape: null },
  };
}

/** Functions instead of layers: they have neither weights nor a type. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  Power: "keras.src.ops.numpy",
  Pad: "keras.src.ops.numpy",
  Maximum: "keras.src.ops.numpy",
  Minimum: "keras.src.ops.numpy",
  Gelu: "keras.src.ops.nn",
};

export const isFunction = ({ className }: KerasLayer) => Object.hasOwn(FUNCTIONS, className);

function layerConfig(layer: KerasLayer) {
  const { className, name, config, isConstant, uses } = layer;
  const nodes = uses.map(nodeConfig);
  if (isFunction(layer)) {
    return {
      module: FUNCTIONS[className],
      class_name: className,
      config: { name, ...config },
      registered_name: className,
      name,
      inbound_nodes: nodes,
    };
  }
  return {
    module: "keras.layers",
    class_name: className,
    config: { name, trainable: !isConstant, dtype: "float32", ...config },
    registered_name: null,
    name,
    inbound_nodes: nodes,
  };
}

/** Layers that read several values take them as a list. */
function nodeConfig({ inputs, arguments: { positional = [], named = {} } }: KerasUse) {
  const tensors = inputs.map(tensorConfig);
  return { args: [tensors.length === 1 ? tensors[0] : tensors, ...positional], kwargs: named };
}

const openBatch = (shape: KerasShape) => [null, ...shape];

const tensorConfig = (ref: TensorRef) => ({
  class_name: "__keras_tensor__",
  config: { shape: openBatch(ref.shape), dtype: "float32", keras_history: historyOf(ref) },
});

/** The layer, the number of its use, and the number of the output. */
const historyOf = ({ layer, use }: TensorRef) => [layer, use, 0] as const;
