/** What images a model was trained on, where the user says it: `--bgr` and `--mean`. */
import { ImportError } from "./error.js";
import { describeNode, type ForeignGraph, type ForeignNode } from "./foreign-graph.js";
import { gathered } from "./tensors.js";

export interface Preprocessing {
  /** Whether the model reads blue, green, red. */
  readonly bgr?: boolean | undefined;
  /** What was taken from each channel of images from 0 to 255, in the model's order. */
  readonly mean?: readonly number[] | undefined;
}

/**
 * The same model for RGB images, which are what netc reads: the channels of the first convolutions'
 * weights change places. A mean becomes a comment with the transform that subtracts it.
 */
export function preprocessed(graph: ForeignGraph, { bgr, mean }: Preprocessing): ForeignGraph {
  const remarks = [
    ...(graph.remarks ?? []),
    ...(bgr ? ["The model read BGR: its first weights were reordered for RGB images."] : []),
    ...(mean ? [meanRemark(bgr ? mean.toReversed() : mean)] : []),
  ];
  const changed = bgr ? inRgb(graph) : graph;
  return remarks.length === 0 ? changed : { ...changed, remarks, training: inOrder(changed, bgr) };
}

/** The mean of each channel comes in the order of the network's channels. */
function inOrder({ training }: ForeignGraph, bgr: boolean | undefined): ForeignGraph["training"] {
  if (!bgr || !training?.normalization) return training;
  const { mean, scale } = training.normalization;
  return { ...training, normalization: { mean: mean.toReversed(), scale } };
}

/** For images from 0 to 1, as netc reads them. */
function meanRemark(mean: readonly number[]): string {
  const shares = mean.map((value) => Number((value / 255).toPrecision(6)));
  const deviations = mean.map(() => Number((1 / 255).toPrecision(6)));
  return (
    "It reads images from 0 to 255 minus a mean: give its data the transform " +
    `normalize(mean=[${shares.join(", ")}], std=[${deviations.join(", ")}]).`
  );
}

function inRgb(graph: ForeignGraph): ForeignGraph {
  const [input] = graph.inputs;
  if (graph.inputs.length !== 1 || input?.shape[1] !== 3) {
    throw new ImportError("--bgr is for models that read one image of 3 channels");
  }
  const constants = new Map(graph.constants);
  const nodes = graph.nodes.map((node) => {
    if (!node.inputs.includes(input.name)) return node;
    const weight = firstWeight(node, graph);
    const reordered = `${node.inputs[1]!} in RGB`;
    constants.set(reordered, gathered(weight, 1, [2, 1, 0]));
    return { ...node, inputs: [node.inputs[0], reordered, ...node.inputs.slice(2)] };
  });
  return { ...graph, nodes, constants };
}

function firstWeight(node: ForeignNode, { constants }: ForeignGraph) {
  const [, name] = node.inputs;
  const weight = name === undefined ? undefined : constants.get(name);
  const isWhole = (node.attributes["group"] ?? 1) === 1;
  if (node.operator === "Conv" && weight?.shape[1] === 3 && isWhole) return weight;
  throw new ImportError(
    `--bgr reorders a first convolution's weights, and ${describeNode(node)} reads the image`,
    ["import it without --bgr, and give it images in BGR"],
  );
}
