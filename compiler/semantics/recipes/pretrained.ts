import type { Setting, Span } from "../../../grammar/ast.js";
import type { InitialWeights } from "../../../program/recipe.js";
import { withoutPrefix, wrapperPrefix } from "../../../program/weight-names.js";
import type { Fix } from "../../diagnostics/diagnostic.js";
import { plainName } from "../../diagnostics/suggest.js";
import type { Graph, Parameter } from "../../ir/graph.js";
import type { AnalyzedModel, ReadWeights, WeightsShapes } from "../analysis.js";
import { insertAfter } from "../../calls/edits.js";
import type { Environment } from "../../calls/environment.js";
import { readCall } from "./definition.js";
import { matches, namesIn, namesMatching } from "./patterns.js";
import { loads } from "./policies.js";

/** More mismatches than these are only counted. */
const MISMATCHES_SHOWN = 3;

/**
 * What checkpoints hold in addition to weights: netc's own, and PyTorch's count of the batches that
 * a running mean has seen.
 */
const BESIDE_WEIGHTS = /^(optimizer|average)\.|\.num_batches_tracked$/;

/** As in a recipe's: how to look into files, and what runs may make them. */
export interface LoadEnvironment extends Environment {
  readonly readWeights?: ReadWeights | undefined;
  readonly otherRecipes: readonly string[];
}

/** A weight that the file does not fill. */
interface Mismatch {
  readonly parameter: Parameter;
  /** Undefined where the file does not hold it. */
  readonly found: readonly number[] | undefined;
  /** Tensors of the file that it could be. */
  readonly candidates: readonly string[];
}

/**
 * `weights = load("alexnet.safetensors", except=[classifier.logits.*])`. The file's shapes are
 * compared with the model's where the host can read it.
 */
export function readInitialWeights(
  setting: Setting | undefined,
  { graph, network, name: model }: AnalyzedModel,
  environment: LoadEnvironment,
): InitialWeights | undefined {
  const call = setting && readCall(setting, loads, environment);
  if (!call || !graph) return undefined;
  const { path, except, rename } = call.result;
  const { readWeights } = environment;
  const span = call.bound.spans.get("path")!;
  const own = graph.parameters.map(({ value }) => value.name);
  const { layers } = namesIn(own, network);
  const request = {
    tensors: graph.parameters.map(({ value: { name, shape } }) => ({
      name,
      shape: shape.map(Number),
    })),
    except: new Set(
      own.filter((name) => except.some((pattern) => matches(pattern, name, { layers }))),
    ),
    rename,
  };
  const file = unwrapped(readWeights?.(path, span.file, request), own);
  const names = [...own, ...(file?.kind === "shapes" ? file.shapes.keys() : [])];
  const all = { names: [...new Set(names)], layers };
  const spared = new Set(namesMatching(except, all, environment));
  const { line, column } = span.start;
  if (readWeights) {
    const place = { path, model, span, except: call.bound.spans.get("except") };
    checkFile(file, graph, { ...place, isSpared: (name) => spared.has(name) }, environment);
  }
  return {
    path,
    except: own.filter((name) => spared.has(name)),
    rename: rename.length > 0 ? rename : undefined,
    location: { line, column },
  };
}

/** The file as the runtime loads it: without what wrappers of PyTorch put before every name. */
function unwrapped(
  file: WeightsShapes | undefined,
  own: readonly string[],
): WeightsShapes | undefined {
  if (file?.kind !== "shapes") return file;
  const prefix = wrapperPrefix([...file.shapes.keys()], own);
  return { ...file, shapes: withoutPrefix(file.shapes, prefix) };
}

interface LoadPlace {
  readonly path: string;
  readonly model: string;
  readonly span: Span;
  /** Of the whole argument, where it is given. */
  readonly except: Span | undefined;
  readonly isSpared: (name: string) => boolean;
}

/** Compares a file with weights that it must hold all. */
export function checkWeightsFile(
  file: WeightsShapes | undefined,
  graph: Pick<Graph, "parameters">,
  place: Pick<LoadPlace, "path" | "model" | "span">,
  environment: LoadEnvironment,
): void {
  const own = graph.parameters.map(({ value }) => value.name);
  const whole = { ...place, except: undefined, isSpared: () => false };
  checkFile(unwrapped(file, own), graph, whole, environment);
}

function checkFile(
  file: WeightsShapes | undefined,
  graph: Pick<Graph, "parameters">,
  place: LoadPlace,
  environment: LoadEnvironment,
): void {
  const { path, span } = place;
  if (!file) {
    const maker = makerOf(place, environment.otherRecipes);
    environment.reporter.report("NET3051", {
      message: `there is no weights file \`${path}\``,
      span,
      notes: [
        "paths start from the spec's folder; training needs the file, compiling does not",
        ...(maker ? [`a run of \`${maker.recipe}\` makes it: \`${maker.command}\``] : []),
      ],
    });
  } else if (file.kind === "broken") {
    environment.reporter.report("NET3052", {
      message: `\`${path}\` cannot be read as weights`,
      span,
      notes: [file.reason],
    });
  } else {
    compareShapes(file, graph, place, environment);
  }
}

