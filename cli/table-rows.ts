/** Rows of a csv file, for `netc predict` of a model that reads features, signals or tokens. */
import { resolve } from "node:path";
import { imageOf } from "../program/tensors.js";
import type { DataSource } from "../program/recipe.js";
import type { TableFacts } from "../runtime/data/dataset.js";
import type { CompiledSpec } from "./compiled.js";
import { wrongInput } from "./failure.js";
import type { Predictable } from "./predict-rows.js";
import { warn } from "./terminal.js";

/** Of a model with several inputs, where its data say so. */
export function readsRows({ model: { input }, recipe }: CompiledSpec): boolean {
  const source = sourceOf(recipe);
  return input?.shape.length === 1 || input?.isSignal === true || source?.holds === "features";
}

/** Fails for anything but one csv file, and for flags that pictures alone have a meaning for. */
export function requireTable(
  { model, spec, recipe }: CompiledSpec,
  files: readonly string[],
  { annotate }: { readonly annotate?: string },
): void {
  const what = `model ${model.name} of ${spec.path} reads rows of numbers, not images`;
  const isTable = files.length === 1 && /\.(csv|tsv|txt)(\.gz)?$/i.test(files[0]!);
  if (!isTable) throw wrongInput(what, "name one csv file, whose rows are predicted");
  if (annotate !== undefined) throw wrongInput(`${what}: --annotate has nothing to draw on`);
  if (sourceOf(recipe)) return;
  throw wrongInput(
    `the recipe of ${spec.path} reads no csv, which would say what its columns are`,
    "call `predict` of the compiled module",
  );
}

function sourceOf(recipe: CompiledSpec["recipe"]) {
  const source = recipe?.data?.eval?.source ?? recipe?.data?.train?.source;
  return source?.kind === "csv" ? source : undefined;
}

/**
 * The rows, read as the recipe reads its own. Columns are found by their names in the table that
 * was trained on, which the weights bring along; those of targets may be missing.
 */
export async function openRows(
  { compilation, recipe, spec }: CompiledSpec,
  path: string,
  table: TableFacts | undefined,
): Promise<Predictable> {
  const { columnsOfTable, openUnlabeled } = await import("../runtime/node/data/csv-rows.js");
  const source = sourceOf(recipe)!;
  const size = imageOf(compilation.programs[0]!);
  const trained: DataSource = recipe!.data!.train?.source ?? source;
  const own = { ...source, path: resolve(spec.folder, trained.path) };
  const known = table ?? { columns: await columnsOfTable(own, size) };
  if (known.columns === undefined) {
    warn(`columns of ${path} are taken in their order: ${trained.path} tells no names to compare`);
  }
  const dataset = await openUnlabeled({ ...source, path }, size, { table: known, onNotice: warn });
  const rows = Array.from({ length: dataset.length }, (_, row) => ({ name: dataset.nameAt!(row) }));
  return { ...dataset, readable: () => rows };
}
