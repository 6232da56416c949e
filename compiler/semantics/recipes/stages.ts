import type { Duration } from "../../../program/recipe.js";
import { duration } from "../../calls/argument-types.js";
import { required } from "../../calls/signature.js";
import { define, type Registry } from "./definition.js";
import { type Pattern, patterns } from "./patterns.js";

/** Weights that are trained from some time on. */
export interface Stage {
  readonly after: Duration;
  readonly patterns: readonly Pattern[];
}

export const stages: Registry<Stage> = {
  noun: "stage of `unfreeze`",
  example: "after(5 epochs, [features.*])",
  unknown: "NET3056",
  planned: [],
  definitions: [
    define<Stage>()({
      name: "after",
      example: "after(5 epochs, [features.*])",
      aliases: ["at", "from", "stage", "unfreeze"],
      summary: "trains frozen weights from this time on",
      positional: ["after", "weights"],
      arguments: {
        after: required(duration(), "how long they stay frozen"),
        weights: required(patterns(), "names of weights, among those of `freeze`"),
      },
      resolve: ({ after, weights }) => ({ after, patterns: weights }),
    }),
  ],
};
