import { columnPitch, groupsOf, type PieceGroups } from "../../program/pieces.js";
import type { Node } from "../ir/graph.js";
import { flipWeights } from "../kernels/copy.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import type { ConvolutionGeometry } from "../layout/geometry.js";
import { pieceLabel } from "../layout/parameters.js";
import type { PixelPlan, PixelShare } from "../plan/pixels.js";
import { geometryOf } from "../layout/geometry.js";
import { fixed } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

export const taps = ({ attributes }: ConvolutionGeometry): number =>
  attributes.kernel[0] * attributes.kernel[1];

/** Flips every piece of the weights into every share that has groups in common with it. */
export function flippedWeights(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
  { shares }: PixelPlan,
): readonly StepDraft[] {
  const weights = node.inputs[1]!;
  const { origin } = node;
  const geometry = geometryOf(node);
  const { pieces, layout } = context.parameter(weights);
  if (layout.kind !== "contraction") throw new Error(`${weights.name} are not of a contraction`);
  const held = pieces.map((piece) => groupsOf(piece, layout));
  const pairs = shares.flatMap((share) => held.map((own, piece) => ({ share, own, piece })));
  const meeting = pairs.filter(({ share, own }) => commonGroups(share.groups, own).count > 0);
  return meeting.map(({ share, own, piece }, index) => {
    const firstOutput = pieces[piece]!.start - own.first * layout.outputs;
    const constants = flipConstants(geometry, share, { ...own, firstOutput });
    return dispatch(flipWeights(), {
      buffers: { input: context.piecesOf(weights)[piece]!, result: share.flipped! },
      constants,
      threads: fixed(constants.threads),
      label: pieceLabel(`${origin.name} weights flipped`, index, meeting.length),
      origin,
    });
  });
}

function commonGroups(a: PieceGroups, b: PieceGroups): Pick<PieceGroups, "first" | "count"> {
  const first = Math.max(a.first, b.first);
  return { first, count: Math.min(a.first + a.count, b.first + b.count) - first };
}

/** Where the groups and outputs that a piece holds lie in it, and where they go. */
function flipConstants(
  geometry: ConvolutionGeometry,
  share: PixelShare,
  own: PieceGroups & { readonly firstOutput: number },
) {
  const { first, count } = commonGroups(share.groups, own);
  const rowQuads = roundUpTo4(geometry.groupInputs) / 4;
  const outputs = columnPitch(own);
  const toGroup = (first - share.groups.first) * taps(geometry) * share.groups.outputs;
  return {
    input_quads: share.columns,
    row_quads: rowQuads,
    outputs,
    all_outputs: share.groups.outputs,
    taps: taps(geometry),
    threads: count * taps(geometry) * outputs * share.columns,
    input_base: ((first - own.first) * taps(geometry) * rowQuads + share.firstQuad) * 4 * outputs,
    result_base: (toGroup + own.firstOutput) * share.columns,
  };
}
