/** From the data declaration of a spec to datasets. */
import { basename, join, resolve } from "node:path";
import type { DataRecipe, DataSource, DataSplitRecipe } from "../../../program/recipe.js";
import type { Dataset, InputShape, TableFacts } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { withHoldout } from "../../data/holdout.js";
import { keepInMemory } from "../../data/memory.js";
import { withTuples } from "../../data/tuples.js";
import { holdsCifar10, openCifar10 } from "./cifar10.js";
import { openBoxes } from "./boxes.js";
import {
  absentClasses,
  areNumbers,
  describeAbsent,
  describeDifferences,
  listShort,
  requireAllClasses,
} from "./class-names.js";
import { columnsOfTable, openCsv, openFeatures } from "./csv.js";
import { openListed } from "./csv-files.js";
import { isDirectory, isFile, requireDirectory } from "./files.js";
import { openFolder, subdirectories } from "./folder.js";
import { holdsIdx, openIdx } from "./idx.js";
import { openPairs } from "./pairs.js";
import { openParquet } from "./parquet.js";
import { findShards, holdsShards, type ShardKind } from "./shards.js";
import type { SkipOptions } from "./skipped.js";
import { openTar } from "./tar.js";

/** The name of a split. */
export type SplitName = "train" | "eval";

/** Options of `openData`. */
export interface OpenDataOptions extends SkipOptions {
  /** The network's input. */
  readonly shape: InputShape;
  /** Classes that the network tells apart. */
  readonly classes?: number;
  /** Of a network with boxes: the most of an image. */
  readonly mostBoxes?: number | undefined;
  /** Of a network with boxes: its cells. */
  readonly grid?: { readonly width: number; readonly height: number } | undefined;
  /** Of a network with masks: the label of pixels that its loss ignores. */
  readonly ignore?: number | undefined;
  /** The folder that relative paths in the spec start from: the spec's own. */
  readonly base: string;
  /**
   * Read instead of the spec's paths: a directory that may hold train/ and val/ or test/, or a
   * file.
   */
  readonly directory?: string;
  /** Names of the classes of training, which the labels of other splits follow. */
  readonly classNames?: readonly string[];
  /** What the columns of the table that is trained on are, by which others are read. */
  readonly table?: TableFacts | undefined;
  /** Bytes of decoded images to keep in memory, 1 GiB unless told. */
  readonly memory?: number;
}

/** The splits that `openData` opened. */
export interface OpenedData {
  readonly train?: Dataset;
  readonly evaluation?: Dataset;
  /** What the user should know although nothing is wrong. */
  readonly notices: readonly string[];
}

/**
 * Opens both splits of a data declaration. Labels follow `classNames`, those that the run starts
 * from, unless the train split has other classes. Throws a DataError.
 */
export async function openData(recipe: DataRecipe, given: OpenDataOptions): Promise<OpenedData> {
  checkHoldouts(recipe);
  const { classNames: before, ...options } = given;
  const train = recipe.train && (await openTrainSplit(recipe.train, given));
  if (recipe.eval === undefined) return { train, notices: [] };
  const isHeldOut = recipe.eval.source.holdout !== undefined;
  if (
    train &&
    options.directory &&
    !isHeldOut &&
    (await isPlainFolder(recipe.eval.source, options.directory))
  ) {
    const notice = `${options.directory} holds neither val/ nor test/: the run is not evaluated`;
    return { train, notices: [notice] };
  }
  const classNames = train?.classes ?? before;
  const table = train?.table ?? given.table;
  const evaluation = await openSplit(recipe.eval, "eval", { ...options, classNames, table });
  const notices = train ? describeDifferences(train, evaluation) : [];
  return { train, evaluation, notices };
}

async function openTrainSplit(
  recipe: DataSplitRecipe,
  { classNames, table, onNotice, ...given }: OpenDataOptions,
): Promise<Dataset> {
  const options = { ...given, table: await tableOfRun(recipe, table, given) };
  const notices: string[] = [];
  const own = await openSplit(recipe, "train", {
    ...options,
    onNotice: (notice) => notices.push(notice),
  });
  const isFree = !classNames || areNumbers(own.classes);
  const others = isFree ? [] : own.classes.filter((name) => !classNames.includes(name));
  if (isFree || others.length > 0 || isEqual(own.classes, classNames)) {
    for (const notice of notices) onNotice?.(notice);
    if (others.length === 0) return own;
    onNotice?.(
      `${own.name} has classes that the weights do not name: ${listShort(others)}. ` +
        "Class numbers are those of the train split; the last layer was trained on others",
    );
    return own;
  }
  return openSplit(recipe, "train", { ...options, onNotice, classNames });
}

