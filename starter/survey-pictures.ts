/** Looks through folders of pictures. */
import { join } from "node:path";
import { DataError } from "../runtime/data/error.js";
import { type FolderListing, listImages, subdirectories } from "../runtime/node/data/folder.js";
import { inputSize } from "./choose-size.js";
import { findDuplicates } from "./duplicates.js";
import { inTurns, type Progress } from "./in-turns.js";
import { measurePictures } from "./measure.js";
import { type Picture, probe, type ProbedPicture, type Unreadable } from "./probe.js";
import { type ClassCount, type PictureSurvey, spreadOf, type UnreadableFile } from "./survey.js";

/** Pictures that are decoded for the statistics: enough for three digits of a mean. */
const MOST_DECODED = 1000;

const TRAIN = ["train", "training"];
const EVALUATION = ["val", "valid", "validation", "test"];

/** A split's folder with what is in it. */
interface Split {
  readonly path: string;
  readonly listing: FolderListing;
}

/**
 * Looks through DIR/CLASS/IMAGE, or DIR/train/CLASS/IMAGE with DIR/val or DIR/test. Throws a
 * DataError where there are no class folders, or not one of their files is a picture.
 */
export async function surveyPictures(
  directory: string,
  progress: Progress = () => {},
): Promise<PictureSurvey> {
  const { train, evaluation } = await openSplits(directory);
  const pictures = [
    ...picturesOf(train, train.listing.classes, "train"),
    ...(evaluation ? picturesOf(evaluation, train.listing.classes, "evaluation") : []),
  ];
  const { path, listing } = train;
  return {
    ...(await surveyOf({ train: path, pictures, classes: listing.classes, progress })),
    evaluation: evaluation ? evaluation.path : undefined,
    classes: countClasses(listing, evaluation?.listing),
    notices: [train, ...(evaluation ? [evaluation] : [])].flatMap(noticesOf),
  };
}

interface Listed {
  /** The folder or table of those to train on. */
  readonly train: string;
  readonly pictures: readonly Picture[];
  /** Names, in the order of labels. */
  readonly classes: readonly string[];
  readonly progress: Progress;
}

/** What pictures of these classes are like. Throws a DataError where a class has none. */
export async function surveyOf({
  train,
  pictures,
  classes,
  progress,
}: Listed): Promise<PictureSurvey> {
  const looked = await inTurns(pictures, probe, progress);
  const good = looked.filter((each): each is ProbedPicture => !("failure" in each));
  const bad = looked.filter((each): each is Unreadable => "failure" in each);
  if (good.length === 0) throw noPicture(train, bad.map(asFile));
  const input = inputSize(good);
  const trained = pictures.filter(({ split }) => split === "train");
  const paths = good.filter(({ split }) => split === "train").map(({ path }) => path);
  const measured = await measurePictures(sample(paths, MOST_DECODED), Math.min(...input), progress);
  const unreadable = [...bad.map(asFile), ...measured.failed];
  requireReadable({ train, pictures: trained, classes }, unreadable);
  const counts = new Array<number>(classes.length).fill(0);
  for (const { label } of trained) counts[label]!++;
  return {
    kind: "pictures",
    train,
    classes: classes.map((name, index) => ({ name, train: counts[index]! })),
    notices: [],
    ...sizesOf(good),
    isGray: measured.gray === measured.decoded,
    gray: measured.gray,
    rotated: good.filter(({ isRotated }) => isRotated).length,
    unreadable,
    duplicates: findDuplicates(good),
    input,
    statistics: measured.statistics,
    decoded: measured.decoded,
  };
}

async function openSplits(directory: string): Promise<{ train: Split; evaluation?: Split }> {
  const folders = await subdirectories(directory).catch(() => []);
  const named = (names: readonly string[]) =>
    names.flatMap((name) => folders.filter((each) => each.toLowerCase() === name))[0];
  const [train, evaluation] = [named(TRAIN), named(EVALUATION)];
  if (train === undefined) return { train: await openSplit(directory) };
  return {
    train: await openSplit(join(directory, train)),
    evaluation: evaluation ? await openSplit(join(directory, evaluation)) : undefined,
  };
}

async function openSplit(path: string): Promise<Split> {
  return { path, listing: await listImages(path) };
}

/** Labels follow the classes of training. */
function picturesOf(
  { path, listing }: Split,
  classes: readonly string[],
  split: Picture["split"],
): readonly Picture[] {
  const unknown = listing.classes.filter((name) => !classes.includes(name));
  if (unknown.length > 0) {
    throw new DataError(
      `${path} has classes that training does not have: ${unknown.slice(0, 5).join(", ")}`,
      "give the class folders of all splits the same names",
    );
  }
  return listing.images.flatMap((paths, index) => {
    const label = classes.indexOf(listing.classes[index]!);
    return paths.map((path) => ({ path, label, split }));
  });
}

const asFile = ({ path, failure }: Unreadable): UnreadableFile => ({
  file: path,
  reason: failure,
});

/** Throws a DataError where a class has no picture to train on. */
function requireReadable(
  { train, pictures, classes }: Pick<Listed, "train" | "pictures" | "classes">,
  unreadable: readonly UnreadableFile[],
): void {
  const reasons = new Map(unreadable.map((each) => [each.file, each]));
  classes.forEach((name, label) => {
    const own = pictures.filter((each) => each.label === label);
    const bad = own.flatMap(({ path }) => reasons.get(path) ?? []);
    if (bad.length === own.length) throw noPicture(join(train, name), bad);
  });
}

function noPicture(path: string, bad: readonly UnreadableFile[]): DataError {
  const lines = bad.slice(0, 5).map(({ file, reason }) => `  ${file}: ${reason}`);
  return new DataError(
    `none of the ${bad.length} files in ${path} is a picture that can be read:\n` +
      `${lines.join("\n")}`,
    "JPEG, PNG, WebP, AVIF, GIF and TIFF are read",
  );
}

/** Items evenly spread over a list, so that every class has its share. */
function sample<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, at) => items[Math.floor((at * items.length) / most)]!);
}

function countClasses(train: FolderListing, evaluation?: FolderListing): readonly ClassCount[] {
  return train.classes.map((name, index) => {
    const other = evaluation?.classes.indexOf(name) ?? -1;
    const evaluated = other < 0 ? 0 : evaluation!.images[other]!.length;
    return {
      name,
      train: train.images[index]!.length,
      evaluation: evaluation ? evaluated : undefined,
    };
  });
}

function noticesOf({ path, listing }: Split): readonly string[] {
  const notices: string[] = [];
  listing.unused.say(path, (notice) => notices.push(notice));
  return notices;
}

function sizesOf(pictures: readonly ProbedPicture[]) {
  const shorter = pictures.map(({ width, height }) => Math.min(width, height));
  const longer = pictures.map(({ width, height }) => Math.max(width, height));
  const first = pictures[0]!;
  return {
    shorterSide: spreadOf(shorter),
    longerSide: spreadOf(longer),
    aspect: spreadOf(longer.map((side, index) => side / shorter[index]!)),
    oneSize: pictures.every(({ width, height }) => width === first.width && height === first.height)
      ? { width: first.width, height: first.height }
      : undefined,
  };
}
