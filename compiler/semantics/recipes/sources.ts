import { absentSources } from "./absent.js";
import { each } from "../../diagnostics/alias.js";
import type { DataSource, Holdout } from "../../../program/recipe.js";
import {
  allOrNames,
  columns,
  float,
  mismatch,
  string,
  strings,
} from "../../calls/argument-types.js";
import {
  optional,
  required,
  withDefault,
  type ArgumentReader,
  type ArgumentType,
  type CallValues,
} from "../../calls/signature.js";
import { isTupleKind, type TupleKind } from "../../../program/tuples.js";
import { callText } from "../../calls/call-text.js";
import type { CallExpression } from "../../../grammar/ast.js";
import {
  asCalls,
  define,
  resolveCall,
  type RecipeDefinition,
  type Registry,
} from "./definition.js";

/** A source as written; which part of a holdout it reads depends on the split. */
export type SourceRule = (split: "train" | "eval") => DataSource;

const source = define<SourceRule>();
const path = required(string(), "the path, relative to the spec's folder");
const holdout = withDefault(
  float({ minimum: 0, below: 1 }),
  0,
  "share that the train split leaves to the eval split, where both name the same path",
);

const by = optional(
  string(),
  "regular expression: images of which it finds the same part of the path are not divided",
);

const sameValue = optional(
  string(),
  "a column that is not read as data: rows in which it holds the same value are not divided",
);

/** The part of the examples that a split takes; all where nothing is held out. */
function part(
  holdout: number,
  split: "train" | "eval",
  by?: string,
): { readonly holdout?: Holdout } {
  if (holdout === 0 && by === undefined) return {};
  const takes = split === "eval" ? "holdout" : "rest";
  return { holdout: by === undefined ? { share: holdout, takes } : { share: holdout, takes, by } };
}

/** A source that is a path and nothing else. */
function files(
  kind: "cifar10" | "idx",
  described: Pick<RecipeDefinition<SourceRule>, "example" | "aliases" | "summary">,
) {
  return source({
    name: kind,
    ...described,
    positional: ["path"],
    arguments: { path, holdout },
    resolve:
      ({ path, holdout }) =>
      (split) => ({ kind, path, ...part(holdout, split) }),
  });
}

const KIND = {
  noun: "data source",
  example: 'folder("data/train")',
  unknown: "NET3007",
  planned: [],
  absent: absentSources,
} as const;

/** Sources of one image, or one row, for each example. */
const single: Registry<SourceRule> = {
  ...KIND,
  definitions: [
    source({
      name: "folder",
      example: 'folder("data/photos", holdout=0.2)',
      aliases: ["ImageFolder", "images", "directory", "dir"],
      summary: "images as FOLDER/CLASS/IMAGE",
      positional: ["path"],
      arguments: {
        path,
        classes: optional(strings(), "the class folders to read, in the order of their labels"),
        holdout,
        by,
      },
      resolve:
        ({ path, classes, holdout, by }) =>
        (split) => ({ kind: "folder", path, classes, ...part(holdout, split, by) }),
    }),
    source({
      name: "pairs",
      example: 'pairs("data/images", "data/masks", holdout=0.2)',
      aliases: ["VOCSegmentation", "Cityscapes", "segmentation", "masks"],
      summary:
        "images and masks of the same names; masks are PNG files whose numbers, " +
        "or palette indices, are the classes",
      positional: ["path", "masks"],
      arguments: {
        path,
        masks: required(string(), "the folder of the masks, relative to the spec's folder"),
        classes: optional(strings(), "names of the classes, in the order of their labels"),
        holdout,
        by,
      },
      resolve:
        ({ path, masks, classes, holdout, by }) =>
        (split) => ({ kind: "pairs", path, masks, classes, ...part(holdout, split, by) }),
    }),
    source({
      name: "boxes",
      example: 'boxes("data/images", "data/labels", holdout=0.2)',
      aliases: [
        ...["yolo", "YOLODataset"],
        ...each(["CocoDetection", "VOCDetection", "coco"], {
          differs: "boxes come from YOLO's text files, or from one file of COCO's JSON",
        }),
      ],
      summary:
        "images and boxes: a text file of the image's name, with a line `class x y width height` " +
        "for each box, middle and size as shares of the image; or one JSON file of COCO's",
      positional: ["path", "labels"],
      arguments: {
        path,
        labels: required(
          string(),
          "the folder of the text files, or COCO's JSON file, relative to the spec's folder",
        ),
        classes: optional(
          strings(),
          "names of the classes, in the order of their numbers; of a JSON file those to read",
        ),
        holdout,
        by,
      },
      resolve:
        ({ path, labels, classes, holdout, by }) =>
        (split) => ({ kind: "boxes", path, labels, classes, ...part(holdout, split, by) }),
    }),
    source({
      name: "csv",
      example: 'csv("data/digits.csv", label=first)',
      aliases: ["CSV", "table", "tsv"],
      summary:
        "a table with pixels, features or the name of an image file in each row, and a label or " +
        "numbers to predict",
      positional: ["path"],
      arguments: {
        path,
        label: withDefault(
          columns(["first", "last"]),
          "last",
          "the column that holds the label, or all that hold a target of numbers",
        ),
        files: optional(
          string(),
          "the column that names the image file of each row, relative to the table's folder",
        ),
        ignore: optional(
          strings(),
          "columns that are not read: names, or numbers from 1 where there is no header",
        ),
        classes: optional(strings(), 'what labels say, in the order of the classes: `["1", "2"]`'),
        standardize: optional(
          allOrNames(),
          "numbers of inputs, or the columns of these names, come with mean 0 and deviation 1, " +
            "as measured on the rows that are trained on",
        ),
        maximum: withDefault(
          float({ above: 0 }),
          255,
          "value that becomes 1; 1 for features unless given",
        ),
        holdout,
        by: sameValue,
      },
      resolve:
        ({ holdout, by, ...table }) =>
        (split) => ({ kind: "csv", ...table, ...part(holdout, split, by) }),
    }),
    files("cifar10", {
      example: 'cifar10("data/cifar-10-batches-bin")',
      aliases: [
        ...["cifar", "Cifar10"],
        {
          name: "CIFAR10",
          differs: "torchvision reads the Python version of the files, netc the binary version",
        },
      ],
      summary: "CIFAR-10's binary batches",
    }),
    files("idx", {
      example: 'idx("data/train")',
      aliases: ["mnist", "MNIST", "ubyte"],
      summary: "MNIST's IDX files",
    }),
    source({
      name: "tar",
      example: 'tar("data/train-{000..009}.tar")',
      aliases: ["webdataset", "WebDataset", "wds", "shards"],
      summary:
        "WebDataset shards: KEY.jpg and KEY.cls in tar files; `*` and `{000..009}` match several",
      positional: ["path"],
      arguments: { path, holdout, by },
      resolve:
        ({ path, holdout, by }) =>
        (split) => ({ kind: "tar", path, ...part(holdout, split, by) }),
    }),
    source({
      name: "parquet",
      example: 'parquet("data/train-*.parquet", label="label")',
      aliases: [
        "Parquet",
        ...each(["huggingface", "load_dataset"], {
          differs: "netc downloads nothing: the path is that of Parquet files on this machine",
        }),
      ],
      summary:
        "Parquet files with an image and a label in each row, " +
        "as Hugging Face's datasets have them; `*` and `{000..009}` match several",
      positional: ["path"],
      arguments: {
        path,
        image: withDefault(string(), "image", "the column that holds encoded images"),
        label: withDefault(string(), "label", "the column that holds labels: numbers or names"),
        holdout,
        by: sameValue,
      },
      resolve:
        ({ path, image, label, holdout, by }) =>
        (split) => ({ kind: "parquet", path, image, label, ...part(holdout, split, by) }),
    }),
  ],
};