const isEqual = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((name, index) => name === other[index]);

/** What weights say of a table, if this one has the same columns, in whatever order. */
async function tableOfRun(
  { source }: DataSplitRecipe,
  table: TableFacts | undefined,
  options: OpenDataOptions,
): Promise<TableFacts | undefined> {
  if (!table?.columns) return undefined;
  const located = await locateSource(source, "train", options);
  if (located.kind !== "csv") return undefined;
  const columns = await columnsOfTable(located, options.shape);
  const sorted = (each: TableFacts["columns"]) =>
    JSON.stringify(Object.entries(each ?? {}).map(([field, names]) => [field, [...names].sort()]));
  return sorted(table.columns) === sorted(columns) ? table : undefined;
}

/**
 * Opens the split to evaluate weights on, `eval` unless given. The recipe must have it. Labels
 * follow `classNames`, those of the weights; without them, those of the train split. Throws a
 * DataError where neither names classes and the split has fewer than the network.
 */
export async function openEvaluation(
  recipe: DataRecipe,
  { split = "eval", ...options }: OpenDataOptions & { readonly split?: SplitName },
): Promise<Dataset> {
  const evaluation = await openNamed(recipe, split, options);
  for (const notice of describeAbsent(evaluation, absentClasses(evaluation))) {
    options.onNotice?.(notice);
  }
  return evaluation;
}

async function openNamed(
  recipe: DataRecipe,
  split: SplitName,
  given: OpenDataOptions,
): Promise<Dataset> {
  const evaluated = recipe[split]!;
  const table = given.table ?? (await trainedTable(recipe, split, given));
  const options = { ...given, table };
  const opened = await openSplit(evaluated, split, options);
  const isNumbered = evaluated.source.kind === "cifar10" || areNumbers(opened.classes);
  if (options.classNames || isNumbered || split === "train") return opened;
  const classNames = await trainedClasses(recipe, options);
  if (classNames) return openSplit(evaluated, split, { ...options, classNames });
  requireAllClasses(opened, options.classes);
  return opened;
}

/**
 * Class names in the order of their numbers, from the train split: that of `directory`, or else
 * that of the spec. Undefined where it cannot be read, or is what is evaluated on.
 */
export async function trainedClasses(
  { train, eval: evaluation }: DataRecipe,
  options: OpenDataOptions,
): Promise<readonly string[] | undefined> {
  if (!train) return undefined;
  const own = { ...options, directory: undefined };
  for (const each of options.directory === undefined ? [own] : [options, own]) {
    const quiet = { ...each, onNotice: () => {} };
    const source = await locateSource(train.source, "train", quiet).catch(() => undefined);
    const evaluated =
      evaluation && (await locateSource(evaluation.source, "eval", quiet).catch(() => undefined));
    if (!source || (source.path === evaluated?.path && !hasSplits(source))) continue;
    const opened = await openSource(source, "train", quiet).catch(ignoreDataError);
    if (opened) return opened.classes;
  }
  return undefined;
}

/** What the columns of the train split's table are; undefined where it cannot be read. */
async function trainedTable(
  { train }: DataRecipe,
  split: SplitName,
  options: OpenDataOptions,
): Promise<TableFacts | undefined> {
  if (split === "train" || train?.source.kind !== "csv") return undefined;
  const quiet = { ...options, table: undefined, classNames: undefined, onNotice: () => {} };
  for (const each of [quiet, { ...quiet, directory: undefined }]) {
    const opened = await openSplit(train, "train", each).catch(ignoreDataError);
    if (opened) return opened.table;
  }
  return undefined;
}

/** Whether both splits may be in one place. */
const hasSplits = ({ kind, holdout }: DataSource) =>
  holdout !== undefined || WITH_OWN_SPLITS.includes(kind);

function ignoreDataError(error: unknown): undefined {
  if (error instanceof DataError) return undefined;
  throw error;
}

