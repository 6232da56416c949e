import type { InsideProgram } from "../../program/inside.js";
import type { Program, ProgramTensor } from "../../program/program.js";
import { tensorsOf } from "../../program/tensors.js";
import type { TrainRecipe } from "../../program/recipe.js";
import { blockComment, lineComment, literal, typeName } from "./text.js";

export interface DeclarationOptions {
  /** The model's comment in the spec. */
  readonly documentation?: string | undefined;
  /** Of a module that is seen inside. */
  readonly inside?: InsideProgram | undefined;
  /** Inputs whose numbers the module standardizes. */
  readonly standardized?: readonly string[];
}

/**
 * The module's types: names of parameters and metrics as literal unions, so that a misspelled one
 * does not compile.
 */
export function emitDeclarations(
  program: Program,
  recipe: TrainRecipe | undefined,
  { documentation, inside, standardized = [] }: DeclarationOptions,
): string {
  if (program.predictOnly) {
    return predictionDeclarations(program, { documentation, standardized });
  }
  const { model, source } = program;
  const [inputs, targets] = [describeInputs(program), describeTargets(program)];
  const outputs = describeOutputs(program);
  const { classes } = program;
  const predicted = describePredicted(program);
  const named = classes ? [`${model}Class`] : predicted ? ["string"] : [];
  const output = outputs ?? (named.length > 0 ? "Float32Array" : undefined);
  const last = [...(output ? [output] : []), ...named, ...(predicted ? [predicted] : [])];
  const input = inputs.type ?? (last.length > 0 ? "Images" : undefined);
  const others = input ? [input, ...last] : [];
  const types = [`${model}Metric`, `${model}Parameter`, targets.type, ...others];
  const standardizes = standardized.length > 0;
  const trained = recipe ? ["TrainRecipe"] : [];
  const imports = [
    ...([others[0], predicted].includes("Images") ? ["Images"] : []),
    ...(targets.type.includes("ClassLabels") ? ["ClassLabels"] : []),
    ...(targets.type.startsWith("Labels") ? ["Labels"] : []),
    ...(inside ? ["ImportInside", "Inspectable"] : []),
    ...["Network", "NetworkOptions", "Program"],
    ...[...(standardizes ? ["Standardizing"] : []), ...trained],
  ];
  const type = typeName(model);
  const parts = [
    `Network<${types.join(", ")}>`,
    ...(inside ? [insideType(program, input)] : []),
    ...(standardizes ? ["Standardizing"] : []),
  ];
  return [
    lineComment(`${model}, compiled by netc from ${source.file}.`),
    `import type { ${imports.join(", ")} } from "netc/runtime";`,
    "",
    ...describeNames(program),
    ...(classes ? describeClasses(model, classes) : []),
    ...(inside ? describeInside(model, inside) : []),
    `export type ${type} = ${parts.join(" & ")};`,
    "",
    ...blockComment([
      ...(documentation ? [documentation, ""] : []),
      `Creates the network on a GPU. ${inputs.words}${targets.words}.`,
      ...standardizedWords(standardized),
    ]),
    `export declare function create${model}(options?: NetworkOptions): Promise<${type}>;`,
    "",
    ...(inside ? IMPORT_INSIDE : []),
    ...(standardizes ? STANDARDIZED : []),
    "/** The compiled programs, one for each kind of adapter. */",
    "export declare const programs: readonly Program[];",
    ...(recipe ? RECIPE : []),
    "",
  ].join("\n");
}

/** Names that a network's calls take and return. */
function describeNames({ model, metrics, parameters }: Program): readonly string[] {
  return [
    "/** Names of the parameters, as `read` and `write` take them. */",
    `export type ${model}Parameter =\n  | ${unionOf(parameters.map(({ name }) => name))};`,
    "",
    "/** What `step` and `evaluate` return. */",
    `export type ${model}Metric =\n  | ${unionOf(metrics)};`,
    "",
  ];
}

