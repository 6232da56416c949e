import type { LabelColumn, TableField } from "./recipe.js";

/** A label's columns as those of a target. */
export function labelColumns(label: LabelColumn): NonNullable<TableField["columns"]> {
  if (typeof label === "string") return label;
  return "column" in label ? [label.column] : label.columns;
}
