import type { AbsentNames } from "../calls/suggestion.js";

const ofClasses = "the loss of classes is `cross_entropy`";
const ofNumbers = "losses of numbers are `mse`, `l1` and `bce_with_logits`";
const perClass =
  "`netc eval` and the report of a run show precision, recall and confusions by class";

/** Losses of other frameworks that netc does not have, in plain letters, and what to do instead. */
export const absentLosses: AbsentNames = {
  ...all(["focal", "focalloss", "sigmoidfocalloss"], `${ofClasses}, with \`class_weights\``),
  ...all(["hinge", "hingeloss", "multimarginloss", "marginrankingloss"], ofClasses),
  ...all(["kldiv", "kldivloss", "kld", "kldivergence"], ofClasses),
  ...all(["huber", "huberloss", "smoothl1", "smoothl1loss"], ofNumbers),
  ...all(["dice", "diceloss", "iou", "jaccard"], ofNumbers),
  ...all(["triplet", "tripletmarginloss", "contrastive", "infonce", "ntxent"], "netc has no pairs"),
  ...all(["ctc", "ctcloss"], "netc has no losses of sequences"),
  ...all(["cosinesimilarity", "cosineembeddingloss"], ofNumbers),
  ...all(["poissonnll", "gaussiannll", "mape", "logcosh"], ofNumbers),
};

/**
 * Metrics of other frameworks that netc does not have, in plain letters, and what to do instead.
 */
export const absentMetrics: AbsentNames = {
  ...all(["f1", "f1score", "precision", "recall", "confusionmatrix"], perClass),
  ...all(["auc", "auroc", "rocauc", "averageprecision", "map"], perClass),
  ...all(["rmse", "rootmeansquarederror"], "`mse` is its square"),
  ...all(["loss", "crossentropy"], "the loss is always measured"),
  ...all(["r2", "r2score", "mape", "iou", "dice"], "metrics of numbers are `mse` and `mae`"),
};

function all(names: readonly string[], instead: string): AbsentNames {
  return Object.fromEntries(names.map((name) => [name, instead]));
}
