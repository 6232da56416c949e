/** The part of the page on tags: how well each is told. */
import type { ReportedTag } from "../data.js";
import { grouped, percent, section, shareCell, table } from "./elements.js";

export function tagsSection(tags: readonly ReportedTag[]): HTMLElement {
  const rows = tags.map(({ name, support, accuracy, precision, recall }) => [
    name,
    grouped(support),
    percent(accuracy),
    ...[precision, recall].map((share) => shareCell(share ?? undefined)),
  ]);
  return section(
    "Tags",
    "Over the eval split; a tag is predicted where its probability is above one half. Precision: " +
      "of the examples with this prediction, those that have the tag. Recall: of the examples " +
      "that have it, those that are predicted so.",
    table(["tag", "examples", "accuracy", "precision", "recall"], rows),
  );
}
