/** Collects the layers of a Keras model with channels last, and their weights. */
import type { LayerCall } from "../layer-call.js";

/** Sizes without the batch, channels last. */
export type KerasShape = readonly number[];

/** What a use of a layer gives. */
export interface TensorRef {
  readonly layer: string;
  /** The number of the use. */
  readonly use: number;
  readonly shape: KerasShape;
}

export interface KerasWeight {
  /** The last part: `kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type KerasConfig = Readonly<Record<string, unknown>>;

/** Arguments of a call after its inputs. */
export interface KerasArguments {
  readonly positional?: readonly number[];
  readonly named?: Readonly<Record<string, number>>;
}

/** What a layer is made of, and what it reads. */
export interface KerasCall {
  readonly inputs: readonly TensorRef[];
  readonly config?: KerasConfig;
  readonly weights?: readonly KerasWeight[];
  readonly arguments?: KerasArguments;
  /** Whether its weights are constants, which further training must not change. */
  readonly isConstant?: boolean;
}

export interface KerasUse {
  readonly inputs: readonly TensorRef[];
  readonly arguments: KerasArguments;
}

export interface KerasLayer {
  readonly className: string;
  readonly name: string;
  readonly config: KerasConfig;
  readonly weights: readonly KerasWeight[];
  readonly isConstant: boolean;
  readonly uses: KerasUse[];
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

  /** A layer, or another use of it where the name is known. */
  layer(name: string, className: string, shape: KerasShape, call: KerasCall): TensorRef {
    const { inputs, config = {}, weights = [], isConstant = false } = call;
    const known = this.layers.get(name);
    const layer = known ?? { className, name, config, weights, isConstant, uses: [] };
    this.layers.set(name, layer);
    if (inputs.length === 0) return { layer: name, use: 0, shape };
    const use = layer.uses.push({ inputs, arguments: call.arguments ?? {} }) - 1;
    return { layer: name, use, shape };
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

  /** Of what the layer of the spec gives. */
  get shape(): KerasShape {
    return channelsLast(this.call.output.slice(1).map(Number));
  }

  /** The layer that gives the value. Those with weights are one layer wherever they are used. */
  end(className: string, call: KerasCall): void {
    const { name, layer } = this.call;
    const isShared = (call.weights?.length ?? 0) > 0 && !call.isConstant;
    const own = isShared ? layer.weights : name;
    this.give(this.writer.layer(own, className, this.shape, call));
  }

  /** A layer before it. Names with a point are of sections, and no section has a layer's name. */
  part(name: string, className: string, shape: KerasShape, call: KerasCall): TensorRef {
    return this.writer.layer(`${this.call.name}.${name}`, className, shape, call);
  }

  give(ref: TensorRef, order?: ColumnsLast): void {
    this.writer.values.set(this.call.name, { ref, order });
  }

  /** Gives what has been given already, in the order of what the layer reads. */
  keepOrder(): void {
    const { ref } = this.writer.values.get(this.call.name)!;
    this.give(ref, this.value().order);
  }
}

/** Writes the layers of one layer of the spec. */
export type KerasMapping = (layers: KerasLayers) => void;

export function channelsLast(sizes: readonly number[]): KerasShape {
  const [channels, ...pixels] = sizes;
  return [...pixels, channels!];
}

/** A layer that is the same for each element, and keeps the order of what it reads. */
export const element =
  (className: string, config: (layers: KerasLayers) => KerasConfig = () => ({})): KerasMapping =>
  (layers) => {
    layers.end(className, { config: config(layers), inputs: [layers.input()] });
    layers.keepOrder();
  };

export const activation = (name: string) => element("Activation", () => ({ activation: name }));