/**
 * The run that makes a file which is plainly one of another recipe's:
 * `../runs/pretrain/weights.safetensors` of `Pretrain`.
 */
function makerOf({ path, span: { file } }: LoadPlace, recipes: readonly string[]) {
  const [folder, name] = path.split("/").slice(-3, -1);
  const recipe = recipes.find((each) => plainName(each) === plainName(name ?? ""));
  if (folder !== "runs" || recipe === undefined) return undefined;
  const out = folderOf(path.startsWith("/") ? path : `${folderOf(file)}/${path}`);
  return { recipe, command: `netc train ${file} --train ${recipe} --out ${out}` };
}

/** Of a file's path, without `a/..`. */
function folderOf(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/").slice(0, -1)) {
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/") || ".";
}

function compareShapes(
  { shapes, candidates }: Extract<WeightsShapes, { kind: "shapes" }>,
  { parameters }: Pick<Graph, "parameters">,
  place: LoadPlace,
  { reporter }: Environment,
): void {
  const { path, model, span, isSpared } = place;
  const mismatches = parameters
    .filter(({ value }) => !isSpared(value.name))
    .map((parameter): Mismatch => {
      const { name } = parameter.value;
      return { parameter, found: shapes.get(name), candidates: candidates?.get(name) ?? [] };
    })
    .filter(({ parameter, found }) => !sameShape(parameter.value.shape, found));
  const known = new Set(parameters.map(({ value }) => value.name));
  const others = [...shapes.keys()].filter(
    (name) => !known.has(name) && !isSpared(name) && !BESIDE_WEIGHTS.test(name),
  );
  const [first] = mismatches;
  if (!first) return warnOfOthers(others, place, { reporter });
  const count = mismatches.length;
  const shown = mismatches.slice(0, MISMATCHES_SHOWN);
  reporter.report("NET3050", {
    message: `\`${path}\` does not fit model \`${model}\`: ${describe(first)}`,
    span,
    label: count === 1 ? "one weight does not fit" : `${count} weights do not fit`,
    related: firstOfEachPlace(shown).map(({ parameter: { value } }) => ({
      span: value.origin.span,
      message: `\`${value.name}\` is ${format(value.shape)}`,
    })),
    notes: [...shown.slice(1).map(describe), ...renameAdvice(mismatches)],
    fixes: exceptFixes(mismatches, place),
  });
}

/** A layer's weight and bias have the same place. */
function firstOfEachPlace(mismatches: readonly Mismatch[]): readonly Mismatch[] {
  const spanOf = ({ parameter }: Mismatch) => parameter.value.origin.span;
  return mismatches.filter(
    (mismatch) => mismatch === mismatches.find((each) => spanOf(each) === spanOf(mismatch)),
  );
}

/** How to say which tensor is meant, of the first for which there are several. */
function renameAdvice(mismatches: readonly Mismatch[]): readonly string[] {
  const open = mismatches.find(({ candidates }) => candidates.length > 0);
  if (!open) return [];
  const [from, to] = [open.candidates[0]!, open.parameter.value.name].map(layerOf);
  return [`\`rename=[("${from}", "${to}")]\` would say that it is the first of these`];
}

const layerOf = (name: string) => name.replace(/[^.]+$/, "*");

function describe({ parameter: { value }, found, candidates }: Mismatch): string {
  if (candidates.length > 0) {
    const names = candidates.slice(0, MISMATCHES_SHOWN).map((name) => `\`${name}\``);
    const more = candidates.length > names.length ? ", ..." : "";
    return `\`${value.name}\` of shape ${format(value.shape)} could be ${names.join(", ")}${more}`;
  }
  return found
    ? `\`${value.name}\` is ${format(found)} there, not ${format(value.shape)}`
    : `\`${value.name}\` of shape ${format(value.shape)} is missing`;
}

/** Leaves out the layers whose weights do not fit. */
function exceptFixes(mismatches: readonly Mismatch[], { span, except }: LoadPlace): readonly Fix[] {
  const layers = mismatches.map(({ parameter }) => parameter.value.name.replace(/[^.]+$/, "*"));
  const texts = [...new Set(layers)];
  if (mismatches.some(({ candidates }) => candidates.length > 0)) return [];
  if (texts.length > MISMATCHES_SHOWN || except) return [];
  const text = `except=[${texts.join(", ")}]`;
  return [
    { title: `add \`${text}\`: initial values for them`, edits: [insertAfter(span, `, ${text}`)] },
  ];
}

function warnOfOthers(
  others: readonly string[],
  { path, model, span }: LoadPlace,
  { reporter }: Pick<Environment, "reporter">,
): void {
  if (others.length === 0) return;
  const [first] = others;
  const more = others.length > 1 ? ` and ${others.length - 1} more` : "";
  reporter.report("NET3053", {
    message: `\`${path}\` holds \`${first}\`${more}, which model \`${model}\` does not have`,
    span,
    notes: ["they are ignored; if this is intended, list them in `except`"],
  });
}

function sameShape(wanted: readonly unknown[], found: readonly number[] | undefined): boolean {
  return found?.length === wanted.length && wanted.every((extent, axis) => extent === found[axis]);
}

const format = (shape: readonly unknown[]) => `[${shape.join(", ")}]`;
