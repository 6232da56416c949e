import { LOSS_SCALE, LOSS_SCALE_WORDS } from "../../program/loss-scale.js";
import { packWords } from "../../program/words.js";
import { trainedParameters } from "../ir/fusion.js";
import { portsOf, type Graph, type Port, type Value } from "../ir/graph.js";
import type { ReferenceContext, Tensor } from "./op.js";
import { runNode } from "./run-node.js";
import { resolveShape, tensorSize } from "./tensors.js";

/**
 * Numbers of a tensor in logical order; the whole run is in double precision where the inputs are.
 */
export type Numbers = Float32Array | Float64Array;

export interface GraphInputs {
  /** Of a graph's first input: N x C x H x W. */
  readonly images: Numbers;
  /** Other inputs and targets, by name. */
  readonly given?: Readonly<Record<string, Uint32Array | Numbers>>;
  readonly labels?: Uint32Array | Numbers;
  /**
   * Of mixed images: the other label, and the share of the first; the label itself and 1 if absent.
   */
  readonly partners?: Uint32Array;
  readonly shares?: Numbers;
  /** By parameter name. */
  readonly parameters: ReadonlyMap<string, Numbers>;
  /** What the optimizer keeps, by parameter name, in its order; zeros where absent. */
  readonly states?: ReadonlyMap<string, readonly Numbers[]>;
  /** The state of a dynamic loss scale; that of a first step where absent. */
  readonly lossScale?: Numbers;
  readonly context: ReferenceContext;
}

/** Every value of a run, by the value's id. Parameters and states are as the updates left them. */
export type GraphValues = ReadonlyMap<number, Tensor>;

/**
 * Runs a graph on the CPU with the ops' references: the oracle for kernels. The inputs are not
 * changed. Throws where a parameter is missing or has the wrong length.
 */
export function runGraph(graph: Graph, inputs: GraphInputs): GraphValues {
  const values = new Map<number, Tensor>();
  const first = portsOf(graph, "input")[0];
  const batch = first ? inputs.images.length / tensorSize(resolveShape(first.shape, 1)) : 1;
  const set = (value: Value, data: Tensor["data"] | undefined) =>
    values.set(value.id, inputTensor(value, data, batch));
  for (const port of graph.inputs) {
    set(port.value, inputs.given?.[port.name] ?? portData(graph, port, inputs, batch));
  }
  for (const { value } of graph.parameters) set(value, inputs.parameters.get(value.name)?.slice());
  for (const { parameter, states } of trainedParameters(graph)) {
    const given = inputs.states?.get(parameter.name);
    const { length } = inputs.parameters.get(parameter.name)!;
    states.forEach((state, index) =>
      set(state, given?.[index]?.slice() ?? new Float32Array(length)),
    );
  }
  const context = { ...inputs.context, batch };
  for (const node of graph.nodes) {
    const outputs = runNode(node, ({ id }) => values.get(id)!, context);
    node.outputs.forEach((output, index) => values.set(output.id, outputs[index]!));
  }
  return values;
}

/** As a runtime hands on labels that do not count: beyond all classes. */
const IGNORED = 0xffffffff;

function portData(
  graph: Graph,
  { role, ignore }: Port,
  { images, labels, partners, shares, lossScale }: GraphInputs,
  batch: number,
): Tensor["data"] | undefined {
  switch (role) {
    case "input":
      return images;
    case "target":
      return labels?.map((label) => (label === ignore ? IGNORED : label)) ?? new Uint32Array(batch);
    case "partner":
      return partners ?? labels;
    case "share":
      return shares ?? new Float32Array(batch).fill(1);
    default:
      return lossScale?.slice() ?? firstLossScale(graph);
  }
}

function firstLossScale({ nodes }: Graph): Float32Array {
  const adjustment = nodes.find((node) => node.kind === "adjustLossScale");
  const { initial } = adjustment!.attributes;
  const none = { good_steps: 0, factor: 0, skipped: 0, updates: 0, length: 0 };
  const first = { scale: initial, power1: 1, power2: 1, ...none };
  return new Float32Array(packWords(LOSS_SCALE, first, LOSS_SCALE_WORDS));
}

function inputTensor(value: Value, data: Tensor["data"] | undefined, batch: number): Tensor {
  const shape = resolveShape(value.shape, batch);
  if (!data) throw new Error(`no values were given for ${value.name}`);
  if (data.length !== tensorSize(shape))
    throw new Error(`expected ${tensorSize(shape)} values for ${value.name}, got ${data.length}`);
  return { shape, data };
}
