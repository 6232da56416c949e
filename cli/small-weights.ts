/** `netc weights -o FILE`: weights in fewer bytes, and what accuracy that costs. */
import { resolve } from "node:path";
import { areFinite } from "../runtime/are-finite.js";
import { WeightsError } from "../runtime/errors.js";
import type { Network } from "../runtime/network.js";
import { parseTensors } from "../runtime/safetensors.js";
import { QUANTIZATION } from "../runtime/tensor-file.js";
import { tensorParts } from "../runtime/tensor-parts.js";
import {
  reasonToKeep,
  shrink,
  withoutTraining,
  type Form,
  type PlainWeights,
  type SmallFile,
  type StoredTensor,
} from "../interchange/weights/shrink.js";
import { formatBytes } from "../program/format-bytes.js";
import { chooseForms, type Forms, type Score } from "./choose-forms.js";
import { compileSpec, parametersOf, requireData, type CompiledSpec } from "./compiled.js";
import { evaluating, type EvaluatingFlags, type Evaluating } from "./evaluating.js";
import { wrongInput, wrongUsage } from "./failure.js";
import { readBytes, refuseExisting, writeOutput } from "./files.js";
import { explained } from "./foreign-weights.js";
import { formatCount, formatPercent } from "./format.js";
import { describeCost, originalMetadata, type Original } from "./original-metrics.js";
import { renderTable, type Column } from "./table.js";
import { print, printJson, say, widthOf } from "./terminal.js";
import { classNamesOf, readWeights, tableOf } from "./weights.js";
import type { WeightsFlags } from "./weights-options.js";