/** Formats that have files for each split, of which a holdout takes those to train on. */
const WITH_OWN_SPLITS: readonly DataSource["kind"][] = ["cifar10", "idx"];

/**
 * Throws a DataError where both splits read the same examples, but do not agree on which are held
 * out.
 */
function checkHoldouts({ name, train, eval: evaluation }: DataRecipe): void {
  const [one, other] = [train?.source, evaluation?.source];
  if (!one || !other || one.kind !== other.kind || one.path !== other.path) return;
  const [left, taken] = [one.holdout?.share ?? 0, other.holdout?.share ?? 0];
  if (left === taken && one.holdout?.by === other.holdout?.by) return;
  if (left === taken) {
    throw new DataError(
      `data ${name} holds out different groups of "${one.path}" in its two splits`,
      "give both splits the same `by`",
    );
  }
  if (WITH_OWN_SPLITS.includes(one.kind) && (left === 0 || taken === 0)) return;
  throw new DataError(
    `data ${name} trains on "${one.path}" but for a holdout of ${left}, and evaluates ` +
      `on a holdout of ${taken} of it: some examples would be in both splits, or in none`,
    "give both splits the same holdout",
  );
}

const DEFAULT_MEMORY = 2 ** 30;

/**
 * Opens one split. Throws a DataError where it is missing, empty, or has more classes than the
 * network.
 */
export async function openSplit(
  recipe: DataSplitRecipe,
  split: SplitName,
  options: OpenDataOptions,
): Promise<Dataset> {
  const source = await locateSource(recipe.source, split, options);
  // Both sides of a holdout come from the files to train on.
  const files = source.holdout ? "train" : split;
  const opened = await openSource(source, files, options);
  checkClasses(opened, options);
  const held = source.holdout ? withHoldout(opened, source.holdout) : opened;
  const dataset = source.tuples ? withTuples(held, source.tuples) : held;
  return opened.prepare ? keepInMemory(dataset, options.memory ?? DEFAULT_MEMORY) : dataset;
}

async function openSource(
  source: DataSource,
  split: SplitName,
  options: OpenDataOptions,
): Promise<Dataset> {
  const { classNames, classes: classCount, table, ...rest } = options;
  const { onNotice } = options;
  const isEvaluation = split === "eval";
  const rules = { classes: classNames, classCount, table, isEvaluation, onNotice };
  if (source.kind === "csv" && source.holds === "features")
    return openFeatures(source, options.shape, rules);
  const channels = imageChannels(options.shape);
  const encoded = { ...rest, channels, classes: classNames, classCount };
  if (source.kind === "csv" && source.files !== undefined)
    return openListed(source, encoded, rules);
  switch (source.kind) {
    case "folder":
      return openFolder(source.path, { ...encoded, only: source.classes });
    case "tar":
      return openTar(source.path, encoded);
    case "parquet":
      return openParquet(source, encoded);
    case "pairs": {
      const labels = { classes: classCount ?? 256, ignore: options.ignore };
      const { masks, classes: names } = source;
      return openPairs(source.path, { ...encoded, masks, labels, names });
    }
    case "boxes": {
      const { labels, classes: names } = source;
      const count = classCount ?? 1;
      const { mostBoxes = 0, grid } = options;
      const rule = { labels, count, names, mostBoxes, grid, trained: classNames };
      return openBoxes(source.path, { ...encoded, ...rule });
    }
    case "csv":
      return openCsv(source, { ...options.shape, channels }, rules);
    case "cifar10":
      return openCifar10(source.path, { split, channels, ...rules });
    case "idx":
      return openIdx(source.path, { split, channels, ...rules });
  }
}

function imageChannels({ channels }: InputShape): 1 | 3 {
  if (channels === 1 || channels === 3) return channels;
  throw new DataError(
    `the network's input has ${channels} channels, but images have 1 (gray) or 3 (RGB)`,
  );
}

function checkClasses(dataset: Dataset, { classes }: OpenDataOptions): void {
  const count = dataset.classes.length;
  if (classes === undefined || count <= classes) return;
  throw new DataError(
    `${dataset.name} has ${count} classes, but the network tells ${classes} apart`,
    `give the model ${count} classes, for example with \`of Model(classes=${count})\``,
  );
}

// Where a split lies

