/** The text of a Python file with a network's classes. */
import { preparationText } from "../describe.js";
import type { ExportModel } from "../model.js";
import {
  argumentsOf,
  parametersOf,
  type Attribute,
  type Classes,
  type ClassParameters,
  type ModuleClass,
  type ModuleForm,
} from "./classes.js";
import { HELPERS, type Helper } from "./helpers.js";
import { quoted } from "./python.js";

const WIDTH = 88;
const STEP = "    ";

export interface SourceParts {
  readonly model: ExportModel;
  readonly classes: Classes;
  readonly root: ModuleClass;
  readonly helpers: readonly Helper[];
  /** Name of the file of weights, next to this one. */
  readonly weights: string;
  readonly optimizer?: TorchOptimizerFile;
}

export interface TorchOptimizerFile {
  /** In `torch.optim`. */
  readonly className: string;
  /** Its name, next to this one. */
  readonly file: string;
}

export function pythonSource({
  model,
  classes,
  root,
  helpers: used,
  weights,
  optimizer,
}: SourceParts): string {
  const definitions = [
    ...used.map((name) => HELPERS[name].trimEnd()),
    ...classes.all.map(classText),
    loading(root, weights),
    ...(optimizer ? [resuming(optimizer)] : []),
  ];
  const body = definitions.join("\n\n\n");
  const classNames = model.classNames ? [`CLASSES = ${namesText(model.classNames)}\n`] : [];
  return [heading(model, root), imports(body), ...classNames, `\n${body}\n`].join("\n");
}

function heading({ network, preparation }: ExportModel, { name }: ModuleClass): string {
  const inputs = network.inputs.map((input) => `${input.name} [${input.type.shape.join(", ")}]`);
  const outputs = network.outputs.map((output) => `${output.name} (${output.gives})`);
  return [
    `"""${name}, written by netc export.`,
    "",
    `Inputs: ${inputs.join("; ")}`,
    `Outputs: ${outputs.join("; ")}`,
    ...(preparation ? [`Images: ${preparationText(preparation)}`] : []),
    '"""',
    "",
  ].join("\n");
}

function imports(body: string): string {
  const uses = (name: string) => new RegExp(`\\b${name}\\b`).test(body);
  return [
    ...(uses("math") ? ["import math"] : []),
    "import os",
    ...(uses("OrderedDict") ? ["from collections import OrderedDict"] : []),
    "",
    "import torch",
    "import torch.nn as nn",
    ...(uses("F") ? ["import torch.nn.functional as F"] : []),
    "",
  ].join("\n");
}

function namesText(names: readonly string[]): string {
  const line = `[${names.map(quoted).join(", ")}]`;
  if (line.length + "CLASSES = ".length <= WIDTH) return line;
  return `[\n${names.map((name) => `${STEP}${quoted(name)},`).join("\n")}\n]`;
}

/** Where a file is that lies next to this one. */
const nextToFile = (file: string) =>
  `os.path.join(os.path.dirname(os.path.abspath(__file__)), ${quoted(file)})`;

function loading({ name }: ModuleClass, weights: string): string {
  return [
    `def load(path=${nextToFile(weights)}):`,
    `    """The network with its weights, for predictions; \`.train()\` to train it further."""`,
    `    model = ${name}()`,
    `    model.load_state_dict(torch.load(path, map_location="cpu"))`,
    `    return model.eval()`,
  ].join("\n");
}

function resuming({ className, file }: TorchOptimizerFile): string {
  return [
    `def optimizer(model, path=${nextToFile(file)}):`,
    `    """The optimizer of \`model\` where training stopped, with its first learning rate."""`,
    `    state = torch.load(path, map_location="cpu")`,
    `    parameters = dict(model.named_parameters())`,
    `    groups = [`,
    `        {**group, "params": [parameters[name] for name in group["param_names"]]}`,
    `        for group in state["param_groups"]`,
    `    ]`,
    `    result = torch.optim.${className}(groups, lr=groups[0]["lr"])`,
    `    result.load_state_dict(state)`,
    `    return result`,
  ].join("\n");
}

function classText(type: ModuleClass): string {
  const parameters = parametersOf(type);
  const named = parameters.list.map(({ name, otherwise }) => {
    return otherwise === undefined ? name : `${name}=${otherwise}`;
  });
  const given = ["self", ...named].join(", ");
  let column = 0;
  const assigned = type.attributes.map(({ name, form }) => {
    const text = formText(form, { parameters, column }, `self.${name} = `, STEP + STEP);
    column += argumentsOf(form).length;
    return text;
  });
  return [
    `class ${type.name}(nn.Module):`,
    `    def __init__(${given}):`,
    "        super().__init__()",
    ...assigned,
    "",
    ...type.forward.map((line) => STEP + line),
  ].join("\n");
}

/** Where a form's arguments are among those of the class that it is written in. */
interface Place {
  readonly parameters: ClassParameters;
  readonly column: number;
}

function formText(form: ModuleForm, place: Place, start: string, indent: string): string {
  if (form.is === "sequence") return sequenceText(form.parts, place, start, indent);
  if (form.is === "layer") return callText(form.callee, layerArguments(form, place), start, indent);
  return callText(form.of.name, instanceArguments(form, place), start, indent);
}

function layerArguments(
  { arguments: all }: Extract<ModuleForm, { readonly is: "layer" }>,
  { parameters, column }: Place,
): readonly string[] {
  return all.flatMap(({ name, value, otherwise, isPositional }, index) => {
    const parameter = parameters.ofColumn[column + index];
    if (parameter === undefined && value === otherwise) return [];
    const text = parameter ?? value;
    return isPositional ? [text] : [`${name}=${text}`];
  });
}

function instanceArguments(
  form: Extract<ModuleForm, { readonly is: "instance" }>,
  { parameters, column }: Place,
): readonly string[] {
  return parametersOf(form.of).list.flatMap((own) => {
    const parameter = parameters.ofColumn[column + own.column];
    const text = parameter ?? form.arguments[own.column]!.value;
    return text === own.otherwise ? [] : [`${own.name}=${text}`];
  });
}

function sequenceText(
  parts: readonly Attribute[],
  place: Place,
  start: string,
  indent: string,
): string {
  let { column } = place;
  const inner = indent + STEP;
  const lines = parts.map(({ name, form }) => {
    const text = formText(form, { ...place, column }, `(${quoted(name)}, `, inner);
    column += argumentsOf(form).length;
    return `${text}),`;
  });
  return [`${indent}${start}nn.Sequential(OrderedDict([`, ...lines, `${indent}]))`].join("\n");
}

/** On one line where it fits, else an argument a line. */
function callText(callee: string, given: readonly string[], start: string, indent: string): string {
  const line = `${indent}${start}${callee}(${given.join(", ")})`;
  if (line.length <= WIDTH) return line;
  const lines = given.map((argument) => `${indent}${STEP}${argument},`);
  return [`${indent}${start}${callee}(`, ...lines, `${indent})`].join("\n");
}