/** The types of a module that only predicts. */
function predictionDeclarations(
  program: Program,
  { documentation, standardized = [] }: DeclarationOptions,
): string {
  const { model, parameters, source, classes } = program;
  const inputs = describeInputs(program);
  const last = classes ? [`${model}Class`] : [];
  const others = [inputs.type ?? "Images", describeOutputs(program) ?? "Float32Array", ...last];
  const types = [`${model}Parameter`, ...others];
  const type = typeName(model);
  const imports = [
    ...(inputs.type ? [] : ["Images"]),
    ...["Predictor", "PredictorOptions", "Program"],
    ...(standardized.length > 0 ? ["Standardizing"] : []),
  ];
  return [
    lineComment(`${model}, compiled by netc from ${source.file} to predict only.`),
    `import type { ${imports.join(", ")} } from "netc/runtime/predict";`,
    "",
    "/** Names of the parameters. */",
    `export type ${model}Parameter =\n  | ${unionOf(parameters.map(({ name }) => name))};`,
    "",
    ...(classes ? describeClasses(model, classes) : []),
    `export type ${type} = Predictor<${types.join(", ")}>${
      standardized.length > 0 ? " & Standardizing" : ""
    };`,
    "",
    ...blockComment([
      ...(documentation ? [documentation, ""] : []),
      `Creates the network on a GPU, for predictions. ${inputs.words}.`,
      ...standardizedWords(standardized),
    ]),
    `export declare function create${model}(options?: PredictorOptions): Promise<${type}>;`,
    "",
    "/** The compiled programs, one for each kind of adapter. */",
    "export declare const programs: readonly Program[];",
    "",
  ].join("\n");
}

const unionOf = (names: readonly string[]): string =>
  names.length > 0 ? names.map((name) => literal(name)).join("\n  | ") : "never";

/** What the numbers of a table come as. */
const standardizedWords = (names: readonly string[]): readonly string[] =>
  names.length === 0
    ? []
    : [
        `Numbers of ${names.map((name) => `\`${name}\``).join(", ")} are as in the table: the ` +
          "network standardizes them, by what the loaded weights say.",
      ];

const RECIPE = [
  "",
  "/** The spec's training recipe, for `fit`. */",
  "export declare const recipe: TrainRecipe;",
];

const STANDARDIZED = [
  "/** Inputs whose numbers are standardized, for `inWorker`. */",
  "export declare const standardized: readonly string[];",
  "",
];

const IMPORT_INSIDE = [
  "/** Loads what `activations` and `attribution` need, for `inWorker`. */",
  "export declare const importInside: ImportInside;",
  "",
];

/** The names of layers, as types. */
function describeInside(model: string, { program, layers }: InsideProgram): readonly string[] {
  const isMapped = ({ attribution }: InsideProgram["layers"][number]) =>
    attribution !== undefined && program.tensors[attribution[0]]!.shape.length === 3;
  const mapped = layers.filter(isMapped);
  return [
    "/** Names of the layers, as `activations` takes them. */",
    `export type ${model}Layer =\n  | ${unionOf(layers.map(({ name }) => name))};`,
    "",
    "/** Those of them that Grad-CAM can map: `attribution` takes these. */",
    `export type ${model}MappedLayer =\n  | ${unionOf(mapped.map(({ name }) => name))};`,
    "",
  ];
}

function insideType({ model, classes }: Program, input: string | undefined): string {
  const names = `${model}Layer, ${model}MappedLayer, ${classes ? `${model}Class` : "string"}`;
  return input && input !== "Images" ? `Inspectable<${names}, ${input}>` : `Inspectable<${names}>`;
}

/** The names of classes, as types. */
function describeClasses(model: string, classes: readonly string[]): readonly string[] {
  const names = [...new Set(classes)].map((name) => literal(name));
  return [
    "/** Names of the classes, as `classify` gives them. */",
    `export type ${model}Class =\n  | ${names.join("\n  | ")};`,
    "",
    "/** The names in the order of the network's outputs. */",
    `export declare const classes: readonly ${model}Class[];`,
    "",
  ];
}

/** A type as documentation puts it. */
interface Described {
  readonly type: string;
  readonly words: string;
}

/** What `step` takes as inputs; the type is left out where it is that of one input. */
function describeInputs(program: Program): Partial<Described> & Pick<Described, "words"> {
  const inputs = tensorsOf(program, "input");
  const noise = tensorsOf(program, "noise").map(noiseWords);
  const [first, ...others] = inputs;
  const isSingle = others.length === 0 && first?.dtype === "f32";
  const given = isSingle ? [singleWords(first)] : [inputs.map(inputWords).join(", ")];
  const words = [...(first ? given : []), ...noise].join("; ");
  if (!first || isSingle) return { words };
  return { type: others.length === 0 ? TOKENS : record(inputs, typeOfInput), words };
}

/** Of the one input, by what it holds rather than by its name. */
function singleWords(tensor: ProgramTensor): string {
  const { shape, isSignal, sizes, distribution } = tensor;
  const size = sizeOf(tensor);
  // In a module that only predicts, noise is an input.
  if (distribution) return noiseWords(tensor);
  if (sizes) return `Values are ${size}, in row-major order`;
  if (isSignal) return `Signals are ${size}, one channel after the other`;
  if (shape.length === 1) return `Rows are of ${count(shape[0]!, "feature")}`;
  if (shape.length === 2) return `Sequences are ${size}, one token after the other`;
  return `Images are ${size}, in NCHW order`;
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** What only predictions are given: in training the device draws it. */
const noiseWords = (tensor: ProgramTensor): string =>
  `\`${tensor.name}\` is noise, ${sizeOf(tensor)} numbers an example, which \`predict\` is given`;