/** The source with the path that is read in the end. */
async function locateSource(
  source: DataSource,
  split: SplitName,
  { base, directory }: OpenDataOptions,
): Promise<DataSource> {
  if (directory === undefined) {
    const path = resolve(base, source.path);
    if (source.kind === "boxes") return { ...source, path, labels: resolve(base, source.labels) };
    return source.kind === "pairs"
      ? { ...source, path, masks: resolve(base, source.masks) }
      : { ...source, path };
  }
  const isOneFile = source.kind === "csv" || isSharded(source);
  if (isOneFile && (await isFile(directory))) return { ...source, path: directory };
  await requireDirectory(directory);
  const path = source.holdout ? directory : await splitDirectory(source, split, directory);
  if (source.kind === "folder") return { ...source, path };
  if (source.kind === "boxes") {
    const labels = join(path, basename(source.labels));
    return { ...source, path: join(path, basename(source.path)), labels };
  }
  if (source.kind === "pairs") {
    const masks = join(path, basename(source.masks));
    return { ...source, path: join(path, basename(source.path)), masks };
  }
  if (!(await holdsFormat(source, path))) {
    return { kind: "folder", path, holdout: source.holdout, tuples: source.tuples };
  }
  return { ...source, path: await pathWithin(path, source) };
}

/**
 * What a source reads in a directory: the files that it names, or all shards where there are none
 * of those names.
 */
async function pathWithin(directory: string, source: DataSource): Promise<string> {
  const named = join(directory, basename(source.path));
  if (source.kind === "csv") return named;
  if (!isSharded(source)) return directory;
  const found = await findShards(named, source.kind).catch(() => []);
  return found.length > 0 ? named : join(directory, `*.${source.kind}`);
}

function isSharded(source: DataSource): source is DataSource & { readonly kind: ShardKind } {
  return source.kind === "tar" || source.kind === "parquet";
}

/**
 * In the order of preference. A test set is for the end; while training, a validation set comes
 * first.
 */
const SPLIT_DIRECTORIES = { train: ["train"], eval: ["val", "validation", "test"] } as const;

async function splitDirectory(
  source: DataSource,
  split: SplitName,
  directory: string,
): Promise<string> {
  const present = await presentSplits(directory);
  const name = SPLIT_DIRECTORIES[split].find((candidate) => present.includes(candidate));
  if (name !== undefined) return join(directory, name);
  if (present.length === 0 || (await holdsFormat(source, directory))) return directory;
  const expected = SPLIT_DIRECTORIES[split].map((candidate) => `${candidate}/`).join(" or ");
  throw new DataError(
    `${directory} holds ${present.map((found) => `${found}/`).join(", ")}, ` +
      `but no ${expected} to ${split === "train" ? "train on" : "evaluate on"}`,
    split === "train"
      ? `put the examples to train on into ${join(directory, "train")}; ` +
          "`netc eval` needs only those to evaluate on"
      : `put some examples into ${join(directory, "val")}, or hold a share of one folder out: ` +
          `\`folder("...", holdout=0.2)\` in both splits`,
  );
}

async function presentSplits(directory: string): Promise<string[]> {
  const names = [...SPLIT_DIRECTORIES.train, ...SPLIT_DIRECTORIES.eval];
  const found = await Promise.all(names.map((name) => isDirectory(join(directory, name))));
  return names.filter((_, index) => found[index]);
}

/** Whether a directory is to be read in the source's own format, rather than as class folders. */
async function holdsFormat(source: DataSource, directory: string): Promise<boolean> {
  if (source.kind === "cifar10" && (await holdsCifar10(directory))) return true;
  if (source.kind === "idx" && (await holdsIdx(directory))) return true;
  if (source.kind === "csv" && (await isFile(join(directory, basename(source.path))))) return true;
  if (isSharded(source) && (await holdsShards(directory, source.kind))) return true;
  // Where there are no class folders either, the format's own reader gives the better message.
  return (await subdirectories(directory)).length === 0;
}

/**
 * Whether a directory holds class folders alone: then there is one split, and evaluating on it
 * would mislead.
 */
async function isPlainFolder(source: DataSource, directory: string): Promise<boolean> {
  if (!(await isDirectory(directory)) || (await presentSplits(directory)).length > 0) return false;
  return (
    ["folder", "pairs", "boxes"].includes(source.kind) || !(await holdsFormat(source, directory))
  );
}
