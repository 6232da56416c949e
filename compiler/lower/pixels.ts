/** Contractions over pixels as dispatches: parts of the columns or of K, and the sums of parts. */
import type { Node } from "../ir/graph.js";
import { IDENTITY } from "../kernels/epilogue.js";
import { sumPartials } from "../kernels/pointwise.js";
import { pieceLabel } from "../layout/parameters.js";
import { labelOf } from "../plan/labels.js";
import type { PixelRange, PixelWay } from "../plan/pixels.js";
import { perImage, type Storage } from "../plan/storage.js";
import { dispatch } from "./dispatch.js";
import { partStep, type PixelCommon, type PixelProblem } from "./pixel-part.js";
import type { StepDraft } from "./step-draft.js";
import { winogradSteps } from "./winograd.js";

/** For each range of batches, in the way that the plan has chosen. */
export const pixelSteps = (
  node: Pick<Node, "kind" | "origin">,
  ranges: readonly PixelRange[],
  problem: PixelProblem,
): readonly StepDraft[] =>
  ranges.flatMap(({ way, schedule, batches }, range) => {
    const common = { origin: node.origin, label: labelOf(node), schedule, batches };
    switch (way.kind) {
      case "winograd":
        return winogradSteps(common, problem, way);
      case "split":
        return splitSteps(common, problem, way);
      case "whole":
        return wholeSteps(common, problem, range);
    }
  });

/** Contractions that finish what they sum, and leave parts of a reduction. */
function wholeSteps(
  common: PixelCommon,
  { result, finish, parts, order, gather }: PixelProblem,
  range: number,
): readonly StepDraft[] {
  return parts.map((part, index) =>
    partStep(common, part, {
      result,
      label: pieceLabel(common.label, index, parts.length),
      variant: { epilogue: finish.epilogue, order, gathered: gather?.gathered },
      to: result.storage,
      constants: { result: result.place },
      fragments: [finish.bound, gather?.bound(range)],
    }),
  );
}

type Split = Extract<PixelWay, { readonly kind: "split" }>;

/** Parts of K, and the sum of what they make. */
function splitSteps(
  common: PixelCommon,
  problem: PixelProblem,
  { splits, partials }: Split,
): readonly StepDraft[] {
  const { result, parts, order } = problem;
  const own = common.schedule.splits!;
  const isOfK = order === "columns first";
  const partSteps = parts.map((part, index) =>
    partStep(common, part, {
      result,
      label: pieceLabel(common.label, index, parts.length),
      variant: { epilogue: IDENTITY, order },
      to: partials,
      constants: {
        groups: part.groups,
        splits: own,
        first_split: isOfK ? index * own : 0,
        quads: result.quads,
      },
    }),
  );
  return [...partSteps, sumStep(common, problem, { splits, partials })];
}

function sumStep(
  { label, origin, batches }: PixelCommon,
  { result, finish }: PixelProblem,
  { partials, splits }: { readonly partials: Storage; readonly splits: number },
): StepDraft {
  const { pixels, width, quads, place, storage } = result;
  return dispatch(sumPartials().in({ form: "quads", epilogue: finish.epilogue }), {
    buffers: { partials, result: storage },
    constants: { pixels, width, quads, splits, result: place },
    fragments: [finish.bound],
    threads: perImage(pixels * quads),
    label: `${label} (sum)`,
    origin,
    batches,
  });
}
