import type { Fix } from "../diagnostics/diagnostic.js";
import { findLayer } from "../layers/index.js";
import { kindOf, type KnownLayer } from "../network/describe.js";
import type { NetworkValue } from "../network/resolved.js";
import type { Environment } from "../calls/environment.js";
import { shortNameOf, spanOf, type ScoreUse } from "./score-use.js";
import type { NamedValue } from "./values.js";

/** Layers that hand on the numbers that they receive. */
const PASSING = ["flatten", "reshape", "identity"];

/** The layer that made the numbers of a prediction, behind layers that only hand them on. */
function makerOf({ prediction, layers }: ScoreUse): KnownLayer | undefined {
  let maker = layers[prediction.current.index];
  while (maker && PASSING.includes(kindOf(maker))) maker = layerOf(maker.inputs[0]!, layers);
  return maker;
}

function layerOf({ from, index }: NetworkValue, layers: ScoreUse["layers"]) {
  return from === "layer" ? layers[index] : undefined;
}

/**
 * A loss that takes logits, after a layer that it applies itself or one that limits what logits can
 * be.
 */
export function warnOfActivation(use: ScoreUse, environment: Environment): void {
  const { applies } = use.definition;
  const maker = makerOf(use);
  if (applies === undefined || !maker) return;
  if (kindOf(maker) === applies) warnOfAppliedTwice(use, maker, environment);
  else warnOfRange(use, maker, environment);
}

function warnOfAppliedTwice(use: ScoreUse, maker: KnownLayer, { reporter }: Environment): void {
  const { definition, prediction } = use;
  const { name, applies } = definition;
  reporter.report("NET2010", {
    message:
      `\`${name}\` applies ${applies} itself, ` +
      `but \`${shortNameOf(prediction)}\` is already the output of \`${applies}\``,
    span: spanOf(use, "prediction"),
    label: "expected logits, not probabilities",
    related: [{ span: maker.origin.span, message: "probabilities from here on" }],
    notes: [
      `${applies} twice makes the gradients small: the network would learn slowly, if at all`,
    ],
    fixes: prediction.layer === applies ? removeFixes(prediction) : [],
  });
}

function warnOfRange(use: ScoreUse, maker: KnownLayer, { reporter }: Environment) {
  const kind = kindOf(maker);
  const { definition, prediction } = use;
  const range = findLayer(kind)?.range;
  if (!range) return;
  reporter.report("NET2061", {
    message:
      `\`${definition.name}\` takes logits of any size, ` +
      `but \`${kind}\` limits \`${shortNameOf(prediction)}\` to ${describeRange(range)}`,
    span: spanOf(use, "prediction"),
    label: `is the output of \`${kind}\``,
    related: [{ span: maker.origin.span, message: "limited from here on" }],
    notes: [consequenceOf(range, use)],
    fixes: prediction.layer === kind ? removeFixes(prediction) : [],
  });
}

function describeRange([least, largest]: readonly [number, number]): string {
  return largest === Infinity ? `${least} and above` : `${least}..${largest}`;
}

/** The arithmetic: which probabilities the loss can see. */
function consequenceOf([least, largest]: readonly [number, number], use: ScoreUse): string {
  if (use.definition.applies === "sigmoid") {
    const ends = [least, largest].map((logit) => percent(1 / (1 + Math.exp(-logit))));
    return `probabilities can only be ${ends[0]} to ${ends[1]}`;
  }
  const classes = Number(use.prediction.shape![1]);
  if (largest === Infinity)
    return "logits below 0 become 0 and get no gradient: such a class is never learned";
  const highest = 1 / (1 + (classes - 1) * Math.exp(least - largest));
  return `of ${classes} classes, none can get a probability above ${percent(highest)}`;
}

const percent = (share: number) => `${Math.round(100 * share)}%`;

/** Zeros among the logits themselves, instead of among the features that they are made of. */
export function warnOfDropout(use: ScoreUse, { reporter }: Environment): void {
  const { definition, prediction } = use;
  if (prediction.layer !== "dropout") return;
  reporter.report("NET2051", {
    message:
      `\`${definition.name}\` is taken of \`${shortNameOf(prediction)}\`, ` +
      "the output of a dropout",
    span: spanOf(use, "prediction"),
    label: "partly zeros in training",
    related: [{ span: prediction.span, message: "zeros come in here" }],
    notes: ["dropout belongs before the last linear layer, among the features that it reads"],
    fixes: removeFixes(prediction),
  });
}

/** Takes the layer away and hands its name to the one before it. */
function removeFixes({ call, alias, previous, layer }: NamedValue): readonly Fix[] {
  if (!call || !alias || !previous || previous.alias) return [];
  const span = { ...call.span, start: previous.span.end };
  return [{ title: `remove \`${layer}\``, edits: [{ span, newText: ` as ${alias.name}` }] }];
}
