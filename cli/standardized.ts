/** What exports leave to their callers: numbers of tables, standardized. */
import type { DataRecipe } from "../program/recipe.js";
import { standardizedInputs } from "../program/standardized-inputs.js";
import type { TableFacts } from "../runtime/data/dataset.js";

/**
 * Says which inputs are given standardized numbers, and by what where weights tell; nothing where
 * `data` standardize none.
 */
export function standardizedNotes(
  data: DataRecipe | undefined,
  table: TableFacts | undefined,
): readonly string[] {
  return standardizedInputs(data).map((name) => {
    const { mean = [], std = [] } = table?.scale?.[name] ?? {};
    const isShort = mean.length > 0 && mean.length <= MOST_SHOWN;
    const by = isShort
      ? `mean [${mean.join(", ")}], std [${std.join(", ")}]`
      : "with the `table` that the metadata of its weights hold (docs/guides/tables.md)";
    return (
      `numbers of \`${name}\` must be standardized before the network is given them: ` +
      `(number - mean) / std, ${by}`
    );
  });
}

/** Of more columns, the numbers fill the screen. */
const MOST_SHOWN = 8;
