/** Networks of Darknet that classify: a cfg, and a file of weights. */
import { ImportError } from "../error.js";
import type { ForeignGraph, ForeignTensor } from "../foreign-graph.js";
import { GraphWriter, RefusedLayer } from "../graph-writer.js";
import type { Importer, ImportSource } from "../importer.js";
import { decodeUtf8 } from "../json.js";
import { floats, transposed } from "../tensors.js";
import { integerIn, integersIn, numberIn, readConfig, type Section } from "./config.js";
import { WeightsReader } from "./weights.js";

export const darknet: Importer = {
  format: "Darknet",
  extensions: [".cfg with .weights"],
  sniff: ({ path }) => path.endsWith(".cfg"),
  read: (source) => Promise.resolve().then(() => read(source)),
};

function read({ file, weights }: ImportSource): ForeignGraph {
  if (!weights) {
    throw new ImportError("a network of Darknet is two files", [
      "netc import darknet19.cfg darknet19.weights",
    ]);
  }
  const [net, ...sections] = readConfig(decodeUtf8(file.bytes, file.path), file.path);
  if (!net || !["net", "network"].includes(net.name)) {
    throw new ImportError(`${file.path} does not begin with [net]`);
  }
  return new Walk(net, new WeightsReader(weights.bytes, weights.path)).run(sections);
}

/** A layer's output. `sizes` are channels, rows, columns; flat rows have one column and row. */
interface Output {
  readonly value: string;
  readonly sizes: readonly [number, number, number];
  readonly isFlat: boolean;
}

const INPUT = "input";
/** `.000001` outside of the root on CPUs, this within it on GPUs. */
const EPSILON = 1e-5;

class Walk {
  private readonly writer = new GraphWriter();
  private readonly outputs: Output[] = [];
  private readonly input: Output;

  constructor(
    net: Section,
    private readonly weights: WeightsReader,
  ) {
    const [channels, height, width] = ["channels", "height", "width"].map((name) => {
      const size = sizeIn(net, name);
      if (size >= 1) return size;
      throw new ImportError(`${net.place}: [net] has no \`${name}\``);
    }) as [number, number, number];
    this.input = { value: INPUT, sizes: [channels, height, width], isFlat: false };
  }

  run(sections: readonly Section[]): ForeignGraph {
    for (const section of sections) {
      if (section.name === "cost") continue;
      this.writer.begin({ name: "", type: `[${section.name}]`, place: section.place });
      try {
        this.outputs.push(this.mapped(section));
      } catch (error) {
        if (!(error instanceof RefusedLayer)) throw error;
        // Weights have no names: what follows a layer that is not understood cannot be found.
        this.writer.refuse(error.message, error.instead);
        break;
      }
    }
    const output = this.outputs.at(-1) ?? this.input;
    const shape = [undefined, ...this.input.sizes];
    const graph = () =>
      this.writer.finish("", "Darknet", [{ name: INPUT, shape }], [this.flat(output).value]);
    this.writer.remark("Darknet reads RGB images from 0 to 1, without a mean.");
    const made = graph();
    this.weights.finish();
    return made;
  }

  private get last(): Output {
    return this.outputs.at(-1) ?? this.input;
  }

  private mapped(section: Section): Output {
    const isKnown = Object.hasOwn(MAPPINGS, section.name);
    const mapping = isKnown ? MAPPINGS[section.name] : undefined;
    if (mapping) return mapping(this, section);
    throw new RefusedLayer("netc has no layer of this kind", "a network that classifies");
  }

