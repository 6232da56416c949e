/** The text of a first spec, each choice with its reason. */
import { basename } from "node:path";
import { formatSpec } from "../format/index.js";
import type { Plan } from "./plan.js";
import { effortFor, type PretrainedNetwork } from "./pretrained.js";
import { type Survey, trainCount } from "./survey.js";

export interface SpecNames {
  /** An identifier with a capital letter. */
  readonly model: string;
  /** Paths of the splits as the spec writes them: from its own folder. */
  readonly train: string;
  readonly evaluation?: string;
}

/** Characters of a line of comments. */
const WIDTH = 96;

/** A comment in as many lines as it needs; nothing for an empty reason. */
function comment(why: string): string {
  const lines: string[] = [];
  for (const word of why.split(" ").filter((each) => each !== "")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > WIDTH) lines.push(`// ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** A spec in the canonical layout. */
export function specText(survey: Survey, plan: Plan, names: SpecNames): Promise<string> {
  const parts = [
    header(survey),
    constants(plan),
    model(survey, plan, names),
    data(plan, names, { train: plan.augmentation.value, evaluation: plan.evaluation }, NORMALIZE),
    recipe(plan, names),
  ];
  return formatSpec(parts.join("\n\n"));
}

const NORMALIZE = ["normalize(mean=mean, std=std)"];

/** A spec that starts from pretrained weights, in the canonical layout. */
export function pretrainedText(
  survey: Survey,
  plan: Plan,
  names: SpecNames & { readonly weights: string },
  network: PretrainedNetwork,
): Promise<string> {
  const { classWeights } = plan;
  const weights = classWeights ? `, class_weights=${numbers(classWeights.value)}` : "";
  const transforms = { train: network.train, evaluation: network.evaluation };
  const parts = [
    header(survey),
    comment(
      `${network.model} of specs/${network.name}.net for ${survey.classes.length} classes. ` +
        "Its authors trained it with this input size, mean and standard deviation.",
    ) + network.text.replace(LOSS, `$1${weights})`),
    data(
      { ...plan, augmentation: { ...plan.augmentation, why: "" } },
      { ...names, model: network.model },
      transforms,
      [],
    ),
    pretrainedRecipe(survey, plan, names.weights, network),
  ];
  return formatSpec(parts.join("\n\n"));
}

const LOSS = /(\bloss\s+cross_entropy\(logits, label)\)/;

function pretrainedRecipe(
  survey: Survey,
  { batch }: Plan,
  weights: string,
  network: PretrainedNetwork,
): string {
  const list = (names: readonly string[]) => `[${names.join(", ")}]`;
  const { epochs, minutes } = effortFor(trainCount(survey), network);
  const frozen = list(network.frozen);
  return `train Base of ${network.model} on Own {
    ${comment("The layer of the classes starts from initial values, for the new classes.")}\
weights = load("${weights}", except=${list(network.head)})
    ${comment(
      "The other layers stay as they are: few pictures would spoil them, and a backward pass " +
        "takes time. With some thousand pictures, train them, too, after some epochs: " +
        "`unfreeze = after(3 epochs, [...])` with `lr_factors = [(..., 0.1)]` for the same names.",
    )}freeze = ${frozen}
    ${comment(`About ${minutes} on two CPU cores; a GPU needs a small part of that.`)}\
epochs = ${epochs}
    batch = ${batch}
    optimizer = adamw(lr=0.001, weight_decay=0.01)
    schedule = cosine(to=0)
    seed = 1
  }`;
}

function header(survey: Survey): string {
  const noun = survey.kind === "table" ? "rows" : "pictures";
  const examples = trainCount(survey).toLocaleString("en-US");
  return comment(
    `Written by \`netc init\` for ${examples} ${noun} in ${survey.classes.length} classes ` +
      `(${basename(survey.train)}). Change what you like.`,
  ).trimEnd();
}

