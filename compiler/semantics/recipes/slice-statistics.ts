/** Batch normalization of features over a slice of one example, in which nothing varies. */
import type { Span } from "../../../grammar/ast.js";
import type { DiagnosticDetails } from "../../diagnostics/create.js";
import type { TrainRecipe } from "../../../program/recipe.js";
import type { Graph, Node, Value } from "../../ir/graph.js";
import { isOfSection } from "../../ir/section.js";
import { imageShape } from "../../ir/shape.js";

/** How a batch is trained. */
export interface BatchSlices {
  readonly batch: number;
  readonly slices: number;
}

/** Which statistics training leaves as they are. */
export type KeptStatistics = Pick<TrainRecipe, "freezeStatistics" | "teacher">;

/**
 * What normalizes over the examples of a slice in training: not the layers of a teacher, and those
 * whose statistics a recipe freezes.
 */
export function batchStatistics(
  graph: Graph | undefined,
  { freezeStatistics = [], teacher }: KeptStatistics,
): readonly Node<"channelStatistics">[] {
  const isKept = ({ name }: Value) =>
    freezeStatistics.includes(name) || (teacher && isOfSection(name, teacher.section));
  const nodes = graph?.nodes.filter((node) => node.kind === "channelStatistics") ?? [];
  return nodes.filter(({ inputs: [, ...statistics] }) => !statistics.some(isKept));
}

/**
 * What is wrong where a slice has one example and a layer normalizes features over it; undefined
 * where nothing is.
 */
export function singleExampleProblem(
  { batch, slices }: BatchSlices,
  measured: ReturnType<typeof batchStatistics>,
  span: Span,
): DiagnosticDetails | undefined {
  const normalization = measured.find(({ inputs: [x] }) => hasOnePixel(x!.shape));
  if (!normalization || Math.ceil(batch / slices) > 1) return undefined;
  const division = slices > 1 ? `batch ${batch} / ${slices} slices = ` : "";
  const { name, span: layer } = normalization.origin;
  return {
    message:
      `batchnorm \`${name}\` normalizes each feature over ${division}1 example, ` +
      "so its output is constant",
    span,
    related: [{ span: layer, message: "mean and variance of 1 number" }],
    notes: ["the variance of 1 number is 0: train with at least 2 examples in a slice"],
  };
}

function hasOnePixel(shape: Value["shape"]): boolean {
  const { height, width } = imageShape(shape);
  return height * width === 1;
}
