import type { BlockDeclaration, ModelDeclaration, ParameterDeclaration } from "../grammar/ast.js";
import { initializers } from "../compiler/layers/initializers.js";
import { layers } from "../compiler/layers/index.js";
import type { LayerDefinition } from "../compiler/layers/layer.js";
import { valueName } from "../compiler/calls/argument-types.js";
import { functions } from "../compiler/calls/functions.js";
import { losses, metrics } from "../compiler/layers/scores.js";
import { parameterType } from "../compiler/semantics/parameters.js";
import { optimizers } from "../compiler/semantics/recipes/optimizers.js";
import { averages, loads, precisions, stops } from "../compiler/semantics/recipes/policies.js";
import { schedules } from "../compiler/semantics/recipes/schedules.js";
import { sources } from "../compiler/semantics/recipes/sources.js";
import { stages } from "../compiler/semantics/recipes/stages.js";
import { transforms } from "../compiler/semantics/recipes/transforms.js";
import { type ArgumentDeclaration, type Described, required } from "../compiler/calls/signature.js";
import type { CallRole } from "./calls.js";
import type { SpecDocument } from "./document.js";

/** Something that a spec may call, whoever defines it. */
export interface Callable extends Described {
  /** What documentation calls it: `layer`, `block`, `optimizer`. */
  readonly noun: string;
  /** Markdown. */
  readonly documentation?: string;
  /** Whether netc defines it, and not the spec. */
  readonly isBuiltIn: boolean;
}

/** What a document declares itself: read once for all of its calls. */
interface Declared {
  readonly layer: readonly Callable[];
  readonly model: readonly Callable[];
}

const declaredIn = new WeakMap<SpecDocument, Declared>();

function declaredBy(document: SpecDocument): Declared {
  const known = declaredIn.get(document) ?? {
    layer: [...blocksOf(document), ...builtIns.layer],
    model: modelsOf(document),
  };
  declaredIn.set(document, known);
  return known;
}

/** What may be called at a place, by its role. */
export function callablesFor(role: CallRole, document: SpecDocument): readonly Callable[] {
  return role === "layer" || role === "model" ? declaredBy(document)[role] : builtIns[role];
}

/** What a name means where something may be called. */
export function findCallable(
  name: string,
  role: CallRole,
  document: SpecDocument,
): Callable | undefined {
  return callablesFor(role, document).find((callable) => callable.name === name);
}

function builtIn(noun: string, definitions: readonly Described[]): readonly Callable[] {
  return definitions.map((definition) => ({ ...definition, noun, isBuiltIn: true }));
}

const constantFunctions = functions.map(({ name, aliases, summary }) => ({
  name,
  aliases,
  summary,
  positional: [],
  arguments: {},
}));

const builtIns: Readonly<Record<Exclude<CallRole, "model">, readonly Callable[]>> = {
  layer: builtIn("layer", layers.map(withOthers)),
  loss: builtIn("loss", losses),
  metric: builtIn("metric", metrics),
  source: builtIn("data source", sources.definitions),
  transform: builtIn("transform", transforms.definitions),
  optimizer: builtIn("optimizer", optimizers.definitions),
  schedule: builtIn("schedule", schedules.definitions),
  average: builtIn("average of weights", averages.definitions),
  unfreeze: builtIn("stage of `unfreeze`", stages.definitions),
  stop: builtIn("stopping rule", stops.definitions),
  precision: builtIn("precision", precisions.definitions),
  weights: builtIn("weights source", loads.definitions),
  argument: [...builtIn("initializer", initializers), ...builtIn("function", constantFunctions)],
  function: builtIn("function", constantFunctions),
};

/** A layer that reads other values has them as its first arguments. */
function withOthers(layer: LayerDefinition): LayerDefinition {
  if (!layer.others) return layer;
  const meaning = layer.others === "one" ? "the other value" : "another value; there may be more";
  return {
    ...layer,
    positional: ["value", ...layer.positional],
    arguments: { value: required(valueName(), meaning), ...layer.arguments },
  };
}

// What the spec declares

function blocksOf(document: SpecDocument): readonly Callable[] {
  const own = declarationsOf(document, "block").map((block) => describe(block, "block", document));
  return [...own, ...importedBlocks(document)];
}

function modelsOf(document: SpecDocument): readonly Callable[] {
  return declarationsOf(document, "model").map((model) => describe(model, "model", document));
}

function declarationsOf<Kind extends "block" | "model">({ spec }: SpecDocument, kind: Kind) {
  return spec.declarations.filter(
    (declaration): declaration is Extract<typeof declaration, { kind: Kind }> =>
      declaration.kind === kind,
  );
}

/** Blocks by the names under which the spec imports them. */
function importedBlocks(document: SpecDocument): readonly Callable[] {
  const names = document.spec.declarations.flatMap((declaration) =>
    declaration.kind === "import" ? declaration.names : [],
  );
  return names.flatMap(({ name, alias = name }) => {
    const found = document.analysis.occurrences.find(({ span }) => span === name.span);
    const declaration = found?.kind === "block" && findBlock(found.definition, document);
    return declaration ? [{ ...describe(declaration, "block", document), name: alias.name }] : [];
  });
}

function findBlock(
  { file, start }: BlockDeclaration["span"],
  document: SpecDocument,
): BlockDeclaration | undefined {
  return document
    .specOf(file)
    ?.declarations.filter((declaration) => declaration.kind === "block")
    .find(({ name }) => name.span.start.offset === start.offset);
}

function describe(
  { name, parameters, documentation }: BlockDeclaration | ModelDeclaration,
  noun: string,
  document: SpecDocument,
): Callable {
  const names = parameters.map((parameter) => parameter.name.name);
  const declared = parameters.map((each) => describeParameter(each, document));
  return {
    name: name.name,
    aliases: [],
    noun,
    isBuiltIn: false,
    summary: documentation?.split("\n")[0] ?? "",
    ...(documentation !== undefined && { documentation }),
    positional: names,
    arguments: Object.fromEntries(declared.map((each, index) => [names[index]!, each])),
  };
}

function describeParameter(
  { type, defaultValue }: ParameterDeclaration,
  document: SpecDocument,
): ArgumentDeclaration<unknown> {
  return {
    type: parameterType(type.name),
    meaning: "",
    isRequired: !defaultValue,
    ...(defaultValue && { defaultValue: document.textOf(defaultValue.span) }),
  };
}
