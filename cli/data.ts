/** Opening the data of a recipe, with what the user should hear about it. */
import { boxesOf } from "../program/boxes.js";
import { denseOf } from "../program/masks.js";
import { classesOf, imageOf, tensorsOf } from "../program/tensors.js";
import { gridOf } from "../runtime/detection/boxes.js";
import { DataError } from "../runtime/data/error.js";
import type { Dataset, TableFacts } from "../runtime/data/dataset.js";
import type { OpenDataOptions, OpenedData, SkippedFile } from "../runtime/node/data/index.js";
import type { SplitName } from "../program/program.js";
import type { DataRecipe } from "../program/recipe.js";
import { RECALL_METRIC, RECALL_QUERIES } from "../program/tuples.js";
import type { CompiledSpec } from "./compiled.js";
import { formatCount } from "./format.js";
import { warn, warnOwn } from "./terminal.js";

export interface DataFlags {
  readonly data?: string;
  readonly maxSkipped?: number;
}

/** What weights say of the data that they were trained on. */
export interface TrainedData {
  /** Names of the classes, in the order of their numbers. */
  readonly classNames?: readonly string[] | undefined;
  /** Of a table: what its columns are. */
  readonly table?: TableFacts | undefined;
}

/** Opens both splits. Labels follow `classNames`, those that the run starts from, if they can. */
export async function openRecipeData(
  compiled: CompiledSpec,
  recipe: DataRecipe,
  flags: DataFlags,
  { classNames, table }: TrainedData = {},
): Promise<OpenedData> {
  const { openData } = await import("../runtime/node/data/index.js");
  const { describeShared, findSharedFiles } = await import("../runtime/node/data/shared-files.js");
  const options = { ...dataOptions(compiled, flags), classNames, table };
  const opened = await openData(recipe, options);
  const { train, evaluation } = opened;
  const shared = train && evaluation ? await findSharedFiles(train, evaluation) : [];
  const notices = [
    ...opened.notices,
    ...describeShared(shared),
    ...describeQueries(compiled, evaluation),
  ];
  for (const notice of notices) warn(notice);
  return { ...opened, notices: [...options.onNotice.said, ...notices] };
}

/**
 * Opens a split to evaluate on. Its labels follow `classNames`, those of the weights, or else the
 * names of the train split. Throws a DataError where it is missing, or there is no eval split,
 * whose transforms are those of an evaluation.
 */
export async function openEvaluationData(
  compiled: CompiledSpec,
  recipe: DataRecipe,
  { split = "eval", ...flags }: DataFlags & { readonly split?: SplitName | undefined },
  { classNames, table }: TrainedData,
): Promise<Dataset> {
  const missing = (["eval", split] as const).find((name) => recipe[name] === undefined);
  if (missing) {
    throw new DataError(
      `data ${recipe.name} of ${compiled.spec.path} has no ${missing} split` +
        (missing === split ? "" : ", whose transforms are those of an evaluation"),
      `add \`${missing} folder("...") { ... }\` to it`,
    );
  }
  const { openEvaluation } = await import("../runtime/node/data/index.js");
  const dataset = await openEvaluation(recipe, {
    ...dataOptions(compiled, flags),
    classNames,
    table,
    split,
  });
  describeQueries(compiled, dataset).forEach(warn);
  return dataset;
}

/** That recall is measured on a part of the pictures, where it is. */
function describeQueries({ compilation }: CompiledSpec, dataset: Dataset | undefined): string[] {
  const { tuples, length, name } = dataset ?? {};
  const isMeasured = compilation.programs[0]!.fractions.includes(RECALL_METRIC);
  if (!tuples || !isMeasured || length! <= RECALL_QUERIES) return [];
  const [queries, all] = [RECALL_QUERIES, length!].map(formatCount);
  return [
    `${RECALL_METRIC} is that of ${queries} of the ${all} pictures of ${name}, evenly spaced, ` +
      "each compared with all others",
  ];
}

/**
 * Class names from the spec's train split, for weights that name none; undefined where it cannot be
 * read.
 */
export async function trainedClassNames(
  compiled: CompiledSpec,
): Promise<readonly string[] | undefined> {
  const data = compiled.recipe?.data;
  if (!data) return undefined;
  const { trainedClasses } = await import("../runtime/node/data/index.js");
  return trainedClasses(data, dataOptions(compiled, {}));
}

function dataOptions({ spec, compilation, recipe }: CompiledSpec, flags: DataFlags) {
  const program = compilation.programs[0]!;
  const boxes = boxesOf(program);
  const isAnchored = recipe?.data?.train?.source.tuples === "triplets";
  const anchors = isAnchored ? tensorsOf(program, "target")[0]?.classes?.count : undefined;
  const classes = classesOf(program) ?? boxes?.classes ?? anchors;
  return {
    shape: imageOf(program),
    classes,
    mostBoxes: boxes?.most,
    grid: gridOf(program),
    ignore: denseOf(program)?.ignore,
    base: spec.folder,
    directory: flags.data,
    maximumSkips: flags.maxSkipped,
    onSkip: reportSkipped,
    onNotice: warnOnce(),
  } satisfies OpenDataOptions;
}

/** Both sides of a holdout read one folder, of which the same is to be said. */
function warnOnce(): ((notice: string) => void) & { readonly said: ReadonlySet<string> } {
  const said = new Set<string>();
  const say = (notice: string) => {
    if (!said.has(notice)) warn(notice);
    said.add(notice);
  };
  return Object.assign(say, { said });
}

function reportSkipped({ file, reason }: SkippedFile): void {
  warnOwn(`skipped ${file}: ${reason}`);
}

/**
 * Says how many images no numbers speak of, where files were skipped, and how many anchors of
 * triplets or pairs were skipped with them.
 */
export function warnOfUnreadable(...datasets: readonly (Dataset | undefined)[]): void {
  warnOfFiles(datasets);
  for (const dataset of datasets) {
    const count = dataset?.incomplete?.() ?? 0;
    if (count === 0) continue;
    const [what, was] = count === 1 ? ["example", "was"] : ["examples", "were"];
    warn(
      `${count} ${what} of \`${dataset!.tuples}\` of ${dataset!.length} in ${dataset!.name} ` +
        `${was} left out at least once: a picture drawn for the first one could not be read`,
    );
  }
}

function warnOfFiles(datasets: readonly (Dataset | undefined)[]): void {
  const count = datasets.reduce((sum, dataset) => sum + (dataset?.unreadable?.() ?? 0), 0);
  if (count === 0) return;
  const which =
    count === 1
      ? "1 image that could not be read was"
      : `${count} images that could not be read were`;
  warn(`${which} left out; the names are above`);
}
