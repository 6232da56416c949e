/** Pictures of networks: an analyzed model to SVG. Pure, like the compiler. */
import { stepGraphs } from "../compiler/passes/step-graphs.js";
import { kernelsOfLayers } from "../compiler/passes/kernels-of-layers.js";
import type { Graph } from "../compiler/ir/graph.js";
import type { AnalyzedModel } from "../compiler/semantics/index.js";
import { makeDiagram } from "./diagram.js";
import { layOut } from "./layout.js";
import { drawSvg } from "./svg.js";

export interface PictureOptions {
  /** Draws outlines around layers that one kernel computes in `predict`. */
  readonly fused?: boolean;
}

/** Draws a model as a standalone SVG document. */
export async function drawModel(
  model: AnalyzedModel,
  { fused = false }: PictureOptions = {},
): Promise<string> {
  const diagram = makeDiagram(model);
  const layout = await layOut(diagram);
  const kernels = fused && model.graph ? kernelsOf(model, model.graph) : [];
  return drawSvg(model, diagram, layout, kernels);
}

/** Indices of the layers that each kernel computes. */
function kernelsOf({ layers }: AnalyzedModel, graph: Graph): readonly (readonly number[])[] {
  const indexOf = new Map(layers.map(({ name }, index) => [name, index]));
  const { predict } = stepGraphs(graph, { fusion: "none" });
  return kernelsOfLayers(predict).map((names) => names.flatMap((name) => indexOf.get(name) ?? []));
}
