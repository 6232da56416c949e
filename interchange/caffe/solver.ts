/** Caffe's solver: how a network was trained, and where the network is. */
import { fromText } from "@bufbuild/protobuf/txtpb";
import { ImportError } from "../error.js";
import type { ForeignTraining, TensorFactors } from "../foreign-training.js";
import {
  SolverParameter_SolverType as SolverType,
  SolverParameterSchema,
  type SolverParameter,
} from "./generated/caffe_pb.js";
import { isSet, parsed, type CaffeLayer, type CaffeNetwork } from "./network.js";

/** A field of solvers that networks do not have. */
export const isSolver = (text: string) => /^[ \t]*base_lr[ \t]*:/m.test(text);

export function readSolver(text: string, path: string): SolverParameter {
  return parsed(() => fromText(SolverParameterSchema, text), path);
}

/** The file that the solver names; Caffe's paths start where Caffe is started. */
export function networkFile({ net, trainNet }: SolverParameter): string {
  const path = net || trainNet;
  if (path !== "") return path.split(/[/\\]/).at(-1)!;
  throw new ImportError("the solver names no network", ['add `net: "train_val.prototxt"`']);
}

/** Without the noise of numbers of 32 bits. */
const plain = (value: number) => String(Number(value.toPrecision(7)));

/**
 * What a recipe can say of a solver; `remarks` collects what it leaves out. Throws an ImportError
 * that names everything that no recipe can say.
 */
export function trainingOf(
  solver: SolverParameter,
  networks: Readonly<Record<"train" | "test", CaffeNetwork>>,
  remark: (text: string) => void,
): ForeignTraining {
  const refused: string[] = [];
  const data = dataLayer(networks.train);
  const each = data?.dataParam?.batchSize || data?.imageDataParam?.batchSize;
  if (!each) refused.push("the network's data layer of the phase TRAIN has no `batch_size`");
  const settings = [
    ["optimizer", optimizerOf(solver, refused)],
    ...scheduleOf(solver, refused),
    ...(solver.iterSize > 1 ? [["accumulate", String(solver.iterSize)] as const] : []),
    ...(solver.clipGradients > 0 ? [["clip_norm", plain(solver.clipGradients)] as const] : []),
    ...seedOf(solver),
  ] as const;
  if (solver.maxIter < 1) refused.push("it has no `max_iter`");
  refuseLosses(networks.train, refused);
  if (refused.length > 0) {
    throw new ImportError(
      ["the solver has no counterpart in netc:", ...refused.map((line) => `  ${line}`)].join("\n"),
      ["`netc import deploy.prototxt weights.caffemodel` imports the network alone"],
    );
  }
  remarkOn(solver, networks.test, remark);
  return {
    iterations: solver.maxIter,
    batch: each! * solver.iterSize,
    settings,
    accuracies: accuraciesOf(networks.test),
    ...imagesOf(networks, remark),
    factors: factorsOf(networks.train, remark),
  };
}

const dataLayer = ({ layers }: CaffeNetwork) =>
  layers.find(({ parameters }) => /Data$/.test(parameters.type))?.parameters;

const TYPES: ReadonlyMap<SolverType, string> = new Map([
  [SolverType.NESTEROV, "Nesterov"],
  [SolverType.ADAGRAD, "AdaGrad"],
  [SolverType.RMSPROP, "RMSProp"],
  [SolverType.ADADELTA, "AdaDelta"],
  [SolverType.ADAM, "Adam"],
]);

function optimizerOf(solver: SolverParameter, refused: string[]): string {
  const { type, baseLr, momentum, weightDecay, momentum2, delta, rmsDecay } = solver;
  const name = isSet(solver, "type") ? type : (TYPES.get(solver.solverType) ?? type);
  const rate = `lr=${plain(baseLr)}`;
  const decay = weightDecay === 0 ? "" : `, weight_decay=${plain(weightDecay)}`;
  if (!(baseLr > 0)) refused.push("it has no `base_lr` above 0");
  if (weightDecay !== 0 && solver.regularizationType !== "L2") {
    refused.push(`regularization_type "${solver.regularizationType}": netc's weight decay is L2`);
  }
  const share = momentum === 0 ? "" : `, momentum=${plain(momentum)}`;
  switch (name.toLowerCase()) {
    case "sgd":
      return `sgd(${rate}${share}${decay}, convention=caffe)`;
    case "nesterov":
      return `sgd(${rate}${share}${decay}, nesterov=true, convention=caffe)`;
    case "adam":
      return (
        `adam(${rate}, beta1=${plain(momentum)}, beta2=${plain(momentum2)}, ` +
        `eps=${plain(delta)}${decay})`
      );
    case "rmsprop":
      return `rmsprop(${rate}, alpha=${plain(rmsDecay)}, eps=${plain(delta)}${decay})`;
    case "adagrad":
      return `adagrad(${rate}, eps=${plain(delta)}${decay})`;
    case "adadelta":
      return `adadelta(${rate}, rho=${plain(momentum)}, eps=${plain(delta)}${decay})`;
    default:
      refused.push(`type "${name}": docs/reference/optimizers.md has netc's optimizers`);
      return "";
  }
}

type Setting = readonly [name: string, value: string];

function scheduleOf(solver: SolverParameter, refused: string[]): readonly Setting[] {
  const { lrPolicy, gamma, power, stepsize, stepvalue } = solver;
  const factor = `gamma=${plain(gamma)}`;
  const schedule = (value: string): readonly Setting[] => [["schedule", value]];
  switch (lrPolicy) {
    case "fixed":
    case "":
      return [];
    case "step":
      return schedule(`step(every=${stepsize} steps, ${factor})`);
    case "multistep":
      return schedule(
        `multistep(at=[${stepvalue.map((at) => `${at} steps`).join(", ")}], ${factor})`,
      );
    case "exp":
      return schedule(`exponential(${factor}, every=1 steps)`);
    case "inv":
      return schedule(`inverse(${factor}, power=${plain(power)}, every=1 steps)`);
    case "poly":
      return schedule(`polynomial(power=${plain(power)})`);
    default:
      refused.push(`lr_policy "${lrPolicy}": docs/reference/schedules.md has netc's schedules`);
      return [];
  }
}

