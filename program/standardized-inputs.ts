import type { DataRecipe } from "./recipe.js";

/** Names of the inputs whose numbers a recipe's tables standardize. */
export function standardizedInputs(data: DataRecipe | undefined): readonly string[] {
  const source = (data?.eval ?? data?.train)?.source;
  const fields = source?.kind === "csv" ? (source.fields ?? []) : [];
  return fields.filter(({ standardize }) => standardize).map(({ name }) => name);
}
