/**
 * Questions in the words of users of other frameworks are answered by the first or the second page
 * that a search finds.
 */
import { describe, expect, test } from "vitest";
import { pages, readPage } from "./pages.js";
import { search } from "./search.js";

const QUESTIONS: Readonly<Record<string, string>> = {
  "batch normalization": "reference/layers/normalization",
  "batchnorm momentum keras": "coming-from/keras",
  "binary classification": "guides/regression-and-multi-label",
  "camera webcam browser": "deploy/browser",
  "class imbalance": "guides/class-imbalance",
  "class weights": "guides/class-imbalance",
  "compare two runs significance": "reference/cli/compare",
  "confusion matrix": "guides/evaluation",
  "convert keras model": "interop-formats",
  csv: "guides/tables",
  "custom activation function": "reference/formulas",
  "custom loss": "reference/formulas",
  "custom training loop": "deploy/training",
  "data augmentation": "guides/data-augmentation",
  "deterministic training seed": "guides/reproducible",
  "distributed training": "guides/cluster",
  DistributedDataParallel: "guides/cluster",
  "docker gpu": "start/gpu",
  dropout: "reference/layers/shape-and-dropout",
  "early stopping": "guides/overfitting",
  ema: "guides/overfitting",
  "export onnx": "interop-export",
  "feature maps": "guides/inside",
  "fine-tuning": "guides/fine-tuning",
  "focal loss": "guides/segmentation",
  fp16: "guides/mixed-precision",
  "freeze layers": "guides/fine-tuning",
  "gpu driver": "start/gpu",
  "grad-cam": "guides/inside",
  "gradient accumulation": "guides/out-of-memory",
  "gradient clipping": "guides/gradient-clipping",
  "grayscale images": "guides/own-data",
  "how do i train on my own images": "guides/own-data",
  ImageFolder: "guides/own-data",
  "import onnx": "interop",
  install: "start/install",
  "label smoothing": "guides/overfitting",
  "learning rate schedule": "guides/learning-rate",
  "learning rate finder": "guides/learning-rate",
  limits: "limits",
  "load pretrained weights": "guides/fine-tuning",
  "load pytorch weights": "interop-weights",
  "loss does not decrease": "guides/hints",
  "loss is nan": "guides/nan",
  "lstm recurrent": "limits",
  "mixed precision": "guides/mixed-precision",
  "multi gpu": "guides/cluster",
  "multi-label": "guides/regression-and-multi-label",
  "multiple inputs": "guides/several-inputs",
  "next.js": "deploy/bundlers",
  "normalize images": "guides/data-augmentation",
  "out of memory": "guides/out-of-memory",
  "own data": "guides/own-data",
  parquet: "guides/own-data",
  "predict in a browser": "deploy/browser",
  "predict in javascript": "deploy/javascript",
  pytorch: "coming-from/pytorch",
  "quantization int8": "reference/small-weights",
  regression: "guides/regression-and-multi-label",
  reproducible: "guides/reproducible",
  "resume from checkpoint": "guides/resume",
  "rotation augmentation": "guides/data-augmentation",
  segmentation: "guides/segmentation",
  "object detection": "guides/detection",
  "skip connection": "reference/blocks-and-branches",
  tensorboard: "reference/run-folder",
  "tensorflow.js": "coming-from/tensorflow-js",
  "top-5 accuracy": "guides/evaluation",
  "train/test split": "guides/own-data",
  "training curves": "reference/run-folder",
  unfreeze: "guides/fine-tuning",
  "vision transformer": "reference/attention",
  "vs code": "editors",
  warmup: "guides/learning-rate",
  "web worker": "deploy/worker",
  "weight decay": "reference/optimizers",
  "weight initialization": "reference/initializers",
};

test.each(Object.entries(QUESTIONS))("%s: %s", (question, page) => {
  expect(search(question).slice(0, 2)).toContain(page);
});

/** Pages that answer a question also have the names that other frameworks use for it. */
const NAMED = /^docs\/(start|guides|deploy)\//;

test.each(pages.filter((page) => NAMED.test(page)))("%s has names of elsewhere", (page) => {
  expect(readPage(page)).toMatch(/^Elsewhere: .{8}/m);
});

describe("the search", () => {
  test("finds words by their stem, and titles before texts", () => {
    expect(search("checkpoints")[0]).toBe("guides/resume");
    expect(search("resuming")[0]).toBe("guides/resume");
  });

  test("finds nothing for words that no page has", () => {
    expect(search("xylophone of the")).toEqual([]);
  });
});