const seedOf = ({ randomSeed }: SolverParameter): readonly Setting[] =>
  randomSeed >= 0n && randomSeed <= 0xffff_ffffn ? [["seed", String(randomSeed)]] : [];

/** A recipe has one loss here: of the network's last layer and the labels. */
function refuseLosses({ layers }: CaffeNetwork, refused: string[]): void {
  const losses = layers.filter(({ parameters }) => /Loss$/.test(parameters.type));
  const [only, ...others] = losses;
  if (!only || others.length > 0) {
    refused.push(`the network has ${losses.length} losses, and netc writes recipes for one`);
    return;
  }
  const { type, lossParam, lossWeight } = only.parameters;
  const title = `${type} (${only.place})`;
  if (type !== "SoftmaxWithLoss") refused.push(`${title}: netc writes recipes for SoftmaxWithLoss`);
  if (lossParam && isSet(lossParam, "ignoreLabel")) refused.push(`${title}: \`ignore_label\``);
  if (lossWeight.some((weight) => weight !== 1)) refused.push(`${title}: \`loss_weight\` is not 1`);
}

/** `top_k` of each layer of type Accuracy, once; top-1 where there is none. */
function accuraciesOf({ layers }: CaffeNetwork): readonly number[] {
  const found = layers
    .filter(({ parameters }) => parameters.type === "Accuracy")
    .map(({ parameters }) => parameters.accuracyParam?.topK ?? 1);
  return found.length === 0 ? [1] : [...new Set(found)].sort((a, b) => a - b);
}

function imagesOf(
  { train, test }: Readonly<Record<"train" | "test", CaffeNetwork>>,
  remark: (text: string) => void,
): Pick<ForeignTraining, "transforms" | "normalization"> {
  const [first, second] = [train, test].map((each) => dataLayer(each)?.transformParam);
  const size = first?.cropSize;
  const crop = size ? [`random_crop(${size})`] : [];
  const flip = first?.mirror ? ["hflip(0.5)"] : [];
  const middle = second?.cropSize ? [`center_crop(${second.cropSize})`] : [];
  const transforms = { train: [...crop, ...flip], eval: middle };
  if (first?.meanFile) {
    remark(
      `Caffe subtracts the mean image ${first.meanFile}, which is not imported: ` +
        "add `normalize(mean=..., std=...)` to both splits.",
    );
  }
  if (!first || (first.meanValue.length === 0 && first.scale === 1)) {
    remark("Caffe's pixels go from 0 to 255, and netc's from 0 to 1: `normalize` multiplies them.");
    return { transforms, normalization: { mean: [0], scale: 1 } };
  }
  const mean = first.meanValue.length > 0 ? first.meanValue : [0];
  return { transforms, normalization: { mean, scale: first.scale } };
}

function factorsOf(
  { layers }: CaffeNetwork,
  remark: (text: string) => void,
): ReadonlyMap<string, readonly TensorFactors[]> {
  const weighted = layers.filter(({ parameters }) =>
    /^(Convolution|Deconvolution|InnerProduct|Scale)$/.test(parameters.type),
  );
  for (const layer of weighted) remarkOnDecay(layer, remark);
  // A Scale behind a BatchNorm is part of the layer that the BatchNorm becomes.
  const normalizations = new Map(
    layers
      .filter(({ parameters }) => parameters.type === "BatchNorm")
      .map(({ parameters: { name, top } }) => [top[0], name]),
  );
  return new Map(
    weighted.map(({ parameters: { name, type, bottom, param } }) => [
      (type === "Scale" ? normalizations.get(bottom[0]) : undefined) ?? name,
      [0, 1].map((place): TensorFactors => {
        const [rate, decay] = [param[place]?.lrMult ?? 1, param[place]?.decayMult ?? 1];
        return { rate: Number(plain(rate)), decay };
      }),
    ]),
  );
}

function remarkOnDecay({ parameters }: CaffeLayer, remark: (text: string) => void): void {
  const { name, param } = parameters;
  const other = param.find(({ decayMult }) => decayMult !== 0 && decayMult !== 1);
  if (!other) return;
  remark(
    `\`decay_mult\` of \`${name}\` is ${plain(other.decayMult)}, which the recipe does not say: ` +
      "give the layer `decay` or `bias_decay`.",
  );
}

function remarkOn(
  solver: SolverParameter,
  { layers }: CaffeNetwork,
  remark: (text: string) => void,
): void {
  const { testIter, testInterval, type, lrPolicy } = solver;
  const data = layers.find(({ parameters }) => /Data$/.test(parameters.type))?.parameters;
  const batch = data?.dataParam?.batchSize || data?.imageDataParam?.batchSize || undefined;
  if (testInterval > 0) {
    const images = batch === undefined ? "" : `, on ${(testIter[0] ?? 0) * batch} images`;
    remark(
      `Caffe evaluates after every ${testInterval} iterations${images}; ` +
        "netc evaluates after each epoch.",
    );
  }
  if (/^adam$/i.test(type)) {
    remark("Caffe's Adam adds `delta` before the correction of the averages, netc's after it.");
  }
  if (lrPolicy === "poly") remark("Caffe's `poly` ends at `max_iter`, netc's with the last epoch.");
}
