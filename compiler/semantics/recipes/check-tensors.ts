import type { CallExpression, DataDeclaration, Span } from "../../../grammar/ast.js";
import {
  isTupleKind,
  RECALL_METRIC,
  TUPLE_INPUTS,
  type TupleKind,
} from "../../../program/tuples.js";
import type { Environment } from "../../calls/environment.js";
import { listNames } from "../../calls/suggestion.js";
import {
  comparedByLosses,
  embedsFirst,
  isBoxes,
  predictedInputs,
  sameValue,
} from "../../network/facts.js";
import type { NetworkOutput, NetworkPort } from "../../network/resolved.js";
import type { AnalyzedModel } from "../analysis.js";
import { givenInputs } from "./table-columns.js";

type Ports = Pick<AnalyzedModel, "inputs" | "network">;

/** What a model has that sources of data, with one image and one label an example, cannot give. */
export interface Unfed {
  /** The model has them: `the inputs \`left\` and \`right\``. */
  readonly what: string;
  /** A call that gives them: `step({ left, right }, { label })`. */
  readonly call: string;
}

/** Undefined for a model that sources of data can feed. */
export function unfedBy({ inputs: all, network }: Ports): Unfed | undefined {
  const inputs = givenInputs({ inputs: all });
  const targets = network?.targets ?? [];
  const call = `step(${argument(inputs, "images")}, ${argument(targets, "targets")})`;
  const ports = [inputs, targets].find(({ length }) => length > 1);
  if (ports) {
    const names = listNames(ports.map(({ name }) => name));
    return { what: `the ${ports === inputs ? "inputs" : "targets"} ${names}`, call };
  }
  const [input] = inputs;
  if (input && isNoRow(input)) {
    const kind = input.shape.length === 0 ? "one token of each example" : "a sequence";
    return { what: `the input \`${input.name}\`, which is ${kind}`, call };
  }
  const [target] = targets;
  if (target?.type.dtype !== "f32" || isBoxes(target) || (input && isRow(input))) return undefined;
  return { what: `the target \`${target.name}\`, which is numbers`, call };
}

/** `{ left, right }`; the only tensor of a role comes as it is. */
function argument(ports: readonly Pick<NetworkPort, "name">[], single: string): string {
  return ports.length > 1 ? `{ ${ports.map(({ name }) => name).join(", ")} }` : single;
}

/**
 * Sources of data give one image and one label, and those of tuples several images. False after a
 * report.
 */
export function checkTensors(
  model: AnalyzedModel,
  { splits }: DataDeclaration,
  span: Span,
  environment: Environment,
): boolean {
  if (!checkFirstOutput(model, span, environment)) return false;
  if (splits.every(({ source }) => source.callee.name === "csv")) {
    return checkTable(model, span, environment);
  }
  const drawn = splits.filter(({ source }) => isTupleKind(source.callee.name));
  if (drawn.length === 0) return checkOneTensor(model, span, environment);
  if (!checkOneOutput(model, drawn[0]!.source, environment)) return false;
  const other = splits.find((split) => !drawn.includes(split));
  if (other) return reportOther(other.source, drawn[0]!.source, environment);
  if (!drawn.every(({ source }) => checkTuples(source, model, environment))) return false;
  const evaluated = drawn.find(({ name }) => name.name === "eval");
  if (evaluated) warnOfNoRecall(evaluated.source, model, environment);
  return true;
}

/**
 * Evaluations, reports and `classify` of a model with one target read the first output: it is one
 * that the loss compares with the target. False after a report.
 */
function checkFirstOutput(
  { name, network }: AnalyzedModel,
  span: Span,
  { reporter }: Environment,
): boolean {
  if (!network || network.outputs.length < 2 || network.targets.length > 1) return true;
  const { outputs } = network;
  const compared = comparedByLosses(network);
  const isCompared = ({ value }: NetworkOutput) => compared.some((each) => sameValue(each, value));
  const wanted = outputs.find(isCompared);
  if (!wanted || isCompared(outputs[0]!)) return true;
  const names = [wanted, ...outputs.filter((output) => output !== wanted)].map((each) => each.name);
  reporter.report("NET2063", {
    message:
      `evaluations read the first output, and the loss of model \`${name}\` does not compare ` +
      `\`${outputs[0]!.name}\` with a target`,
    span,
    notes: [`write \`output ${names.join(", ")}\`, so that reports are about \`${names[0]}\``],
  });
  return false;
}

