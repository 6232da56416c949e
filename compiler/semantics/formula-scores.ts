/** `loss mean((output - wanted)^2)`: scores that a spec says as a formula. */
import type { CallExpression, Expression as Syntax, Span } from "../../grammar/ast.js";
import type { Environment } from "../calls/environment.js";
import { leaves } from "../ir/expression-transform.js";
import { sameShape, spaceOf, type Shape } from "../ir/shape.js";
import { operand, type Expression } from "../ir/expression.js";
import { formulaScore } from "../layers/scores.js";
import { warnOfDropout } from "./applied-twice.js";
import { type FormulaNames, readFormula, readsLayers } from "./formula-reader.js";
import { checkIgnoredLabel } from "./label-scores.js";
import { type FormulaHost, readUnnamed } from "./lets.js";
import { type Current, type Place, valueOf } from "./place.js";
import { isOfNoNumbers } from "./score-classes.js";
import type { ScoreKind, ScoreUse } from "./score-use.js";
import {
  findPrediction,
  findTarget,
  type GivenName,
  markPrediction,
  markTarget,
  type Score,
  type ScoreModel,
  valuesNamed,
} from "./scores.js";
import { Trail } from "./trail.js";
import { isDense } from "../network/facts.js";
import { checkValueScore } from "./value-scores.js";
import type { NamedValue, Target } from "./values.js";

/** Where a formula's functions are declared, and the network whose values it reads. */
export interface FormulaSource {
  readonly host: FormulaHost;
  readonly place: Place;
}

/** What a formula compares, and where it names them first. */
interface Compared {
  prediction?: { readonly value: NamedValue; readonly span: Span };
  target?: { readonly value: Target; readonly span: Span };
}

export const isFormulaScore = ({ callee }: CallExpression): boolean =>
  callee.name === formulaScore.name;

/** The mean of a formula over an example's elements; undefined after a report. */
export function readFormulaScore(
  call: CallExpression,
  kind: ScoreKind,
  model: ScoreModel,
  environment: Environment,
  source: FormulaSource,
): Score | undefined {
  const syntax = onlyArgument(call, environment);
  if (syntax && isOfValuesAlone(syntax, model, environment)) {
    return readValueScore(syntax, model, environment, source);
  }
  if (syntax && needsLayers(syntax, model, source)) {
    return readJoinedScore(syntax, model, environment, source);
  }
  const compared: Compared = {};
  const names = namesOf(compared, model, environment, source);
  const expression = syntax && readFormula(syntax, names);
  if (!expression || !syntax) return undefined;
  const { prediction, target } = compared;
  if (!prediction || !target || !readsBoth(expression)) {
    return reportOneSided(syntax, environment);
  }
  if (!prediction.value.shape) return undefined;
  const spans = new Map([
    ["prediction", prediction.span],
    ["target", target.span],
  ]);
  const { complaints, layers, ignored } = model;
  const use: ScoreUse = {
    call,
    kind,
    definition: formulaScore,
    bound: { values: {}, spans },
    prediction: prediction.value,
    target: target.value,
    complaints,
    ignored,
    layers,
  };
  if (!checkValueScore(use, environment)) return undefined;
  if (kind === "loss") warnOfDropout(use, environment);
  return {
    definition: formulaScore,
    values: { expression },
    prediction: valueOf(prediction.value.current),
    target: target.value.value,
  };
}

/**
 * Whether a formula names values of the network only: several, or parts of one. One value compared
 * with an input is a score of both, as with a target. A name that means nothing is reported there.
 */
function isOfValuesAlone(syntax: Syntax, model: ScoreModel, { scope }: Environment): boolean {
  const names = [...new Set(namesIn(syntax))].filter((name) => !scope.has(name));
  const isIn = (ports: ScoreModel["targets"], name: string) =>
    ports.some((port) => port.name === name);
  const values = names.filter((name) => valuesNamed(name, model).length === 1);
  const inputs = names.filter((name) => isIn(model.inputs, name) && !values.includes(name));
  const areKnown = values.length + inputs.length === names.length;
  if (!areKnown || names.some((name) => isIn(model.targets, name))) return false;
  return inputs.length === 0 ? values.length > 0 : values.length !== 1;
}

