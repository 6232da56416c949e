/**
 * Questions in the words of users of other frameworks lead to a heading in one search: all words of
 * a question are in a heading of the page that answers it.
 */
import { expect, test } from "vitest";
import { readPage } from "./pages.js";

const QUESTIONS: Readonly<Record<string, string>> = {
  "batch normalization": "reference/layers/normalization",
  "class imbalance": "guides/class-imbalance",
  "confusion matrix": "guides/evaluation",
  csv: "guides/tables",
  "data augmentation": "guides/data-augmentation",
  dropout: "guides/overfitting",
  "early stopping": "guides/overfitting",
  ema: "guides/overfitting",
  "export onnx": "interop-export",
  "fine-tuning": "guides/fine-tuning",
  fp16: "guides/mixed-precision",
  "freeze layers": "guides/fine-tuning",
  "gpu driver": "start/gpu",
  "gradient accumulation": "guides/out-of-memory",
  "gradient clipping": "guides/gradient-clipping",
  "grayscale images": "guides/own-data",
  install: "start/install",
  "label smoothing": "guides/overfitting",
  "learning rate schedule": "guides/learning-rate",
  limits: "limits",
  "load weights": "guides/fine-tuning",
  "mixed precision": "guides/mixed-precision",
  "multi gpu": "guides/cluster",
  "multi-label": "guides/regression-and-multi-label",
  "nan loss": "guides/nan",
  "normalize images": "guides/data-augmentation",
  "out of memory": "guides/out-of-memory",
  "own data": "guides/own-data",
  parquet: "guides/own-data",
  "predict in a browser": "deploy/browser",
  "predict in javascript": "deploy/javascript",
  pytorch: "coming-from/pytorch",
  regression: "guides/regression-and-multi-label",
  reproducible: "guides/reproducible",
  "resume checkpoint": "guides/resume",
  "tensorflow.js": "coming-from/tensorflow-js",
  "top-5": "guides/evaluation",
  "train/test split": "guides/own-data",
  unfreeze: "guides/fine-tuning",
  "vs code": "editors",
  warmup: "guides/learning-rate",
  "web worker": "deploy/worker",
  "weight decay": "guides/overfitting",
  "weight initialization": "reference/initializers",
};

const headingsOf = (page: string) =>
  readPage(`docs/${page}.md`)
    .replace(/^(`{3,})[^]*?^\1$/gm, "")
    .split("\n")
    .filter((line) => /^#+ /.test(line))
    .map((line) => line.toLowerCase());

/** Words as a search compares them: beginnings, so that "checkpoint" finds "Checkpoints". */
const has = (heading: string, question: string) => {
  const words = heading.match(/[a-z0-9]+/g)!;
  return question.match(/[a-z0-9]+/g)!.every((word) => words.some((each) => each.startsWith(word)));
};

test.each(Object.entries(QUESTIONS))("%s: %s", (question, page) => {
  expect(headingsOf(page).filter((heading) => has(heading, question))).not.toEqual([]);
});

test("a heading in other words is not found", () => {
  expect(has("# what netc has, and what it does not", "limits")).toBe(false);
  expect(has("# limits: what netc cannot do", "limits")).toBe(true);
});