/** Distances of examples are taken of one output. False after a report. */
function checkOneOutput(
  { name, network }: AnalyzedModel,
  { callee, span }: CallExpression,
  { reporter }: Environment,
): boolean {
  const names = network?.outputs.map((output) => output.name) ?? [];
  if (names.length < 2) return true;
  reporter.report("NET2063", {
    message:
      `\`${callee.name}\` evaluates one output, ` + `and model \`${name}\` has ${listNames(names)}`,
    span,
    notes: [
      `write \`output ${names[0]}\`, and the others in another model of the same layers, without ` +
        "a loss, which reads the same weights",
    ],
  });
  return false;
}

/** A table holds any number of inputs and targets, but for boxes. */
function checkTable(model: AnalyzedModel, span: Span, { reporter }: Environment): boolean {
  const boxes = isUnusual(model) && model.network?.targets.find(isBoxes);
  if (!boxes) return true;
  reporter.report("NET3024", {
    message: `a table has no boxes, but model \`${model.name}\` has the target \`${boxes.name}\``,
    span,
    related: [{ span: boxes.origin.span, message: "the target" }],
    notes: ['`boxes("images", "labels")` gives one image and its boxes'],
  });
  return false;
}

/** Whether data give what a model needs; `checkTensors` reports where they do not. */
export function feedsTensors(model: AnalyzedModel, { splits }: DataDeclaration): boolean {
  const isOf = (kind: (name: string) => boolean) =>
    splits.every(({ source }) => kind(source.callee.name));
  return !isUnusual(model) || isOf((name) => name === "csv") || isOf(isTupleKind);
}

function checkOneTensor(model: AnalyzedModel, span: Span, { reporter }: Environment): boolean {
  const unfed = unfedBy(model);
  if (!unfed || !isUnusual(model)) return true;
  const tuples = Object.keys(TUPLE_INPUTS).filter(
    (kind) => isTupleKind(kind) && hasInputs(model, TUPLE_INPUTS[kind]),
  );
  reporter.report("NET3024", {
    message:
      "a data source gives one image and one label, " +
      `but model \`${model.name}\` has ${unfed.what}`,
    span,
    notes: [
      ...tuples.map((kind) => `\`${kind}(folder("..."))\` gives these inputs`),
      "`csv` reads rows of numbers for several inputs and targets: docs/guides/tables.md",
      "leave out the data, compile the model, and feed it arrays from JavaScript: " +
        `\`${unfed.call}\`, or \`fit\` with batches of them`,
    ],
  });
  return false;
}

const hasInputs = ({ inputs }: Ports, names: readonly string[]): boolean =>
  inputs.length === names.length &&
  names.every((name) => inputs.some((input) => input.name === name));

function reportOther(
  other: CallExpression,
  drawn: CallExpression,
  { reporter }: Environment,
): false {
  const { name } = drawn.callee;
  reporter.report("NET3024", {
    message: `one split is of \`${name}\`, and the other one gives single images`,
    span: other.span,
    related: [{ span: drawn.span, message: "several images for each example" }],
    notes: [`write \`${name}(...)\` around this source, too`],
  });
  return false;
}