  convolutional(section: Section): Output {
    const { value, sizes } = this.image();
    const [out, size] = [integerIn(section, "filters", 1), integerIn(section, "size", 1)];
    const [stride, groups] = [integerIn(section, "stride", 1), integerIn(section, "groups", 1)];
    const padding = integerIn(section, "pad", 0)
      ? Math.floor(size / 2)
      : integerIn(section, "padding", 0);
    const perGroup = sizes[0] / groups;
    if (![out, size, stride, groups, perGroup].every(isCount) || padding < 0) {
      throw new RefusedLayer("its filters, size, stride or groups are not valid sizes");
    }
    const biases = this.weights.next([out], section.place);
    const normalizes = integerIn(section, "batch_normalize", 0) !== 0;
    const statistics = normalizes ? this.statistics(out, section) : undefined;
    const kernel = this.weights.next([out, perGroup, size, size], section.place);
    const pads = [padding, padding, padding, padding];
    const inputs = [value, this.constant(kernel), statistics ? undefined : this.constant(biases)];
    const attributes = { group: groups, strides: [stride, stride], pads };
    const product = this.writer.node("Conv", inputs, attributes);
    const normal = statistics ? this.normalized(product, biases, statistics) : product;
    const slid = (length: number) => Math.floor((length + 2 * padding - size) / stride) + 1;
    const [rows, columns] = [slid(sizes[1]), slid(sizes[2])];
    const shape = [out, rows, columns] as const;
    return { value: this.activated(normal, section, "logistic"), sizes: shape, isFlat: false };
  }

  connected(section: Section): Output {
    const { value, sizes } = this.flat(this.last);
    const out = integerIn(section, "output", 1);
    if (!isCount(out)) throw new RefusedLayer("its `output` is not a valid size");
    const biases = this.weights.next([out], section.place);
    const given = this.weights.isTransposed
      ? this.weights.next([sizes[0], out], section.place)
      : transposed(this.weights.next([out, sizes[0]], section.place), [1, 0]);
    const normalizes = integerIn(section, "batch_normalize", 0) !== 0;
    const statistics = normalizes ? this.statistics(out, section) : undefined;
    const bias = statistics ? undefined : this.constant(biases);
    const product = this.writer.node("Gemm", [value, this.constant(given), bias]);
    const normal = statistics ? this.normalized(product, biases, statistics) : product;
    return { value: this.activated(normal, section, "logistic"), sizes: [out, 1, 1], isFlat: true };
  }

  /** Pads size - 1 rows and columns in all, half of them before the image. */
  maxpool(section: Section): Output {
    const { value, sizes } = this.image();
    const stride = integerIn(section, "stride", 1);
    const size = integerIn(section, "size", stride);
    const padding = integerIn(section, "padding", size - 1);
    if (![stride, size].every(isCount) || padding < 0) {
      throw new RefusedLayer("its size, stride or padding are not valid sizes");
    }
    const before = Math.floor(padding / 2);
    const pads = [before, before, padding - before, padding - before];
    const attributes = { kernel_shape: [size, size], strides: [stride, stride], pads };
    const slid = (length: number) => Math.floor((length + padding - size) / stride) + 1;
    const pooled = this.writer.node("MaxPool", [value], attributes);
    return { value: pooled, sizes: [sizes[0], slid(sizes[1]), slid(sizes[2])], isFlat: false };
  }

  avgpool(): Output {
    const { value, sizes } = this.image();
    const pooled = this.writer.node("GlobalAveragePool", [value]);
    return { value: pooled, sizes: [sizes[0], 1, 1], isFlat: false };
  }

  softmax(section: Section): Output {
    const [groups, temperature] = [
      integerIn(section, "groups", 1),
      numberIn(section, "temperature", 1),
    ];
    if (groups !== 1 || temperature !== 1) {
      throw new RefusedLayer("it has groups or a temperature", "groups=1, temperature=1");
    }
    const flat = this.flat(this.last);
    return { ...flat, value: this.writer.node("Softmax", [flat.value], { axis: 1 }) };
  }

  dropout(section: Section): Output {
    const ratio = numberIn(section, "probability", 0.5);
    return { ...this.last, value: this.writer.node("Dropout", [this.last.value], { ratio }) };
  }

  activation(section: Section): Output {
    return { ...this.last, value: this.activated(this.last.value, section, "linear") };
  }

  shortcut(section: Section): Output {
    const [from, ...more] = integersIn(section, "from");
    const other = this.output(from ?? 0);
    if (more.length > 0 || other.sizes.join() !== this.last.sizes.join()) {
      throw new RefusedLayer(
        `it adds [${other.sizes.join(", ")}] to [${this.last.sizes.join(", ")}]`,
        "a shortcut of the same size",
      );
    }
    const sum = this.writer.node("Add", [this.last.value, other.value]);
    return { ...this.last, value: this.activated(sum, section, "linear") };
  }

