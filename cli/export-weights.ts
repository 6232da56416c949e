/** What an export takes of a weights file: weights or their averages, and an optimizer's state. */
import { build } from "../compiler/network/build.js";
import type { ResolvedNetwork } from "../compiler/network/resolved.js";
import type { Exporter } from "../interchange/export/exporter.js";
import type { ExportModel, ExportTensor } from "../interchange/export/model.js";
import { optimizerOf, type ExportOptimizer } from "../interchange/export/optimizer.js";
import type { TrainRecipe } from "../program/recipe.js";
import type { TableFacts } from "../runtime/data/dataset.js";
import { assertMeasuredFile } from "../runtime/measured-file.js";
import { parseTensors } from "../runtime/safetensors.js";
import { AVERAGE_PREFIX, OPTIMIZER_PREFIX } from "../runtime/weights.js";
import { explained } from "./foreign-weights.js";
import { classNamesOf, readWeights, tableOf, type WeightsFile } from "./weights.js";
import type { WeightsFlags } from "./weights-options.js";

export interface ExportedWeights {
  readonly weights: Pick<ExportModel, "tensors" | "classNames" | "optimizer">;
  /** How the table was read that they were trained on. */
  readonly table: TableFacts | undefined;
  /** On the optimizer's state. */
  readonly notes: readonly string[];
}

export async function weightsFor(
  exporter: Exporter,
  network: ResolvedNetwork,
  recipe: TrainRecipe | undefined,
  { weights: path, rename, key }: WeightsFlags & { readonly weights: string },
): Promise<ExportedWeights> {
  const isTeacher = (name: string) =>
    recipe?.teacher !== undefined && name.startsWith(`${recipe.teacher.section}.`);
  const own = build(network).parameters.flatMap(({ value: { name, shape } }) =>
    isTeacher(name) ? [] : [{ name, shape: shape.map(Number) }],
  );
  const file = await readWeights(path, own, { rename, key });
  const { tensors: all } = parseTensors(file.bytes);
  // Evaluation uses the averages that a recipe keeps, and so does this.
  const isAveraged = (name: string) => recipe?.average && all.has(`${AVERAGE_PREFIX}${name}`);
  const chosen = (name: string) => all.get(isAveraged(name) ? `${AVERAGE_PREFIX}${name}` : name)!;
  const tensors = new Map(own.map(({ name }) => [name, chosen(name)]));
  const isOfAverages = own.some(({ name }) => isAveraged(name));
  if (isOfAverages) await explained(path, () => assertMeasuredFile(file.metadata));
  const state = stateFor(exporter, { network, recipe, all, file, isOfAverages });
  return {
    weights: { tensors, classNames: classNamesOf(file), optimizer: state.optimizer },
    table: tableOf(file),
    notes: state.note === undefined ? [] : [state.note],
  };
}

interface StateFacts {
  readonly network: ResolvedNetwork;
  readonly recipe: TrainRecipe | undefined;
  readonly all: ReadonlyMap<string, ExportTensor>;
  readonly file: WeightsFile;
  readonly isOfAverages: boolean;
}

/** The state of the recipe's optimizer, or why it is left out. */
function stateFor(
  { keepsOptimizer }: Exporter,
  { network, recipe, all, file: { metadata }, isOfAverages }: StateFacts,
): { readonly optimizer?: ExportOptimizer; readonly note?: string } {
  if (![...all.keys()].some((name) => name.startsWith(OPTIMIZER_PREFIX))) return {};
  const leftOut = "left out: the optimizer's state";
  if (!keepsOptimizer) return { note: leftOut };
  if (isOfAverages) {
    return { note: `${leftOut}: the exported weights are averages, to which it does not belong` };
  }
  const prefixOf = (state: string) => `${OPTIMIZER_PREFIX}${state}.`;
  const facts = { network, tensors: all, metadata, prefixOf };
  const optimizer = recipe && optimizerOf({ ...facts, recipe });
  if (!optimizer) {
    const wanted = recipe ? `\`${recipe.name}\` has ${recipe.optimizer.kind}` : "no recipe has it";
    return { note: `${leftOut}: it is of another optimizer than the recipe's (${wanted})` };
  }
  return { optimizer, note: ratesNote(recipe) };
}

function ratesNote({ schedule, warmup }: TrainRecipe): string | undefined {
  if (schedule.kind === "constant" && !warmup) return undefined;
  return "the optimizer's learning rates are those before warmup and schedule, which are left out";
}