const TOKENS = "Uint32Array | Int32Array";

const typeOfInput = ({ dtype }: ProgramTensor) => (dtype === "u32" ? TOKENS : "Float32Array");

/** `3 x 224 x 224`; a signal's row is not written. */
const sizeOf = ({
  shape,
  isSignal,
  sizes,
}: Pick<ProgramTensor, "shape" | "isSignal" | "sizes">): string =>
  (sizes ?? (isSignal ? shape.toSpliced(1, 1) : shape)).join(" x ");

function inputWords(tensor: ProgramTensor): string {
  const { name, dtype, shape, classes, distribution } = tensor;
  const size = sizeOf(tensor);
  if (distribution) return noiseWords(tensor);
  if (dtype === "f32") {
    const [first] = shape;
    const isRow = shape.length === 1 && !tensor.sizes;
    const isImage = shape.length === 3 && !tensor.isSignal;
    const order = tensor.sizes ? " in row-major order" : isImage ? " in NCHW order" : "";
    return `\`${name}\` is ${isRow ? count(first!, "feature") : `${size}${order}`}`;
  }
  const range = `0 to ${classes!.count - 1}`;
  return shape.length === 0
    ? `\`${name}\` is a token an example, ${range}`
    : `\`${name}\` is ${size} tokens an example, ${range}`;
}

/** What `predict` takes, where that is not all of several inputs. */
function describePredicted(program: Program): string | undefined {
  const inputs = tensorsOf(program, "input");
  const read = program.uses.predict.reads.map((index) => program.tensors[index]!);
  if (read.length === inputs.length) return undefined;
  return read.length === 1 ? "Images" : record(read, () => "Float32Array");
}

/** What `step` compares with. */
function describeTargets(program: Program): Described {
  const targets = tensorsOf(program, "target");
  if (targets.length === 0) return { type: "void", words: "" };
  const words = targets.map((target) => targetWords(target, targets.length > 1)).join("");
  const type = targets.length > 1 ? record(targets, typeOfTarget) : singleType(targets[0]!);
  return { type, words };
}

const singleType = ({ dtype }: ProgramTensor) => (dtype === "u32" ? "Labels" : "Float32Array");

const typeOfTarget = ({ dtype }: ProgramTensor) =>
  dtype === "u32" ? "ClassLabels" : "Float32Array";

function targetWords(
  { name, shape, isSignal, sizes, classes, boxClasses }: ProgramTensor,
  isNamed: boolean,
): string {
  if (boxClasses !== undefined) {
    const numbers = "class (-1: none), middle and size";
    return `; \`${name}\` is ${shape[0]} boxes an image, each ${numbers} as shares of the image`;
  }
  if (!classes) {
    const isOne = shape.every((size) => size === 1);
    const numbers = isOne ? "a number" : `${sizeOf({ shape, isSignal, sizes })} numbers`;
    return `; \`${name}\` is ${numbers} an example`;
  }
  if (shape.length > 0) {
    const places = `${shape.join(" x ")} ${shape.length === 1 ? "tokens" : "pixels"}`;
    return `; \`${name}\` is a class for each of ${places}, 0 to ${classes.count - 1}`;
  }
  const what = isNamed ? `\`${name}\` is a class from` : "labels are";
  return `; ${what} 0 to ${classes.count - 1}`;
}

/** What `predict` returns; undefined for one output. */
function describeOutputs(program: Program): string | undefined {
  const outputs = tensorsOf(program, "prediction");
  return outputs.length > 1 ? record(outputs, () => "Float32Array") : undefined;
}

const record = (
  tensors: readonly ProgramTensor[],
  typeOf: (tensor: ProgramTensor) => string,
): string =>
  `{ ${tensors.map((each) => `readonly ${literal(each.name)}: ${typeOf(each)}`).join("; ")} }`;
