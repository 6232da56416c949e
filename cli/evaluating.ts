/** Evaluations of weights on a recipe's eval split, as `netc eval` and `netc weights` make them. */
import type { DataRecipe } from "../program/recipe.js";
import type { SplitName } from "../program/program.js";
import { denseOf } from "../program/masks.js";
import { classesOf, imageOf } from "../program/tensors.js";
import { imagesOf, type Transform } from "../program/transforms.js";
import { withoutUndefined } from "../program/without-undefined.js";
import type { ReportedTag } from "../report/data.js";
import type { Dataset } from "../runtime/data/dataset.js";
import {
  evaluateClassifier,
  examinedClasses,
  type Examination,
  type JudgedExample,
} from "../runtime/evaluation/index.js";
import type { Network } from "../runtime/network.js";
import { evaluateDataset, type Evaluation } from "../runtime/training/evaluate.js";
import { requireRecipe, type CompiledSpec } from "./compiled.js";
import { openEvaluationData, warnOfUnreadable, type DataFlags, type TrainedData } from "./data.js";
import { wrongInput } from "./failure.js";
import { openNetwork } from "./open-network.js";
import type { AdapterOptions } from "./options.js";
import { createCounter } from "./progress.js";

export interface EvaluatingFlags extends AdapterOptions, DataFlags {
  readonly batch?: number;
  readonly tenCrop?: boolean;
  /** The split to evaluate on, `eval` unless given; with the eval split's transforms. */
  readonly split?: SplitName;
}

export type Evaluated = (Evaluation | (Evaluation & Examination)) & {
  /** Of a network that tells tags. */
  readonly tags?: readonly ReportedTag[];
};

/** A network, and a pass over the split with the weights that it has then. */
export interface Evaluating {
  readonly network: Network;
  readonly dataset: Dataset;
  readonly transforms: readonly Transform[];
  /** Evaluates all examples; progress is shown under this word. */
  readonly evaluate: (word: string, observer?: Observer) => Promise<Evaluated>;
}

/** What is called during a pass. */
export interface Observer {
  /** Called with each example of a classifier. */
  readonly onExample?: (judged: JudgedExample) => void;
  /** Called after each batch, and awaited. */
  readonly onBatch?: () => Promise<void>;
  /** Mistakes of a classifier to keep, none unless told. */
  readonly mistakes?: number;
}

/** Opens data and network for `use`, and closes the network after it. */
export async function evaluating<Result>(
  compiled: CompiledSpec,
  { data, ...trained }: TrainedData & { readonly data: DataRecipe },
  flags: EvaluatingFlags,
  use: (evaluating: Evaluating) => Promise<Result>,
): Promise<Result> {
  const dataset = await openEvaluationData(compiled, data, flags, trained);
  const own = data.eval?.transforms ?? [];
  const transforms = flags.tenCrop ? withTenCrop(own, compiled) : own;
  const batch = Math.max(flags.batch ?? requireRecipe(compiled).batch, imagesOf(transforms));
  const network = await openNetwork(compiled, { batch, adapter: flags.adapter });
  try {
    const evaluate = (word: string, observer: Observer = {}) =>
      evaluateOnce(network, { dataset, transforms, word, observer });
    return await use({ network, dataset, transforms, evaluate });
  } finally {
    network.destroy();
  }
}

interface Pass {
  readonly dataset: Dataset;
  readonly transforms: readonly Transform[];
  readonly word: string;
  readonly observer: Observer;
}

async function evaluateOnce(
  network: Network,
  { dataset, transforms, word, observer: { onExample, onBatch, mistakes } }: Pass,
): Promise<Evaluated> {
  const counter = createCounter(dataset.length, word);
  try {
    const onProgress = async (examples: number) => {
      counter.update(examples);
      await onBatch?.();
    };
    const pass = { transforms, onProgress };
    const evaluation =
      examinedClasses(network.program, dataset) === undefined
        ? await evaluateDataset(network, dataset, pass)
        : await evaluateClassifier(
            network,
            dataset,
            withoutUndefined({ ...pass, onExample, mistakes }),
          );
    counter.stop();
    warnOfUnreadable(dataset);
    return evaluation!;
  } finally {
    counter.stop();
  }
}

/**
 * The split's transforms with ten crops where they have their own crop, or else before they
 * normalize.
 */
function withTenCrop(
  transforms: readonly Transform[],
  { compilation, spec }: CompiledSpec,
): readonly Transform[] {
  const program = compilation.programs[0]!;
  const input = imageOf(program);
  if (classesOf(program) === undefined || denseOf(program) || input.width !== input.height) {
    throw wrongInput(
      "--ten-crop averages over crops of a classifier's square images, " +
        `which ${spec.path} does not have`,
    );
  }
  const isCrop = ({ kind }: Transform) => kind === "center_crop" || kind === "ten_crop";
  const others = transforms.filter((transform) => !isCrop(transform));
  const crop = transforms.findIndex(isCrop);
  const normalize = transforms.findIndex(({ kind }) => kind === "normalize");
  const place = [crop, normalize, others.length].find((index) => index >= 0)!;
  const tenCrop: Transform = { kind: "ten_crop", size: input.width };
  return [...others.slice(0, place), tenCrop, ...others.slice(place)];
}
