/** Several tags an example: numbers from 0 to 1, for each of which a network gives a logit. */
import { isOfTags, sameValue, targetOf } from "../compiler/network/facts.js";
import { visible } from "../program/visible.js";
import type { TableFacts } from "../runtime/data/dataset.js";
import { largest } from "../runtime/pictures/classify.js";
import { annotate } from "./annotate.js";
import type { CompiledSpec } from "./compiled.js";
import { formatPercent } from "./format.js";
import type { Pictures } from "./pictures.js";
import type { Predictable } from "./predict-rows.js";
import { PredictionsFile } from "./predictions.js";
import { print, printJson } from "./terminal.js";

/** Of an output. */
export interface Tags {
  readonly output: string;
  readonly target: string;
  /** In the order of the target: the columns of its table, or `tags 0`, `tags 1`. */
  readonly names: readonly string[];
}

/** The outputs that a loss compares with tags, in their order. */
export function tagsOf(
  { model: { network } }: Pick<CompiledSpec, "model">,
  table: TableFacts | undefined,
): readonly Tags[] {
  const { losses = [], outputs = [], targets = [] } = network ?? {};
  return outputs.flatMap(({ name, value }) => {
    const found = losses.find(({ score }) => isOfTags(score) && sameValue(score.prediction, value));
    const target = targetOf({ targets }, found?.score);
    if (target?.type.shape.length !== 2) return [];
    const count = Number(target.type.shape[1]);
    const columns = table?.columns?.[target.name];
    const names = Array.from({ length: count }, (_, tag) => `${target.name} ${tag}`);
    const known = columns?.length === count ? columns : names;
    return [{ output: name, target: target.name, names: known }];
  });
}

/** Probabilities of logits, each by itself. */
export const tagProbabilities = (logits: Float32Array): Float32Array =>
  logits.map((logit) => 1 / (1 + Math.exp(-logit)));

interface Tagged {
  readonly tags: Tags;
  readonly examples: Predictable;
  /** Logits of each picture, or row of a table, that could be read. */
  readonly outputs: readonly Float32Array[];
  /** The examples, where they are pictures. */
  readonly pictures?: Pictures | undefined;
}

interface ShownTags {
  readonly csv?: string;
  readonly json?: boolean;
  readonly annotate?: string;
  readonly top: number;
}

/**
 * Prints the most probable tags of each example, as JSON, into a csv file and below copies of
 * pictures where asked for.
 */
export async function showTags(
  { tags, examples, outputs, pictures }: Tagged,
  { csv, json, annotate: folder, top }: ShownTags,
): Promise<void> {
  const images = examples.readable().map(({ name }) => name);
  const rows = outputs.map(tagProbabilities);
  if (csv !== undefined) await writeTags(csv, { images, rows, tags });
  const predicted = images.map((image, index) => {
    return { image, tags: rankTags(rows[index]!, tags.names, top) };
  });
  if (pictures && folder !== undefined) {
    const named = predicted.map(({ image, tags: classes }) => ({ image, classes }));
    await annotate(pictures.readable(), named, folder, ({ probability }) => probability >= 0.5);
  }
  if (json) return printJson(predicted);
  print(predicted.map(describeTags).join("\n\n"));
}

interface RankedTag {
  readonly index: number;
  readonly name: string;
  readonly probability: number;
}

function rankTags(row: Float32Array, names: readonly string[], top: number): RankedTag[] {
  return largest(row, top).map((index) => ({
    index,
    name: names[index]!,
    probability: row[index]!,
  }));
}

function describeTags(predicted: {
  readonly image: string;
  readonly tags: readonly RankedTag[];
}): string {
  const lines = predicted.tags.map(
    ({ name, probability }) => `  ${formatPercent(probability).padStart(6)}  ${visible(name)}`,
  );
  return [visible(predicted.image), ...lines].join("\n");
}

interface TagsTable extends Pick<Tagged, "tags"> {
  readonly images: readonly string[];
  readonly rows: readonly Float32Array[];
}

/** All tags, also where `--top` shows fewer. */
async function writeTags(path: string, { images, rows, tags }: TagsTable): Promise<void> {
  const file = await PredictionsFile.create(path, ["file"], tags.names);
  for (const [index, image] of images.entries()) {
    file.add([image], rows[index], tags.names.length);
    await file.flush();
  }
  await file.commit();
}
