import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CallExpression, Expression } from "../../grammar/ast.js";
import { type Alias, aliasName } from "../../compiler/diagnostics/alias.js";
import { plainName } from "../../compiler/diagnostics/suggest.js";
import { absentLayers } from "../../compiler/layers/absent.js";
import { initializers } from "../../compiler/layers/initializers.js";
import { layers } from "../../compiler/layers/index.js";
import { absentArguments } from "../../compiler/calls/absent-arguments.js";
import { absentLosses, absentMetrics } from "../../compiler/semantics/absent-scores.js";
import { adviseArgument } from "../../compiler/calls/advise-argument.js";
import { argumentAliases } from "../../compiler/calls/argument-aliases.js";
import { applySafeFixes } from "../../compiler/semantics/fix-all.js";
import { functions } from "../../compiler/calls/functions.js";
import { analyze } from "../../compiler/semantics/index.js";
import { losses, metrics } from "../../compiler/layers/scores.js";
import { typeNames } from "../../compiler/semantics/parameters.js";
import { optimizers } from "../../compiler/semantics/recipes/optimizers.js";
import {
  averages,
  bests,
  loads,
  precisions,
  stops,
} from "../../compiler/semantics/recipes/policies.js";
import { schedules } from "../../compiler/semantics/recipes/schedules.js";
import { trainSettings } from "../../compiler/semantics/recipes/settings.js";
import { sources } from "../../compiler/semantics/recipes/sources.js";
import { stages } from "../../compiler/semantics/recipes/stages.js";
import { transforms } from "../../compiler/semantics/recipes/transforms.js";
import type { Signature } from "../../compiler/calls/signature.js";
import {
  type AbsentNames,
  type Advice,
  adviseCall,
  type Named,
} from "../../compiler/calls/suggestion.js";

/**
 * NETC_UPDATE_GOLDEN=1 writes what each alias gives: every line of the difference is a decision to
 * be checked.
 */
const update = process.env["NETC_UPDATE_GOLDEN"] === "1";
const golden = join(import.meta.dirname, "aliases.txt");

interface Registry {
  readonly noun: string;
  readonly known: readonly (Named & Partial<Signature>)[];
  readonly absent?: AbsentNames;
}

const registries: readonly Registry[] = [
  { noun: "layer", known: layers, absent: absentLayers },
  { noun: "initializer", known: initializers },
  { noun: "loss", known: losses, absent: absentLosses },
  { noun: "metric", known: metrics, absent: absentMetrics },
  { noun: "function", known: functions },
  { noun: "type", known: typeNames },
  { noun: "setting", known: trainSettings },
  ...[
    optimizers,
    schedules,
    sources,
    transforms,
    stages,
    averages,
    stops,
    bests,
    precisions,
    loads,
  ].map(({ noun, definitions, absent }) => ({ noun, known: definitions, absent })),
];

const PLACE = { offset: 0, line: 1, column: 1 };
const span = { file: "a.net", start: PLACE, end: PLACE };

/** A call without arguments, or with some whose values do not matter. */
function callOf(name: string, given: readonly string[] = []): CallExpression {
  const identifier = (text: string) => ({ kind: "identifier", name: text, span }) as const;
  const value: Expression = { kind: "number", value: 0.5, isInteger: false, span };
  return {
    kind: "call",
    callee: identifier(name),
    arguments: given.map((each) => ({ name: identifier(each), value, span })),
    hasParentheses: true,
    span,
  };
}

function describeAdvice({ fixes, notes }: Advice): string {
  const [fix] = fixes;
  const written = fix?.title.replace(/^write /, "").replace(", which differs", "");
  if (!fix) return notes.join("; ");
  return fix.isCertain ? `= ${written}` : `~ ${written}: ${notes.join("; ")}`;
}

/**
 * `layer Conv2D`, and `= conv` where a fix may write it, `~ conv: difference` where it is offered.
 */
function linesOf({ noun, ...vocabulary }: Registry): readonly string[] {
  return vocabulary.known.flatMap(({ aliases }) =>
    aliases.map((alias: Alias) => {
      const given = typeof alias === "string" ? [] : (alias.given ?? []).slice(0, 1);
      const call = callOf(aliasName(alias), given);
      const advice = adviseCall(call, { ...vocabulary, otherwise: ["unknown"] });
      const text = given.length > 0 ? `${aliasName(alias)}(${given[0]}=)` : aliasName(alias);
      return `${noun} ${text} ${describeAdvice(advice)}`;
    }),
  );
}

/**
 * What has the argument: the calls that the alias is for, or the first with an argument of that
 * name.
 */
function signatureWith(argument: string, of: readonly string[] | undefined): Signature {
  const all = registries.flatMap(({ known }) => known.filter((each) => each.arguments));
  const found = all.find(({ name, arguments: own = {} }) => {
    return Object.hasOwn(own, argument) && (!of || of.includes(name));
  });
  if (!found) throw new Error(`nothing has an argument ${argument}`);
  return found as Signature;
}

