/** How well a network tells each tag at the end of a run. */
import type { ReportedTag } from "../../../report/data.js";
import { tagResults } from "../../tag-results.js";
import { tagsOf } from "../../tags.js";
import type { TrainingParts } from "../parts.js";

/** Undefined for other models, for runs without evaluation, and where the signal stopped it. */
export async function examineTags(
  { network, compiled, evaluation, recipe }: TrainingParts,
  signal: AbortSignal,
): Promise<readonly ReportedTag[] | undefined> {
  if (!evaluation || signal.aborted) return undefined;
  const transforms = recipe.data?.eval?.transforms ?? [];
  const tags = tagsOf(compiled, evaluation.table);
  const results = await tagResults({ network, dataset: evaluation, transforms }, tags, signal);
  return results.length > 0 ? results : undefined;
}
