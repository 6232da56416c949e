/** Collects the layers of a Keras model with channels last, and their weights. */
import type { LayerCall } from "../layer-call.js";

/** What a layer gives: the number of its use, and of the output, which is the first. */
export type TensorRef = readonly [layer: string, use: number, output: 0];

export interface KerasWeight {
  /** The last part: `kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type KerasConfig = Readonly<Record<string, unknown>>;

export interface KerasLayer {
  readonly className: string;
  readonly name: string;
  readonly config: KerasConfig;
  /** What it reads in each use. */
  readonly uses: (readonly TensorRef[])[];
  readonly weights: readonly KerasWeight[];
}

/** How the features of a flat value lie that was an image: by rows, columns, channels. */
export interface ColumnsLast {
  readonly channels: number;
  readonly pixels: number;
}

export interface KerasValue {
  readonly ref: TensorRef;
  /** Undefined where its numbers lie as the spec says, or are an image. */
  readonly order?: ColumnsLast;
}

export class KerasWriter {
  readonly layers = new Map<string, KerasLayer>();
  readonly values = new Map<string, KerasValue>();
  readonly notes: string[] = [];

  layer(
    className: string,
    name: string,
    config: KerasConfig,
    inputs: readonly TensorRef[],
    weights: readonly KerasWeight[] = [],
  ): TensorRef {
    const known = this.layers.get(name);
    const layer = known ?? { className, name, config, uses: [], weights };
    this.layers.set(name, layer);
    const use = inputs.length === 0 ? 0 : layer.uses.push(inputs) - 1;
    return [name, use, 0];
  }
}

/** A layer of the spec that layers of Keras are being written for. */
export class KerasLayers {
  constructor(
    readonly call: LayerCall,
    readonly writer: KerasWriter,
  ) {}

  value(index = 0): KerasValue {
    return this.writer.values.get(this.call.inputs[index]!)!;
  }

  input(index = 0): TensorRef {
    return this.value(index).ref;
  }

  /** The layer that gives the value. Those with weights are one layer wherever they are used. */
  end(
    className: string,
    config: KerasConfig,
    inputs: readonly TensorRef[],
    weights: readonly KerasWeight[] = [],
  ): void {
    const { name, layer } = this.call;
    const own = weights.length > 0 ? layer.weights : name;
    this.give(this.writer.layer(className, own, config, inputs, weights));
  }

  /** A layer before it. */
  part(
    name: string,
    className: string,
    config: KerasConfig,
    inputs: readonly TensorRef[],
    weights: readonly KerasWeight[] = [],
  ): TensorRef {
    return this.writer.layer(className, `${this.call.name}_${name}`, config, inputs, weights);
  }

  give(ref: TensorRef, order?: ColumnsLast): void {
    this.writer.values.set(this.call.name, { ref, order });
  }
}
