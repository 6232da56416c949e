/** From a Keras model and its weights to a foreign graph. */
import { ChannelsLast, type Tensor } from "../channels-last.js";
import { ImportError } from "../error.js";
import type { ForeignGraph, ForeignInput } from "../foreign-graph.js";
import { GraphWriter, RefusedLayer } from "../graph-writer.js";
import { inOrder } from "../in-order.js";
import type { KerasVersion } from "./activations.js";
import { functions, layers, type LayerMapping } from "./layers.js";
import type { KerasLayer, KerasModel, KerasValue } from "./model.js";
import { pickWeights, type KerasWeights } from "./weights.js";

export interface KerasFile {
  readonly model: KerasModel;
  readonly weights: KerasWeights;
  readonly version: KerasVersion;
  /** `Keras 2.4.0, HDF5`. */
  readonly source: string;
}

/** Throws an ImportError that names every layer without a counterpart. */
export function graphOf({ model, weights, version, source }: KerasFile): ForeignGraph {
  const inputs = model.inputs.map(({ layer }) => inputOf(model, layer));
  if (inputs.length === 0) throw new ImportError("the model reads no input");
  const writer = new GraphWriter();
  const walk = new Walk(new ChannelsLast(writer), weights, version);
  const outputs = walk.model(model, inputs.map(tensorOf), []);
  return writer.finish(
    model.name,
    source,
    inputs,
    outputs.map((output) => output?.value ?? ""),
  );
}

/** With channels first. */
function inputOf(model: KerasModel, name: string): ForeignInput {
  const layer = model.layers.find((each) => each.name === name);
  const shape = layer?.inputShape;
  if (!shape) {
    throw new ImportError(`the model does not say the shape of its input \`${name}\``, [
      "build it with an Input layer, and save it again",
    ]);
  }
  if (shape.length === 1) return { name, shape: [undefined, shape[0]] };
  if (shape.length !== 3) {
    const sizes = ["N", ...shape.map((size) => size ?? "?")].join(", ");
    throw new ImportError(`the model reads [${sizes}], and netc has images and rows of features`);
  }
  const [height, width, channels] = shape;
  return { name, shape: [undefined, channels, height, width] };
}

function tensorOf({ name, shape }: ForeignInput): Tensor {
  const [, channels, height, width] = shape;
  const sizes = [height, width, channels];
  const isKnown = sizes.every((size) => size !== undefined);
  return { value: name, rank: shape.length, sizes: isKnown ? sizes : undefined };
}

/** A call of a layer, and what it reads. */
interface Application {
  readonly layer: KerasLayer;
  readonly call: number;
  readonly inputs: readonly KerasValue[];
}

class Walk {
  private count = 0;

  constructor(
    private readonly build: ChannelsLast,
    private readonly weights: KerasWeights,
    private readonly version: KerasVersion,
  ) {}

  /** Undefined is what depends on a layer that was refused. */
  model(
    model: KerasModel,
    inputs: readonly (Tensor | undefined)[],
    path: readonly string[],
  ): readonly (Tensor | undefined)[] {
    const values = new Map<string, Tensor | undefined>();
    model.inputs.forEach((input, index) => values.set(keyOf(input), inputs[index]));
    for (const application of applicationsOf(model)) {
      const key = keyOf({ layer: application.layer.name, call: application.call });
      values.set(key, this.apply(application, values, path));
    }
    return model.outputs.map((output) => find(values, output));
  }

  private apply(
    { layer, call, inputs }: Application,
    values: ReadonlyMap<string, Tensor | undefined>,
    path: readonly string[],
  ): Tensor | undefined {
    const read = inputs.map((input) => find(values, input));
    const known = read.filter((each) => each !== undefined);
    if (layer.inner) {
      if (layer.inner.outputs.length !== 1) {
        throw new ImportError(`the model \`${layer.name}\` within it has several outputs`);
      }
      return this.model(layer.inner, read, [...path, layer.name])[0];
    }
    const place = [`layer ${++this.count}`, ...path.map((name) => `of \`${name}\``)].join(" ");
    this.build.writer.begin({
      name: [...path, layer.name].join("/"),
      type: layer.className,
      place,
    });
    if (known.length < read.length) return undefined;
    if (call === 1) {
      this.build.writer.remark(
        `The Keras model applies \`${layer.name}\` ${layer.calls.length} times with the same ` +
          "weights; here each has separate weights.",
      );
    }
    return this.mapped(layer, call, known, path);
  }

  private mapped(
    layer: KerasLayer,
    call: number,
    inputs: readonly Tensor[],
    path: readonly string[],
  ): Tensor | undefined {
    const { settings } = layer;
    const { build, version } = this;
    const given = () => this.weights([...path, layer.name]);
    try {
      return mappingOf(layer)({
        build,
        settings,
        inputs,
        version,
        constants: layer.calls[call]?.constants ?? {},
        weights: (names) => pickWeights(given(), names),
      });
    } catch (error) {
      if (!(error instanceof RefusedLayer)) throw error;
      build.writer.refuse(error.message, error.instead);
      return undefined;
    }
  }
}

function mappingOf({ className, isFunction }: KerasLayer): LayerMapping {
  const table = isFunction ? functions : layers;
  const mapping = Object.hasOwn(table, className) ? table[className] : undefined;
  if (mapping) return mapping;
  throw new RefusedLayer("netc has no layer of this class");
}

const keyOf = ({ layer, call }: KerasValue) => `${call} ${layer}`;

/** Models within models may count their calls from 1. */
function find(values: ReadonlyMap<string, Tensor | undefined>, value: KerasValue) {
  const key = keyOf(value);
  return values.has(key) ? values.get(key) : values.get(keyOf({ ...value, call: 0 }));
}

/** Calls of all layers except those that the inputs come in through. */
function applicationsOf(model: KerasModel): readonly Application[] {
  const inputs = new Set(model.inputs.map(({ layer }) => layer));
  const all = model.layers
    .filter(({ name }) => !inputs.has(name))
    .flatMap((layer) =>
      layer.calls.map((each, call): Application => ({ layer, call, inputs: each.inputs })),
    );
  const places = new Map(
    all.map(({ layer, call }, index) => [keyOf({ layer: layer.name, call }), index]),
  );
  const placeOf = (value: KerasValue): readonly number[] => {
    if (inputs.has(value.layer)) return [];
    const place = places.get(keyOf(value)) ?? places.get(keyOf({ ...value, call: 0 }));
    if (place !== undefined) return [place];
    throw new ImportError(`the model reads \`${value.layer}\`, which it does not have`);
  };
  const ordered = inOrder(all, (application) => application.inputs.flatMap(placeOf));
  if (!ordered) throw new ImportError("layers of the model form a cycle");
  return ordered;
}