function argumentLines(): readonly string[] {
  return Object.entries(argumentAliases).flatMap(([argument, aliases]) =>
    aliases.map((each) => {
      const { name, of } = typeof each === "string" ? { name: each } : each;
      const signature = signatureWith(argument, of);
      const [given] = callOf(signature.name, [name]).arguments;
      return (
        `argument ${signature.name}(${name}=0.5) ` +
        `${describeAdvice(adviseArgument(given!, signature))}`
      );
    }),
  );
}

test("every alias means the same, is translated, or says what differs", () => {
  const text = `${[...registries.flatMap(linesOf), ...argumentLines()].join("\n")}\n`;
  if (update) writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, "utf8"));
  for (const line of text.trim().split("\n")) {
    expect(line, "offered without a word on what differs").toMatch(/ = `|: \S/);
  }
});

describe("a name that netc does not have", () => {
  const withAbsent = registries.filter(({ absent }) => absent);
  test.each(withAbsent)("is not the name of a $noun as well", ({ known, absent }) => {
    const words = known.flatMap(({ name, aliases }) => [name, ...aliases.map(aliasName)]);
    const plain = new Set(words.map(plainName));
    expect(Object.keys(absent!).filter((name) => plain.has(name))).toEqual([]);
    expect(Object.keys(absent!).filter((name) => name !== plainName(name))).toEqual([]);
  });

  test("is not an argument's either", () => {
    expect(Object.keys(absentArguments).filter((name) => name !== plainName(name))).toEqual([]);
  });

  const byNoun = (noun: string) => registries.find((each) => each.noun === noun)!;
  const absent: readonly (readonly [string, string])[] = [
    ...["sub", "gmp", "swiglu", "conv3d", "rearrange", "einsum", "embeddingbag"].map(
      (name) => ["layer", name] as const,
    ),
    ...["dropblock", "rrelu", "Dropout3d", "Lambda", "TransformerEncoder", "LSTM"].map(
      (name) => ["layer", name] as const,
    ),
    ["optimizer", "adafactor"],
    ["transform", "ToTensor"],
    ["schedule", "LambdaLR"],
    ["loss", "huber_loss"],
    ["metric", "f1"],
  ];

  test.each(absent)("%s %s gets a sentence, and no other name", (noun, name) => {
    const advice = adviseCall(callOf(name), { ...byNoun(noun), otherwise: ["the list"] });
    expect(advice.question).toBe("");
    expect(advice.fixes).toEqual([]);
    expect(advice.notes).toHaveLength(1);
    expect(advice.notes).not.toEqual(["the list"]);
  });

  test.each(["floof", "convolute", "nope"])(
    "and is not known elsewhere gets the list: %s",
    (name) => {
      const advice = adviseCall(callOf(name), { ...byNoun("layer"), otherwise: ["the list"] });
      expect(advice).toEqual({ question: "", notes: ["the list"], fixes: [] });
    },
  );
});

// Whole specs

const inModel = (chain: string) =>
  `model M {\n  input image: f32[N, 3, 16, 16]\n  ${chain} -> flatten -> linear(10)\n}\n`;

function fixed(chain: string): string {
  const { text } = applySafeFixes(inModel(chain), "a.net", (changed) => analyze(changed, "a.net"));
  return text.split("\n")[2]!.trim().replace(" -> flatten -> linear(10)", "");
}

describe("--fix", () => {
  test.each([
    ["Upsample(32)", "upsample(size=32)"],
    ["Upsample(scale_factor=2)", "upsample(scale=2)"],
    ["UpSampling2D(2)", "upsample(2)"],
    ["UpSampling2D(size=2)", "upsample(scale=2)"],
    ["UpSampling2D", "upsample(scale=2)"],
    ["UpsamplingBilinear2d(32)", "upsample(size=32, mode=bilinear, align_corners=true)"],
    ["ZeroPad2d([3, 0, 1, 2])", "pad([1, 2, 3, 0])"],
    ["ZeroPad2d((3, 0, 1, 2))", "pad([1, 2, 3, 0])"],
    ["ZeroPad2d(padding=(3, 0, 1, 2))", "pad(size=[1, 2, 3, 0])"],
    ["ZeroPad2d(2)", "pad(2)"],
    ["ZeroPadding2D(((1, 2), (3, 4)))", "pad([1, 2, 3, 4])"],
    ["ZeroPadding2D", "pad(size=1)"],
    ["BatchNorm2d", "batchnorm"],
    ["BatchNormalization", "batchnorm(momentum=0.01, eps=1e-3)"],
    ["BatchNormalization()", "batchnorm(momentum=0.01, eps=1e-3)"],
    ["BatchNormalization(momentum=0.9)", "batchnorm(momentum=0.1, eps=1e-3)"],
    ["BatchNormalization(epsilon=1e-5) as norm", "batchnorm(eps=1e-5, momentum=0.01) as norm"],
    ["Conv2D(8, 3)", "conv(8, 3, init=xavier, bias_init=constant(0))"],
    ["Conv2d(8, kernel_size=3)", "conv(8, kernel=3)"],
    ["MaxPool2d(2, 2)", "maxpool(2, 2)"],
    ["LeakyReLU(negative_slope=0.2)", "leaky_relu(slope=0.2)"],
    ["LRN(depth_radius=2, alpha=1e-4)", "lrn(size=5, alpha=1e-4)"],
    ["conv(8, kernel=3, pads=[0, 1, 2, 3])", "conv(8, kernel=3, padding=[0, 2, 1, 3])"],
    ["dropout(keep_prob=0.8)", "dropout(rate=0.2)"],
    [
      "conv(8, kernel=3, init=kaiming_uniform)",
      "conv(8, kernel=3, init=kaiming(distribution=uniform))",
    ],
    [
      "conv(8, kernel=3, init=normal_(0, 0.01))",
      "conv(8, kernel=3, init=normal(mean=0, std=0.01))",
    ],
  ])("writes %s as %s", (written, meant) => {
    expect(fixed(written)).toBe(meant);
  });

  test.each([
    // With a typing error in another framework's name.
    ...["Upsampel(2)", "BatchNormalizaton"],
    ...["LeakyReLU", "Lambda", "Pooling(2)", "Resize(32)", "Pad([1, 2, 3, 4])", "HardSigmoid"],
    ...["Convolution(8, 3)", "Reshape([3, 16, 16])", "BatchNorm", "MaxPool(2)", "view", "gate"],
    ...["local_response_normalization", "conv(8, kernel=3, pads=sides)"],
  ])("leaves %s as it is", (written) => {
    expect(fixed(written)).toBe(written);
  });
});

describe("a translated call computes what the other framework's does", () => {
  const attributesOf = (chain: string) => {
    const { models } = analyze(inModel(fixed(chain)), "a.net");
    return models[0]!.graph!.nodes[0]!.attributes;
  };

  test("Upsample(32) gives 32 rows", () => {
    expect(attributesOf("Upsample(32)")).toMatchObject({ outputSize: [32, 32] });
  });

  test("ZeroPad2d([3, 0, 0, 0]) pads at the left", () => {
    const padding = { top: 0, bottom: 0, left: 3, right: 0 };
    expect(attributesOf("ZeroPad2d([3, 0, 0, 0])")).toMatchObject({ padding });
  });

  test("BatchNormalization moves by 1 - momentum", () => {
    expect(attributesOf("BatchNormalization(momentum=0.97)")).toMatchObject({ momentum: 0.03 });
  });
});

const recipe = (optimizer: string, schedule = "cosine") => `
model M {
  input image: f32[N, 3, 16, 16]
  target label: u32[N] in 0..10
  flatten -> linear(10) as logits
  loss cross_entropy(logits, label)
}
train T of M {
  epochs = 2
  batch = 4
  optimizer = ${optimizer}
  schedule = ${schedule}
}
`;

describe("--fix of recipes", () => {
  const lineOf = (text: string, setting: string) =>
    applySafeFixes(text, "a.net", (changed) => analyze(changed, "a.net"))
      .text.split("\n")
      .find((line) => line.includes(`${setting} =`))!
      .split(" = ")[1];

  test.each([
    ["SGD(lr=0.1, momentum=0.9)", "sgd(lr=0.1, momentum=0.9)"],
    ["SGD(learning_rate=0.1)", "sgd(lr=0.1, convention=caffe)"],
    ["SGD(learning_rate=0.1, weight_decay=1e-4)", "SGD(learning_rate=0.1, weight_decay=1e-4)"],
    ["Adam(lr=1e-3)", "adam(lr=1e-3)"],
    ["Adam(learning_rate=1e-3)", "Adam(learning_rate=1e-3)"],
    ["Adam", "Adam"],
    ["adamw(learning_rate=1e-3)", "adamw(lr=1e-3)"],
    ["Nadam(lr=1e-3)", "nadam(lr=1e-3)"],
  ])("%s", (written, meant) => {
    expect(lineOf(recipe(written), "optimizer")).toBe(meant);
  });

  test.each([
    ["CosineAnnealingLR", "CosineAnnealingLR"],
    ["cosine(eta_min=1e-5)", "cosine(eta_min=1e-5)"],
    ["onecycle(div_factor=10)", "onecycle(from=0.1)"],
    ["warmup(1 epochs, start_factor=0.1) -> cos", "warmup(1 epochs, from=0.1) -> cosine"],
  ])("%s", (written, meant) => {
    expect(lineOf(recipe("adam", written), "schedule")).toBe(meant);
  });
});

test("the formula that huber is answered with is right", () => {
  const [definition, loss] = [...absentLosses["huber"]!.matchAll(/`([^`]+)`/g)].map(
    ([, code]) => code!,
  );
  const text = `${definition}
model Line {
  input  x: f32[N, 8]
  target y: f32[N, 3]
  linear(3) as out
  ${loss}
}
`;
  expect(analyze(text, "line.net").diagnostics).toEqual([]);
});
