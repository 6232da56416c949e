/** What exports leave to their callers: numbers of tables, standardized. */
import { listNames } from "../compiler/calls/suggestion.js";
import type { DataRecipe } from "../program/recipe.js";
import { standardizedInputs } from "../program/standardized-inputs.js";

/** Says which inputs are given standardized numbers; nothing where `data` standardize none. */
export function standardizedNotes(data: DataRecipe | undefined): readonly string[] {
  const names = standardizedInputs(data);
  if (names.length === 0) return [];
  return [
    `numbers of ${listNames(names)} must be standardized ` +
      "before the network is given them: (number - mean) / std, with the `table` that the " +
      "metadata of its weights hold (docs/guides/tables.md#standardize)",
  ];
}
