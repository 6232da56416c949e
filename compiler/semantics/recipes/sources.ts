import type { DataSource } from "../../../program/recipe.js";
import { choice, float, string } from "../argument-types.js";
import { required, withDefault } from "../signature.js";
import { define, type Registry } from "./definition.js";

/** A source as written; a CSV file still has to know which split it serves. */
export type SourceRule = (split: "train" | "eval") => DataSource;

const source = define<SourceRule>();
const path = required(string(), "the path, relative to the spec's folder");

export const sources: Registry<SourceRule> = {
  noun: "data source",
  unknown: "NET3007",
  planned: ["tar"],
  definitions: [
    source({
      name: "folder",
      aliases: ["ImageFolder", "images", "directory", "dir"],
      summary: "images as FOLDER/CLASS/IMAGE",
      positional: ["path"],
      arguments: { path },
      resolve:
        ({ path }) =>
        () => ({ kind: "folder", path }),
    }),
    source({
      name: "csv",
      aliases: ["CSV", "table", "tsv"],
      summary: "a table with a label and pixels in each row",
      positional: ["path"],
      arguments: {
        path,
        label: withDefault(choice(["first", "last"]), "last", "the column that holds the label"),
        maximum: withDefault(float({ above: 0 }), 255, "pixel value that becomes 1"),
        holdout: withDefault(
          float({ minimum: 0, below: 1 }),
          0,
          "share of the rows that the train split leaves to the eval split",
        ),
      },
      resolve:
        ({ path, label, maximum, holdout }) =>
        (split) => {
          const takes = split === "eval" && holdout > 0 ? "holdout" : "rest";
          return { kind: "csv", path, label, split: { holdout, takes, maximum } };
        },
    }),
    source({
      name: "cifar10",
      aliases: ["CIFAR10", "cifar", "Cifar10"],
      summary: "CIFAR-10's binary batches",
      positional: ["path"],
      arguments: { path },
      resolve:
        ({ path }) =>
        () => ({ kind: "cifar10", path }),
    }),
    source({
      name: "idx",
      aliases: ["mnist", "MNIST", "ubyte"],
      summary: "MNIST's IDX files",
      positional: ["path"],
      arguments: { path },
      resolve:
        ({ path }) =>
        () => ({ kind: "idx", path }),
    }),
  ],
};
