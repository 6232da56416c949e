/** Weights that a recipe names: what it starts from, and its teacher's. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { InitialWeights, TrainRecipe } from "../program/recipe.js";
import type { Network } from "../runtime/network.js";
import { wrongInput } from "./failure.js";
import type { SpecFile } from "./spec.js";
import { loadWeights, readWeights } from "./weights.js";

/**
 * Loads a file that a recipe names. It was compared with the model when the spec was read, if the
 * file was there.
 */
export async function loadInitialWeights(
  network: Network,
  spec: Pick<SpecFile, "path" | "folder">,
  { path, except, rename, location }: InitialWeights,
  advice = "paths start from the spec's folder; --weights FILE loads another file",
): Promise<void> {
  const file = join(spec.folder, path);
  if (!existsSync(file)) {
    throw wrongInput(
      `${spec.path}:${location.line}:${location.column}: there is no weights file ${file}`,
      advice,
    );
  }
  const weights = await readWeights(file, network.program.parameters, { except, rename });
  await loadWeights(network, weights, { except });
}

/** Loads what the losses of a recipe compare with, if it has a teacher. */
export async function loadTeacher(
  network: Network,
  spec: Pick<SpecFile, "path" | "folder">,
  recipe: TrainRecipe | undefined,
): Promise<void> {
  if (!recipe?.teacher) return;
  const advice = "paths start from the spec's folder; train the teacher first";
  await loadInitialWeights(network, spec, recipe.teacher.weights, advice);
}