export interface SmallWeightsFlags extends WeightsFlags, EvaluatingFlags {
  readonly output: string;
  readonly as?: Form;
  /** Points of accuracy that may be lost. */
  readonly targetLoss?: number;
  readonly model?: string;
  readonly train?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** Weights in fewer bytes, without a look at their model. */
export async function shrinkFile(path: string, flags: SmallWeightsFlags): Promise<void> {
  requireOther(path, flags);
  const { as = "f16" } = flags;
  const bytes = await readBytes(path, "weights");
  const plain = await explained(path, () => plainWeights(parseTensors(bytes)));
  for (const note of plain.notes) say(note);
  const small = await explained(path, () => shrink(plain.tensors, plain.metadata, () => as));
  await writeSmall(small, flags);
  report(small, flags);
}

/** The same of a spec's weights, which are evaluated before and after. */
export async function shrinkMeasured(
  spec: string,
  path: string,
  flags: SmallWeightsFlags,
): Promise<void> {
  requireOther(path, flags);
  const compiled = await compileSpec(spec, { train: flags.train });
  const data = requireData(compiled);
  const { rename, key } = flags;
  const weights = await readWeights(path, parametersOf(compiled), { rename, key });
  const plain = await explained(path, () => plainWeights(parseTensors(weights.bytes)));
  for (const note of plain.notes) say(note);
  if (flags.targetLoss !== undefined) accuracyOf(compiled);
  const from = { data, classNames: classNamesOf(weights), table: tableOf(weights) };
  await evaluating(compiled, from, flags, (network) =>
    explained(path, () => measureAndWrite(compiled, { plain, ...network }, flags)),
  );
}

interface Measured extends Evaluating {
  readonly plain: PlainWeights;
}

async function measureAndWrite(
  compiled: CompiledSpec,
  measured: Measured,
  flags: SmallWeightsFlags,
): Promise<void> {
  const { plain, network, evaluate } = measured;
  await load(network, plain);
  const original = await evaluate("evaluated as f32");
  const forms = await formsOf(compiled, { ...measured, original }, flags);
  const metadata = { ...plain.metadata, ...originalMetadata(original) };
  const small = shrink(plain.tensors, metadata, ({ name }) => forms.get(name) ?? "f32");
  await load(network, small);
  const evaluation = await evaluate("evaluated");
  await writeSmall(small, flags);
  report(small, flags, { original, now: evaluation, fractions: network.program.fractions });
}

const load = (network: Network, { tensors, metadata }: Pick<SmallFile, "tensors" | "metadata">) =>
  network.load(joined(tensorParts(tensors, metadata)), { optimizer: false });

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** The forms that flags ask for, or that keep to the loss of accuracy that they allow. */
async function formsOf(
  compiled: CompiledSpec,
  { plain, network, evaluate, original }: Measured & { readonly original: Original },
  { as, targetLoss: target }: SmallWeightsFlags,
): Promise<Forms> {
  const weights = new Map(plain.tensors.map(({ name, values }) => [name, values.length]));
  if (as) return new Map([...weights.keys()].map((name) => [name, as]));
  for (const tensor of plain.tensors) if (reasonToKeep(tensor)) weights.delete(tensor.name);
  const accuracy = accuracyOf(compiled);
  const scoreOf = ({ metrics }: Original): Score => {
    return { accuracy: metrics[accuracy]!, loss: metrics["loss"]! };
  };
  const measure = async (forms: Forms, what: string): Promise<Score> => {
    const small = shrink(plain.tensors, {}, ({ name }) => forms.get(name) ?? "f32");
    await load(network, small);
    const score = scoreOf(await evaluate(what));
    say(`${what}: ${accuracy} ${formatPercent(score.accuracy)}, loss ${score.loss.toFixed(4)}`);
    return score;
  };
  return chooseForms({ weights, original: scoreOf(original), target: target!, measure });
}

/** The metric that `--target-loss` counts. */
function accuracyOf({ compilation, spec, model }: CompiledSpec): string {
  const { accuracies = {} } = compilation.programs[0]!;
  const [first] = Object.entries(accuracies).toSorted(([, a], [, b]) => a - b);
  if (first) return first[0];
  throw wrongInput(
    `model ${model.name} of ${spec.path} has no accuracy, and --target-loss counts points of it`,
    "--as f16, u8 or u4 says the form of all weights",
  );
}

/** The original must stay: small weights cannot be made exact again. */
function requireOther(path: string, { output, overwrite }: SmallWeightsFlags): void {
  if (resolve(path) === resolve(output)) {
    throw wrongUsage(`-o ${output} is the file of the weights themselves, which must be kept`);
  }
  if (!overwrite) refuseExisting([output], "--overwrite replaces it, -o FILE writes another");
}

/** Throws WeightsError for weights that are small already, or that are not finite. */
function plainWeights({ tensors, metadata }: ReturnType<typeof parseTensors>): PlainWeights {
  if (metadata[QUANTIZATION] !== undefined) {
    throw new WeightsError(
      "these weights are small already; errors would add up: take the file that they were made of",
    );
  }
  const plain = withoutTraining(tensors, metadata);
  const wrong = plain.tensors.find(({ values }) => !areFinite(values));
  if (wrong) throw new WeightsError(`\`${wrong.name}\` is not finite`);
  return plain;
}

const writeSmall = ({ tensors, metadata }: SmallFile, { output }: SmallWeightsFlags) =>
  writeOutput(output, tensorParts(tensors, metadata));

interface Cost {
  readonly original: Original;
  readonly now: Original;
  readonly fractions: readonly string[];
}

function report(small: SmallFile, flags: SmallWeightsFlags, cost?: Cost): void {
  const { output: file } = flags;
  const { stored } = small;
  const sizes = { bytes: sum(stored.map(({ bytes }) => bytes)), f32: sum(stored.map(bytesAsF32)) };
  if (flags.json) {
    const measured = cost && { metrics: cost.now.metrics, original: cost.original.metrics };
    return printJson({ file, ...sizes, tensors: stored, ...measured });
  }
  print(renderTable(COLUMNS, stored.map(rowOf), widthOf(process.stdout)));
  const share = formatPercent(sizes.bytes / sizes.f32);
  print(`\nwrote ${file}: ${formatBytes(sizes.bytes)}, ${share} of ${formatBytes(sizes.f32)}`);
  if (cost) print(describeCost(cost.original, cost.now, cost.fractions));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const bytesAsF32 = ({ shape }: StoredTensor): number => 4 * shape.reduce((a, b) => a * b, 1);

const COLUMNS: readonly Column[] = [
  { title: "tensor", align: "left", expendable: 0 },
  { title: "shape", align: "left", expendable: 2 },
  { title: "as", align: "left", expendable: 0 },
  { title: "bytes", align: "right", expendable: 1 },
  { title: "", align: "left", expendable: 3 },
];

function rowOf({ name, shape, as, bytes, kept, symmetric }: StoredTensor): readonly string[] {
  const of = symmetric === undefined ? "" : `symmetric in ${symmetric} of ${shape[0]} channels`;
  return [name, `[${shape.join(", ")}]`, as, formatCount(bytes), kept ? `kept: ${kept}` : of];
}
