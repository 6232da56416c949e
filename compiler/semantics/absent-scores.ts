import type { AbsentNames } from "../calls/suggestion.js";

const OF_CLASSES = "the loss of classes is `cross_entropy`";
const OF_NUMBERS = "losses of numbers are `mse`, `l1`, `bce_with_logits` and `sigmoid_focal`";
const PER_CLASS =
  "`netc eval` and the report of a run show precision, recall and confusions by class";

/** Losses of other frameworks that netc does not have, in plain letters, and what to do instead. */
export const absentLosses: AbsentNames = {
  ...all(["hinge", "hingeloss", "multimarginloss", "marginrankingloss"], OF_CLASSES),
  kld: "`kl` is of two logits",
  ...all(
    ["huber", "huberloss", "smoothl1", "smoothl1loss"],
    "a formula says it: `fn huber(a, b) = where(abs(a - b) < 1, (a - b)^2 / 2, " +
      "abs(a - b) - 0.5)`, `loss mean(huber(out, y))`",
  ),
  sum: "a loss is a mean of the batch: `mean(...)`, and within it `sum(..., over=channels)`",
  ...all(
    ["triplet", "tripletmarginloss", "tripletloss", "contrastive", "contrastiveloss"],
    "formulas of values say it: `let near = sum((a - b)^2, over=channels)`, " +
      "`loss mean(max(near - far + 1, 0))`",
  ),
  ...all(["infonce", "ntxent"], "losses compare values of one example, not examples of a batch"),
  ...all(["ctc", "ctcloss"], "netc has no losses of sequences"),
  ...all(
    ["cosinesimilarity", "cosineembeddingloss"],
    "a formula says it: `let cosine = sum(a * b, over=channels) / " +
      "sqrt(sum(a^2, over=channels) * sum(b^2, over=channels))`",
  ),
  ...all(["poissonnll", "gaussiannll", "mape", "logcosh"], OF_NUMBERS),
};

/**
 * Metrics of other frameworks that netc does not have, in plain letters, and what to do instead.
 */
export const absentMetrics: AbsentNames = {
  ...all(["f1", "f1score", "precision", "recall", "confusionmatrix"], PER_CLASS),
  ...all(["auc", "auroc", "rocauc"], PER_CLASS),
  ...all(
    ["averageprecision", "meanaverageprecision", "map"],
    "evaluations of boxes measure `map50` and `map` in any case",
  ),
  ...all(["rmse", "rootmeansquarederror"], "`mse` is its square"),
  ...all(["loss", "crossentropy"], "the loss is always measured"),
  ...all(["r2", "r2score", "mape"], "metrics of numbers are `mse` and `mae`"),
};

function all(names: readonly string[], instead: string): AbsentNames {
  return Object.fromEntries(names.map((name) => [name, instead]));
}
