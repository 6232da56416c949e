/** `netc predict` for models with a class for each token, of the rows of a table. */
import { tokensOf } from "../program/masks.js";
import { visible } from "../program/visible.js";
import { rowOf, scoresOf, toProbabilities } from "../runtime/evaluation/index.js";
import { largest } from "../runtime/pictures/classify.js";
import type { Network } from "../runtime/network.js";
import type { CompiledSpec } from "./compiled.js";
import { predictedBatches, type Predictable } from "./predict-rows.js";
import { PredictionsFile } from "./predictions.js";
import { print, printJson } from "./terminal.js";

/** Whether a model predicts a class for each token. */
export const predictsTokens = ({ compilation }: CompiledSpec): boolean =>
  tokensOf(compilation.programs[0]!) !== undefined;

interface TokenParts {
  readonly network: Network;
  readonly compiled: CompiledSpec;
  readonly rows: Predictable;
  /** Of the classes; others are shown by their numbers. */
  readonly names: readonly string[];
}

/** What a token most probably is. */
interface PredictedToken {
  readonly index: number;
  readonly name: string;
  readonly probability: number;
}

/** More tokens than these do not fit on a few lines. */
const MOST_SHOWN = 64;

/** Prints the class of each token, as JSON and into a csv file where that is asked for. */
export async function predictTokens(
  { network, compiled, rows, names }: TokenParts,
  { csv, json }: { readonly csv?: string; readonly json?: boolean },
): Promise<void> {
  const predicted: (readonly PredictedToken[])[] = [];
  for await (const { rowsOf, count } of predictedBatches(network, compiled, rows)) {
    for (let index = 0; index < count; index++)
      predicted.push(
        tokensIn(rowsOf(undefined, index), network, { names, top: 1 }).map(([best]) => best!),
      );
  }
  const places = rows.readable().map(({ name }) => name);
  if (csv !== undefined) await writeTokens(csv, places, predicted);
  if (json) printJson(places.map((image, index) => ({ image, classes: predicted[index] })));
  else print(places.map((place, index) => describe(place, predicted[index]!)).join("\n\n"));
}

/** The most probable classes of each token of an example, the first of equal ones first. */
export function tokensIn(
  logits: Float32Array,
  { program }: Pick<Network, "program">,
  { names, top }: { readonly names: readonly string[]; readonly top: number },
): readonly (readonly PredictedToken[])[] {
  const { count: classes } = tokensOf(program)!;
  const scores = scoresOf(program)!;
  const tokens = logits.length / classes;
  return Array.from({ length: tokens }, (_, token) => {
    const probabilities = toProbabilities(rowOf(logits, tokens, token), scores);
    return largest(probabilities, top).map((index) => {
      return { index, name: names[index] ?? String(index), probability: probabilities[index]! };
    });
  });
}

function describe(place: string, tokens: readonly PredictedToken[]): string {
  const shown = tokens.slice(0, MOST_SHOWN).map(({ name }) => visible(name));
  const others = tokens.length - shown.length;
  const rest = others > 0 ? `  and ${others} more (--csv and --json list all)` : "";
  return `${visible(place)}\n  ${shown.join(" ")}${rest}`;
}

/** A column for each token. */
async function writeTokens(
  path: string,
  places: readonly string[],
  predicted: readonly (readonly PredictedToken[])[],
): Promise<void> {
  const columns = Array.from(predicted[0]!, (_, token) => `token_${token}`);
  const file = await PredictionsFile.create(path, ["file", ...columns], []);
  for (const [index, place] of places.entries()) {
    file.add([place, ...predicted[index]!.map(({ name }) => name)], undefined, 0);
    await file.flush();
  }
  await file.commit();
}