/** The inputs by name, all of one shape, and a target that the source knows. */
function checkTuples(
  { callee, span }: CallExpression,
  model: AnalyzedModel,
  { reporter }: Environment,
): boolean {
  const kind = callee.name as TupleKind;
  const { inputs, network } = model;
  const names: readonly string[] = TUPLE_INPUTS[kind];
  if (!hasInputs(model, names)) {
    reporter.report("NET3024", {
      message:
        `\`${kind}\` gives the inputs ${listNames(names)}, but model \`${model.name}\` has ` +
        listNames(inputs.map(({ name }) => name)),
      span,
      related: inputs.slice(0, 1).map((input) => ({ span: input.span, message: "the inputs" })),
      notes: [`declare ${listNames(names.map((name) => `input ${name}`))}, all of one shape`],
    });
    return false;
  }
  const [first, ...others] = inputs as [Input, ...Input[]];
  const different = others.find(({ shape }) => String(shape) !== String(first.shape));
  if (different) {
    reporter.report("NET3024", {
      message: `\`${kind}\` gives pictures of one size, but the inputs differ`,
      span,
      related: [first, different].map(({ span: place, shape }) => {
        return { span: place, message: `[${["N", ...shape].join(", ")}]` };
      }),
    });
    return false;
  }
  if (!network) return true;
  const problem = targetProblem(kind, network.targets);
  if (problem === undefined) return true;
  const [target] = network.targets;
  reporter.report("NET3024", {
    message: problem,
    span,
    related: target ? [{ span: target.origin.span, message: "the target" }] : [],
    notes: [TARGET_NOTES[kind]],
  });
  return false;
}

/** Of a model that predicts something else than the embedding of the anchor. */
function warnOfNoRecall(
  { callee, span }: CallExpression,
  { network }: Ports,
  { reporter }: Environment,
): void {
  if (callee.name !== "triplets" || !network || embedsFirst(network)) return;
  const read = predictedInputs(network).map(({ name }) => name);
  reporter.report("NET3026", {
    message:
      `\`${RECALL_METRIC}\` is not measured: the model predicts ` +
      `${listNames(network.outputs.map(({ name }) => name))}, which depends on ${listNames(read)}`,
    span,
    related: network.outputs.slice(0, 1).flatMap(({ name, value }) => {
      const layer = value.from === "layer" ? network.layers[value.index] : undefined;
      return layer ? [{ span: layer.origin.span, message: `\`${name}\`` }] : [];
    }),
    notes: [
      "recall is that of embeddings of `anchor` alone: `from NAME`, as the last line before the " +
        "loss, chooses what a model without a loss of a target predicts",
    ],
  });
}

type Input = AnalyzedModel["inputs"][number];

const TARGET_NOTES = {
  triplets: "declare `target label: u32[N] in 0..10` for the class of the anchor, or no target",
  siamese: "declare `target same: f32[N, 1]`, or `target same: u32[N] in 0..2`",
} as const;

/** What is wrong with targets for such examples. */
function targetProblem(kind: TupleKind, targets: readonly NetworkPort[]): string | undefined {
  const [target, ...others] = targets;
  if (others.length > 0) return `\`${kind}\` gives one target, not ${targets.length}`;
  const { dtype, shape } = target?.type ?? {};
  if (kind === "triplets") {
    if (!target || (dtype === "u32" && shape!.length === 1)) return undefined;
    return `the target of \`triplets\` is a class, which \`${target.name}\` is not`;
  }
  if (!target) return "`siamese` says whether two pictures are of one class: no target holds it";
  const isNumber = dtype === "f32" && shape!.slice(1).every((size) => size === 1);
  if (isNumber && target.classes === undefined) return undefined;
  if (dtype === "u32" && shape!.length === 1 && (target.classes ?? 2) === 2) return undefined;
  return `\`siamese\` gives 1 for one class and 0 for two, which \`${target.name}\` cannot hold`;
}

/** `[tokens, channels]` or a single token: neither an image nor a row of a table. */
const isNoRow = ({ shape }: Ports["inputs"][number]) => shape.length === 2 || shape.length === 0;

/** A row of a table, of features, tokens or a signal. */
const isRow = ({ shape, isSignal }: Ports["inputs"][number]) =>
  shape.length === 1 || isSignal === true;

const isUnusual = ({ inputs: all, network }: Ports) => {
  const inputs = givenInputs({ inputs: all });
  return inputs.length > 1 || inputs.some(isNoRow) || (network?.targets.length ?? 0) > 1;
};