function constants({ mean, std }: Plan): string {
  return [
    comment(std.why).trimEnd(),
    `const mean = ${list(mean.map((value, at) => meanText(value, std.value[at]!)))}`,
    `const std = ${numbers(std.value)}`,
  ].join("\n");
}

const numbers = (values: readonly number[]) => list(values.map((value) => inDigits(value, 3)));

/**
 * A mean to a thousandth of the standard deviation at least: three digits of a mean of 1,000,003
 * would shift values that differ by 2 far away from 0.
 */
function meanText(mean: number, std: number): string {
  const magnitude = Math.ceil(Math.log10(Math.abs(mean) / std));
  return inDigits(mean, Number.isFinite(magnitude) ? clampDigits(3 + magnitude) : 3);
}

/** From three to those that f64 has. */
const clampDigits = (digits: number) => Math.min(15, Math.max(3, digits));

const inDigits = (value: number, digits: number) => String(Number(value.toPrecision(digits)));

/** One number stays as it is. */
const list = (texts: readonly string[]) =>
  texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;

function model(survey: Survey, plan: Plan, names: SpecNames): string {
  const { input, classWeights } = plan;
  const isTable = input.value.length === 1;
  const weights = classWeights ? `, class_weights=${numbers(classWeights.value)}` : "";
  return `model ${names.model}(classes: int = ${survey.classes.length}) {
    ${comment(input.why)}input ${isTable ? "x" : "image"}: f32[N, ${input.value.join(", ")}]
    target label: u32[N] in 0..classes

    ${isTable ? hiddenLayers(plan) : stages(plan)}

    ${comment(classWeights?.why ?? "")}loss cross_entropy(logits, label${weights})
    metric top1 = accuracy(logits, label)
  }`;
}

function stages({ widths, isStrided, dropout }: Plan): string {
  const [first, ...others] = widths.value;
  const stem = `conv(${first}, kernel=3, stride=2, padding=1, bias=false)${STAGE_END}\n`;
  return `${comment(widths.why)}features {
      ${isStrided ? stem : ""}for width in [${(isStrided ? others : widths.value).join(", ")}] {
        conv(width, kernel=3, padding=1, bias=false)${STAGE_END}
      }
    }
    classifier {
      global_avgpool -> flatten${dropoutLayer(dropout)} -> linear(classes) as logits
    }`;
}

const STAGE_END = " -> batchnorm -> relu -> maxpool(2)";

function hiddenLayers({ widths, dropout }: Plan): string {
  return `${comment(widths.why)}for width in [${widths.value.join(", ")}] {
      linear(width) -> relu${dropoutLayer(dropout)}
    }
    linear(classes) as logits`;
}

const dropoutLayer = (share: number) => (share === 0 ? "" : ` -> dropout(${share})`);

interface SplitTransforms {
  readonly train: readonly string[];
  readonly evaluation: readonly string[];
}

function data(
  plan: Plan,
  names: SpecNames,
  { train, evaluation }: SplitTransforms,
  last: readonly string[],
): string {
  const { holdout, augmentation } = plan;
  const after = (transforms: readonly string[]) => [...transforms, ...last].join(" -> ");
  const whys = [plan.source.why, holdout?.why ?? "", augmentation.why].map(comment).join("");
  return `data Own for ${names.model} {
    ${whys}train ${source(plan, names.train)} { ${after(train)} }
    eval ${source(plan, names.evaluation ?? names.train)} { ${after(evaluation)} }
  }`;
}

function source({ source: { name, arguments: others }, holdout }: Plan, path: string): string {
  const held = holdout ? [`holdout=${holdout.value}`] : [];
  return `${name}(${[`"${path}"`, ...others, ...held].join(", ")})`;
}

function recipe({ epochs, batch, learningRate }: Plan, { model }: SpecNames): string {
  return `train Base of ${model} on Own {
    ${comment(epochs.why)}epochs = ${epochs.value}
    batch = ${batch}
    optimizer = adamw(lr=${learningRate}, weight_decay=0.01)
    schedule = onecycle
    seed = 1
  }`;
}