/** A source in another one's parentheses, as written. */
interface WrittenSource {
  readonly name: string;
  readonly values: CallValues;
  readonly rule: SourceRule;
}

/** What has more to an example than its class. */
const WITHOUT_CLASSES = ["pairs", "boxes"];

/** A source of images with classes: `folder("photos")`. */
function labeledSource(): ArgumentType<WrittenSource> {
  const description = 'a data source of images with classes such as `folder("data/train")`';
  const isLabeled = ({ name }: { readonly name: string }) => !WITHOUT_CLASSES.includes(name);
  return {
    description,
    accepts: { kind: "call", signatures: single.definitions.filter(isLabeled) },
    write: ({ name, values }) =>
      callText(
        single.definitions.find((each) => each.name === name)!,
        values,
      ),
    read(expression, reader) {
      const [call, ...others] = asCalls(expression) ?? [];
      const isOne = call && others.length === 0;
      if (!isOne || isTupleKind(call.callee.name) || !isLabeled(call.callee)) {
        return mismatch(expression, reader, description);
      }
      return readSource(call, reader);
    },
  };
}

function readSource(call: CallExpression, reader: ArgumentReader): WrittenSource | undefined {
  const resolved = resolveCall(call, single, reader);
  if (!resolved) return undefined;
  return { name: call.callee.name, values: resolved.bound.values, rule: resolved.result };
}

/** A source that draws examples of several pictures from another one. */
function tuples(
  kind: TupleKind,
  described: Pick<RecipeDefinition<SourceRule>, "example" | "aliases" | "summary">,
) {
  return source({
    name: kind,
    ...described,
    positional: ["of"],
    arguments: { of: required(labeledSource(), "the source that the pictures are drawn from") },
    resolve:
      ({ of }) =>
      (split) => ({ ...of.rule(split), tuples: kind }),
  });
}

export const sources: Registry<SourceRule> = {
  ...KIND,
  definitions: [
    ...single.definitions,
    tuples("triplets", {
      example: 'triplets(folder("data/photos", holdout=0.2))',
      aliases: ["triplet", "TripletDataset", "TripletFaceDataset"],
      summary:
        "three pictures for each picture of another source: itself for the input `anchor`, " +
        "another one of its class for `positive`, one of another class for `negative`",
    }),
    tuples("siamese", {
      example: 'siamese(folder("data/photos", holdout=0.2))',
      aliases: ["SiameseDataset", "SiameseNetworkDataset", "SiamesePairedDataset", "make_pairs"],
      summary:
        "two pictures for each picture of another source: itself for the input `left`, and for " +
        "`right` one of its class or of another one, equally often; the target is 1 for one class",
    }),
  ],
};