  route(section: Section): Output {
    const parts = integersIn(section, "layers").map((place) => this.output(place));
    const [first, ...others] = parts;
    if (!first || integerIn(section, "groups", 1) !== 1) {
      throw new RefusedLayer("it names no layers, or parts of them", "whole layers");
    }
    if (others.length === 0) return first;
    const [, rows, columns] = first.sizes;
    if (others.some(({ sizes }) => sizes[1] !== rows || sizes[2] !== columns)) {
      throw new RefusedLayer("it joins images of different sizes");
    }
    const value = this.writer.node(
      "Concat",
      parts.map((part) => part.value),
      { axis: 1 },
    );
    const channels = parts.reduce((sum, { sizes }) => sum + sizes[0], 0);
    return { value, sizes: [channels, rows, columns], isFlat: first.isFlat };
  }

  /** A negative number counts from the current layer, another one from the first. */
  private output(place: number): Output {
    const output = this.outputs[place < 0 ? this.outputs.length + place : place];
    if (output) return output;
    throw new RefusedLayer(`it reads layer ${place}, which is not before it`);
  }

  private image(): Output {
    if (!this.last.isFlat) return this.last;
    throw new RefusedLayer("its input is not an image");
  }

  private flat(output: Output): Output {
    if (output.isFlat) return output;
    const [channels, rows, columns] = output.sizes;
    const value = this.writer.node("Flatten", [output.value]);
    return { value, sizes: [channels * rows * columns, 1, 1], isFlat: true };
  }

  /** Scales, means, variances. */
  private statistics(count: number, { place }: Section): readonly ForeignTensor[] {
    return [0, 1, 2].map(() => this.weights.next([count], place));
  }

  private normalized(value: string, biases: ForeignTensor, statistics: readonly ForeignTensor[]) {
    const [scales, means, variances] = statistics as [ForeignTensor, ForeignTensor, ForeignTensor];
    const constants = [scales, biases, means, variances].map((each) => this.constant(each));
    return this.writer.node("BatchNormalization", [value, ...constants], { epsilon: EPSILON });
  }

  private activated(value: string, section: Section, otherwise: string): string {
    const name = section.settings.get("activation") ?? otherwise;
    const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
    if (!activation) throw new RefusedLayer(`netc has no activation \`${name}\``, "leaky");
    if (activation.operator === "") return value;
    const bounds = (activation.bounds ?? []).map((each) => this.constant(floats([], [each])));
    return this.writer.node(activation.operator, [value, ...bounds], activation.attributes);
  }

  private constant(tensor: ForeignTensor): string {
    return this.writer.constant(tensor);
  }
}

const MAPPINGS: Readonly<Record<string, (walk: Walk, section: Section) => Output>> = {
  convolutional: (walk, section) => walk.convolutional(section),
  conv: (walk, section) => walk.convolutional(section),
  connected: (walk, section) => walk.connected(section),
  conn: (walk, section) => walk.connected(section),
  maxpool: (walk, section) => walk.maxpool(section),
  max: (walk, section) => walk.maxpool(section),
  avgpool: (walk) => walk.avgpool(),
  avg: (walk) => walk.avgpool(),
  softmax: (walk, section) => walk.softmax(section),
  soft: (walk, section) => walk.softmax(section),
  dropout: (walk, section) => walk.dropout(section),
  activation: (walk, section) => walk.activation(section),
  shortcut: (walk, section) => walk.shortcut(section),
  route: (walk, section) => walk.route(section),
};

interface Activation {
  /** Empty where nothing is done. */
  readonly operator: string;
  readonly attributes?: Readonly<Record<string, number>>;
  readonly bounds?: readonly number[];
}

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  linear: { operator: "" },
  logistic: { operator: "Sigmoid" },
  relu: { operator: "Relu" },
  leaky: { operator: "LeakyRelu", attributes: { alpha: 0.1 } },
  elu: { operator: "Elu" },
  tanh: { operator: "Tanh" },
  swish: { operator: "Silu" },
  mish: { operator: "Mish" },
  hardtan: { operator: "Clip", bounds: [-1, 1] },
};

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;

function sizeIn(section: Section, name: string): number {
  try {
    return integerIn(section, name, 0);
  } catch (error) {
    throw new ImportError(`${section.place}: [net]: ${(error as Error).message}`);
  }
}
