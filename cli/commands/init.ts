import { stat } from "node:fs/promises";
import { basename, dirname, extname, relative, resolve, sep } from "node:path";
import type { Command } from "commander";
import { analyze } from "../../compiler/index.js";
import {
  findDense,
  planFor,
  pretrainedText,
  type PretrainedNetwork,
  type Survey,
  specText,
  surveyListed,
  surveyPictures,
  surveyTable,
  type DenseFolders,
} from "../../starter/index.js";
import { wrongInput, wrongUsage } from "../failure.js";
import { refuseExisting, writeOutput } from "../files.js";
import { formatCount, plural } from "../format.js";
import { describeSurvey } from "../init-text.js";
import { findPretrained, weightsIn } from "../pretrained.js";
import { jsonOption } from "../options.js";
import { print, printJson, say } from "../terminal.js";
import { describeCommand } from "./command.js";

interface InitFlags {
  readonly label?: string;
  readonly weights?: string;
  readonly output?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export function initCommand(): Command {
  return describeCommand(
    "init",
    "Examine your pictures or table, and write a first spec for them. Needs no GPU.",
    ["init photos", "init photos -o flowers.net", "init measurements.csv"],
  )
    .argument(
      "<data>",
      "a folder with a folder for each class, or with train/ and val/; " +
        "or a csv file of numbers or of image files",
    )
    .option("--label <column>", "the column of the csv file that holds the classes")
    .option("--weights <file>", "pretrained weights to start from (.pth, .safetensors)")
    .option("-o, --output <file>", "the spec to write (default: the data's name, NAME.net)")
    .option("--overwrite", "replace an existing file")
    .addOption(jsonOption())
    .action(init);
}

async function init(data: string, flags: InitFlags): Promise<void> {
  const output = flags.output ?? `${nameOf(data)}.net`;
  if (extname(output) !== ".net") throw wrongUsage(`${output} does not end in .net`);
  if (!flags.overwrite) refuseExisting([output], "--overwrite replaces it, -o FILE writes another");
  const survey = await surveyOf(data, flags);
  requireClasses(survey);
  requireHoldout(survey);
  const plan = planFor(survey);
  const names = {
    model: modelName(nameOf(output)),
    train: pathFrom(output, survey.train),
    evaluation: survey.evaluation !== undefined ? pathFrom(output, survey.evaluation) : undefined,
  };
  const network = await networkFor(survey, flags);
  const weights = flags.weights === undefined ? "" : pathFrom(output, flags.weights);
  const text = network
    ? await pretrainedText(survey, plan, { ...names, weights }, network)
    : await specText(survey, plan, names);
  requireCorrect(text, output);
  await writeOutput(output, text);
  if (flags.json) printJson({ output, survey, plan });
  else {
    const advice = await adviceOn(survey, output, flags);
    const next = `wrote ${output}; next: netc train ${output}`;
    print([...describeSurvey(survey), ...advice, "", next].join("\n"));
  }
}

/** The network of pretrained weights, where the user gives some. */
async function networkFor(
  survey: Survey,
  { weights }: InitFlags,
): Promise<PretrainedNetwork | undefined> {
  if (weights === undefined) return undefined;
  if (survey.kind === "table") {
    throw wrongUsage("--weights is for pictures: netc knows no pretrained networks for tables");
  }
  return findPretrained(weights, survey.classes.length);
}

/** Which files next to the spec `--weights` could name. */
async function adviceOn(survey: Survey, output: string, flags: InitFlags): Promise<string[]> {
  if (flags.weights !== undefined || survey.kind === "table") return [];
  const advice: string[] = [];
  for (const file of await weightsIn(dirname(output))) {
    const network = await findPretrained(file, survey.classes.length).catch(() => undefined);
    if (network)
      advice.push(`${file} has weights of ${network.model}: --weights ${file} uses them`);
  }
  return advice;
}

async function surveyOf(data: string, { label }: InitFlags): Promise<Survey> {
  const status = await stat(data).catch(() => undefined);
  if (status === undefined) throw wrongInput(`there is no folder or file ${data}`);
  if (status.isDirectory()) {
    if (label !== undefined) throw wrongUsage("--label names a column, and folders have none");
    const dense = await findDense(data);
    if (dense) throw noClassifier(data, dense);
    return surveyPictures(data, sayProgress());
  }
  if (/\.(csv|tsv)(\.gz)?$/i.test(data)) {
    return (await surveyListed(data, label, sayProgress())) ?? surveyTable(data, label);
  }
  throw wrongInput(
    `${data} is neither a folder nor a csv file`,
    "other sources are written by hand: `netc explain parquet`, `netc explain tar`",
  );
}

/** A folder whose pictures have no class each: what it holds, and how a spec reads it. */
function noClassifier(data: string, { kind, images, labels, pictures, labeled }: DenseFolders) {
  const partners = kind === "boxes" ? "text files of boxes" : "masks";
  const what =
    labeled === undefined
      ? `boxes in ${labels}`
      : `${partners} for ${formatCount(labeled)} of them in ${labels}`;
  const path = (each: string) => each.split(sep).join("/");
  const source = kind === "boxes" ? "boxes" : "pairs";
  const guide = kind === "boxes" ? "detection" : "segmentation";
  return wrongInput(
    `${data} has ${plural(pictures, "picture")} in ${images}, and ${what}: ` +
      "`netc init` writes specs of classifiers",
    `read it with \`${source}("${path(images)}", "${path(labels)}", holdout=0.2)\`; ` +
      `docs/guides/${guide}.md has a spec to start from, and examples/${guide} a complete one`,
  );
}

/** A line for each 500 pictures: looking takes seconds for thousands. */
function sayProgress() {
  return (done: number, total: number) => {
    if (done % 500 === 0 && done < total) say(`${done} of ${total} pictures`);
  };
}

/** A network needs something to tell apart. */
function requireClasses(survey: Survey): void {
  const { classes, train } = survey;
  if (classes.length >= 2) return;
  const isTable = survey.kind === "table" || survey.table !== undefined;
  throw wrongInput(
    `${train} has one class (${classes[0]!.name}), and a classifier needs at least two`,
    isTable
      ? `its label is ${classes[0]!.name} in every row; are these the right rows and columns?`
      : "put the pictures of each class into a separate folder: DIR/CLASS/IMAGE.jpg",
  );
}

/** Some example must be left for evaluation, and one of each class for training. */
function requireHoldout({ classes, train, evaluation }: Survey): void {
  if (evaluation !== undefined || classes.some((each) => each.train > 1)) return;
  throw wrongInput(
    `${train} has one example of each class, and none to hold out for evaluation`,
    "add examples, or put those for training into train/ and others into val/",
  );
}

/** What netc writes must compile: anything else is a mistake of netc. */
function requireCorrect(text: string, output: string): void {
  const wrong = analyze(text, output).diagnostics.find(({ severity }) => severity === "error");
  if (wrong) throw new Error(`the spec of netc init does not compile: ${wrong.message}\n${text}`);
}

/** `photos` of `data/photos/`, `iris` of `iris.csv.gz`. */
function nameOf(path: string): string {
  const name = basename(resolve(path)).replace(/\.(net|(csv|tsv)(\.gz)?)$/i, "");
  return name.replace(/[^A-Za-z0-9_-]+/g, "_") || "network";
}

/** `my-photos` is `MyPhotos`. */
function modelName(name: string): string {
  const words = name.split(/[-_]+/).filter((word) => word !== "");
  const joined = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
  return /^[A-Za-z]/.test(joined) ? joined : `Net${joined}`;
}

/** A path as a spec in `output` writes it, with `/` on every system. */
function pathFrom(output: string, path: string): string {
  const found = relative(dirname(resolve(output)), resolve(path))
    .split(sep)
    .join("/");
  if (/["\\\n]/.test(found)) {
    throw wrongInput(
      `the path ${found} has characters that a spec cannot write`,
      "rename the folder",
    );
  }
  return found || ".";
}