/** What a formula names of the network and of its targets, each once. */
function namedIn(syntax: Syntax, model: ScoreModel) {
  const names = [...new Set(namesIn(syntax))];
  return {
    values: names.flatMap((name) => {
      const [value, ...others] = valuesNamed(name, model);
      return value && others.length === 0 ? [value] : [];
    }),
    targets: model.targets.filter(({ name }) => names.includes(name)),
  };
}

/** Whether more is read than each element of one value and one target of numbers. */
function needsLayers(syntax: Syntax, model: ScoreModel, { place }: FormulaSource): boolean {
  const { values, targets } = namedIn(syntax, model);
  if (targets.length === 0) return false;
  const isValue = (name: string) =>
    valuesNamed(name, model).length > 0 || targets.some((each) => each.name === name);
  return (
    values.length > 1 ||
    targets.length > 1 ||
    isOfNoNumbers(targets[0]!) ||
    readsLayers(syntax, { isValue, module: place.module })
  );
}

/** The mean of a formula of values and targets, for which there are layers. */
function readJoinedScore(
  syntax: Syntax,
  model: ScoreModel,
  environment: Environment,
  { host, place }: FormulaSource,
): Score | undefined {
  const { values, targets } = namedIn(syntax, model);
  if (values.length === 0) return reportOneSided(syntax, environment);
  const sums: CallExpression[] = [];
  const current = readUnnamed(host, syntax, place, {
    isTarget: (name) => targets.some((each) => each.name === name),
    targetOf: (name, span) => targetNamed({ name, span }, model, environment),
    checkOneHot: ({ call, ignore, spans }, target) => {
      const { ignored } = model;
      const classes = target.range!.classes;
      return checkIgnoredLabel({ call, ignore, spans, target, classes, ignored }, environment);
    },
    countsIgnored: (call) => sums.push(call),
  });
  if (!current?.shape) return undefined;
  const masks = targets.filter(({ type }) => isDense(type));
  model.pixelSums.push(...masks.flatMap((mask) => sums.map((call) => ({ call, mask }))));
  const [mask, ...others] = masks.filter(({ type }) => isOfPlaces(current.shape!, type.shape));
  if (others[0]) return reportMasks([mask!, others[0]], syntax, environment);
  const made = values.filter(({ layer }) => layer !== "input");
  const [prediction] = made.length === 1 ? made : [];
  const compares = {
    prediction: prediction && valueOf(prediction.current),
    targets: targets.map(({ value }) => value),
  };
  return {
    definition: formulaScore,
    values: { expression: operand(0), classes: mask?.range?.classes },
    prediction: valueOf(current),
    target: mask?.value,
    compares,
  };
}

/** Whether a value has the pixels of a mask, or the tokens of a target with a class for each. */
const isOfPlaces = (shape: Shape, labels: Shape): boolean =>
  shape.length === labels.length + 1 && sameShape(spaceOf(shape), labels.slice(1));

function targetNamed(
  { name, span }: GivenName,
  model: ScoreModel,
  environment: Environment,
): Current | undefined {
  if (valuesNamed(name, model).length > 0) return reportBoth(name, span, environment);
  const target = findTarget({ name, span }, model, environment);
  if (!target) return undefined;
  markTarget({ name, span }, target, environment);
  if (target.isGuess) return undefined;
  const { shape } = target.type;
  const trail = Trail.from({ shape, span: target.span });
  return { index: target.value.index, target, shape, trail, call: undefined };
}

/** Names in a formula that may be values: not of functions, nor of their arguments. */
function namesIn(syntax: Syntax): readonly string[] {
  switch (syntax.kind) {
    case "name":
      return [syntax.name];
    case "pattern":
      return [syntax.segments.join(".")];
    case "unary":
      return namesIn(syntax.operand);
    case "binary":
      return [...namesIn(syntax.left), ...namesIn(syntax.right)];
    case "call":
      return syntax.arguments.flatMap(({ name, value }) =>
        name?.name === "over" ? [] : namesIn(value),
      );
    default:
      return [];
  }
}

