/** Weight gradients: rows are weights of a window, in the order in which the weights lie. */
import { columnPitch, groupsOf, type PieceGroups } from "../../program/pieces.js";
import type { Node, Value } from "../ir/graph.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import type { ConvolutionGeometry } from "../layout/geometry.js";
import { pieceLabel, type Piece, type StoredParameter } from "../layout/parameters.js";
import { ofGroups, productWindow, window, windowSteps, type Window } from "../layout/window.js";
import { RANK_IMAGES, RANK_SCHEDULES, type ContractionProblem } from "../schedules/index.js";
import { isSplit, type ContractionSchedule } from "../schedules/schedule.js";
import { geometryOf } from "../layout/geometry.js";
import type { ContractionChoice } from "./problem.js";
import { layoutOf, parameterOf, sumsOf, type PlanSettings } from "./settings.js";
import { fixed, perImage, scratch, type Storage } from "./storage.js";

type WeightNode = Node<"convolutionWeightGradient">;

export interface WeightPlan {
  readonly form: "weights";
  /** Of a few images, where a separate kernel applies their update. */
  readonly rank?: ContractionSchedule;
  /** Of a run of the window, the values that are weights; the others are padding. */
  readonly runValues: number;
  readonly pieces: readonly WeightPiece[];
}

/** One of the parameter's pieces. */
export interface WeightPiece extends ContractionChoice {
  readonly label: string;
  readonly piece: Piece;
  /** The groups that it holds. */
  readonly held: PieceGroups;
  readonly window: Window;
  /** Fours of weights' rows in a group, and vec4 of its columns. */
  readonly quads: number;
  readonly columns: number;
  readonly schedule: ContractionSchedule;
  readonly partials?: WeightPartials;
}

/** Sums of parts of the batch: the weights' and, behind them, the bias's. */
export interface WeightPartials {
  readonly storage: Storage;
  readonly splits: number;
  /** vec4 of a part, and those of them that are the weights'. */
  readonly quads: number;
  readonly weightQuads: number;
}

/** What all pieces are planned with. */
interface Common {
  readonly settings: PlanSettings;
  readonly node: WeightNode;
  readonly windows: Window;
  readonly geometry: ConvolutionGeometry;
  readonly parameter: StoredParameter;
  /** Whether a few images have a separate kernel. */
  readonly hasRank: boolean;
}

export function planWeights(settings: PlanSettings, node: WeightNode): WeightPlan {
  const geometry = geometryOf(node);
  const layout = layoutOf(settings, node.inputs[0]!);
  const isProduct = geometry.coversInput && layout.isContiguous;
  const windows = isProduct
    ? productWindow(layout)
    : window(layout, node.attributes.dilation, geometry, windowSteps(geometry));
  const rank = isProduct && node.fusion?.updates ? RANK_SCHEDULES[settings.target] : undefined;
  const parameter = parameterOf(settings, trainedOf(node));
  const common = { settings, node, windows, geometry, parameter, hasRank: rank !== undefined };
  return {
    form: "weights",
    rank,
    runValues: isProduct ? layout.imagePitch : runValues(layout, geometry),
    pieces: parameter.pieces.map((_, index) => planPiece(common, index)),
  };
}

/** The parameter that is updated at once, or the gradient that lies as it does. */
const trainedOf = ({ fusion, outputs }: WeightNode): Value =>
  fusion?.updates?.[0]?.parameter ?? outputs[0]!;

function runValues(layout: ActivationLayout, { attributes }: ConvolutionGeometry): number {
  const { kernel, groups, dilation } = attributes;
  if (groups > 1) return layout.channels / groups;
  const isRow = dilation[1] === 1 && !layout.isPart;
  return isRow ? kernel[1] * layout.pitch : layout.pixelFloats;
}

function planPiece(common: Common, index: number): WeightPiece {
  const { settings, node, geometry, windows, parameter, hasRank } = common;
  const { pieces, layout } = parameter;
  if (layout.kind !== "contraction") throw new Error(`${node.origin.name} is not a contraction`);
  const piece = pieces[index]!;
  const held = groupsOf(piece, layout);
  const quads = windows.segments * windows.run;
  const columns = columnPitch(held) / 4;
  const [height, width] = geometry.outputSize;
  const problem: ContractionProblem = {
    form: "weights",
    rows: fixed(quads),
    columns: fixed(columns),
    depth: perImage(height * width),
    groups: held.count,
  };
  const weightQuads = 4 * quads * columns * held.count;
  const partQuads = weightQuads + biasQuads(settings, node);
  const sums = sumsOf(settings, 16 * partQuads);
  const schedule = settings.schedules.one(problem, sums);
  const made = node.fusion?.updates ? "update" : "gradient";
  const label = pieceLabel(`${node.origin.name} weight ${made}`, index, pieces.length);
  const partials = partialsOf(schedule, { label, quads: partQuads, weightQuads });
  const own = { label, piece, held, window: ofGroups(windows, held.first), quads, columns };
  return {
    ...own,
    problem,
    sums,
    schedule,
    batches: hasRank ? { atLeast: RANK_IMAGES + 1 } : undefined,
    partials,
  };
}

/** vec4 of the bias that is updated with the weights. */
function biasQuads(settings: PlanSettings, { fusion }: WeightNode): number {
  const [, bias] = fusion?.updates ?? [];
  return bias ? parameterOf(settings, bias.parameter).pieces[0]!.bytes / 16 : 0;
}

function partialsOf(
  schedule: ContractionSchedule,
  { label, ...sizes }: { label: string; quads: number; weightQuads: number },
): WeightPartials | undefined {
  if (!isSplit(schedule)) return undefined;
  const splits = schedule.splits!;
  const storage = scratch(`${label} partials`, fixed(16 * splits * sizes.quads));
  return { storage, splits, ...sizes };
}