/** The mean of a value, or of a formula of several, for which there is another layer. */
function readValueScore(
  syntax: Syntax,
  model: ScoreModel,
  environment: Environment,
  { host, place }: FormulaSource,
): Score | undefined {
  const given = nameOf(syntax);
  const named = given && findPrediction(given, model, environment);
  if (given && named) markPrediction(given, named, environment);
  const current = given ? named?.current : readUnnamed(host, syntax, place);
  if (!current?.shape) return undefined;
  const values = { expression: operand(0) };
  return { definition: formulaScore, values, prediction: valueOf(current) };
}

function nameOf(syntax: Syntax): GivenName | undefined {
  const [name] = syntax.kind === "name" || syntax.kind === "pattern" ? namesIn(syntax) : [];
  return name === undefined ? undefined : { name, span: syntax.span };
}

const readsBoth = (expression: Expression) =>
  [0, 1].every((index) => leaves(expression).some((leaf) => leaf.index === index));

function onlyArgument(call: CallExpression, { reporter }: Environment): Syntax | undefined {
  const [argument, ...more] = call.arguments;
  if (argument && more.length === 0 && !argument.name) return argument.value;
  return reporter.report("NET1040", {
    message: "`mean` takes one formula, of the network's values and a target",
    span: call.span,
    notes: ["for instance `mean((output - target)^2)`"],
  });
}

/** The network's output is operand 0, the target operand 1. */
function namesOf(
  compared: Compared,
  model: ScoreModel,
  environment: Environment,
  { host, place }: FormulaSource,
): FormulaNames {
  const isTarget = (name: string) =>
    [...model.targets, ...model.inputs].some((each) => each.name === name);
  const isPrediction = (name: string) => valuesNamed(name, model).length > 0;
  return {
    environment,
    module: place.module,
    within: [],
    uses: { count: 0 },
    use: (declared) => host.modules.use(declared),
    isValue: (name) => isTarget(name) || isPrediction(name),
    valueOf(name, span) {
      if (isTarget(name) && isPrediction(name)) return reportBoth(name, span, environment);
      return isTarget(name)
        ? takeTarget(compared, { name, span }, model, environment)
        : takePrediction(compared, { name, span }, model, environment);
    },
  };
}

function takePrediction(
  compared: Compared,
  given: GivenName,
  model: ScoreModel,
  environment: Environment,
): Expression | undefined {
  const value = findPrediction(given, model, environment);
  if (!value) return undefined;
  const known = compared.prediction?.value;
  if (known && known.name !== value.name) {
    return reportSeveral([known.name, value.name], given.span, environment);
  }
  markPrediction(given, value, environment);
  compared.prediction ??= { value, span: given.span };
  return operand(0);
}

function takeTarget(
  compared: Compared,
  given: GivenName,
  model: ScoreModel,
  environment: Environment,
): Expression | undefined {
  const value = findTarget(given, model, environment);
  if (!value) return undefined;
  const known = compared.target?.value;
  if (known && known.name !== value.name) {
    return reportSeveral([known.name, value.name], given.span, environment);
  }
  markTarget(given, value, environment);
  compared.target ??= { value, span: given.span };
  return operand(1);
}

function reportBoth(name: string, span: Span, { reporter }: Environment): undefined {
  return reporter.report("NET1040", {
    message: `\`${name}\` is both a value of the network and a target`,
    span,
    notes: ["give the value another name behind `as`"],
  });
}

function reportMasks(
  [first, second]: readonly [Target, Target],
  { span }: Syntax,
  { reporter }: Environment,
): undefined {
  return reporter.report("NET1040", {
    message:
      `a formula is a mean over the pixels of one mask, ` +
      `not of \`${first.name}\` and \`${second.name}\``,
    span,
    notes: ["scores of several targets are added: `mean(...) + mean(...)`"],
  });
}

function reportSeveral(
  [first, second]: readonly [string, string],
  span: Span,
  { reporter }: Environment,
): undefined {
  return reporter.report("NET1040", {
    message: `a score compares one value with one target, not \`${first}\` and \`${second}\``,
    span,
    notes: [
      "values are joined before: `let both = a - b`; " +
        "scores of several targets are added: `mean(...) + mean(...)`",
    ],
  });
}

function reportOneSided({ span }: Syntax, { reporter }: Environment): undefined {
  return reporter.report("NET1040", {
    message: "the formula of a score needs a value of the network",
    span,
    notes: ["for instance `mean((output - target)^2)`, or of values alone, `mean((a - b)^2)`"],
  });
}
