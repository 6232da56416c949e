import type { BlockDeclaration, ModelDeclaration, ParameterDeclaration } from "../grammar/ast.js";
import { parameterType } from "../compiler/semantics/parameters.js";
import { type ArgumentDeclaration, type Described, required } from "../compiler/calls/signature.js";
import { isActivation } from "../compiler/layers/activation.js";
import { findLayer } from "../compiler/layers/index.js";
import { RESIDUAL } from "../compiler/semantics/drops.js";
import { SPLIT } from "../compiler/semantics/splits.js";
import { formulaType } from "../compiler/layers/formula.js";
import { type BuiltIns, builtIns } from "../compiler/reference/built-ins.js";
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

/** Keywords with arguments, which lists of layers do not have. */
const KEYWORDS: readonly Callable[] = [SPLIT, RESIDUAL].map((keyword) => ({
  ...keyword,
  noun: "keyword",
  isBuiltIn: true,
}));

/** What a document declares itself: read once for all of its calls. */
interface Declared {
  readonly layer: readonly Callable[];
  readonly model: readonly Callable[];
}

/** netc's own, by the role of a call. An argument may be an initializer or a function. */
const builtInsOf: Readonly<Record<Exclude<CallRole, "model">, readonly Callable[]>> = {
  layer: callables(builtIns.layer),
  loss: callables(builtIns.loss),
  metric: callables(builtIns.metric),
  source: callables(builtIns.source),
  transform: callables(builtIns.transform),
  optimizer: callables(builtIns.optimizer),
  schedule: callables(builtIns.schedule),
  average: callables(builtIns.average),
  unfreeze: callables(builtIns.unfreeze),
  stop: callables(builtIns.stop),
  best: callables(builtIns.best),
  precision: callables(builtIns.precision),
  weights: callables(builtIns.weights),
  teacher: callables(builtIns.teacher),
  argument: [...callables(builtIns.initializer), ...callables(builtIns.function)],
  function: callables(builtIns.function),
  formula: [...callables(builtIns.formula), ...activations()],
};

/** Activations as functions of a value. */
function activations(): readonly Callable[] {
  const x = required(formulaType, "what it is applied to");
  return callables(builtIns.layer)
    .filter(({ name }) => isActivation(findLayer(name)!))
    .map((layer) => ({
      ...layer,
      positional: ["x", ...layer.positional],
      arguments: { x, ...layer.arguments },
    }));
}

function callables({ definitions }: BuiltIns): readonly Callable[] {
  return definitions.map((definition) => ({ ...definition, isBuiltIn: true }));
}

const declaredIn = new WeakMap<SpecDocument, Declared>();

function declaredBy(document: SpecDocument): Declared {
  const known = declaredIn.get(document) ?? {
    layer: [...blocksOf(document), ...builtInsOf.layer],
    model: modelsOf(document),
  };
  declaredIn.set(document, known);
  return known;
}

/** What may be called at a place, by its role. */
export function callablesFor(role: CallRole, document: SpecDocument): readonly Callable[] {
  return role === "layer" || role === "model" ? declaredBy(document)[role] : builtInsOf[role];
}

/** What a name means where something may be called. */
export function findCallable(
  name: string,
  role: CallRole,
  document: SpecDocument,
): Callable | undefined {
  const keywords = role === "layer" ? KEYWORDS : [];
  return [...keywords, ...callablesFor(role, document)].find((callable) => callable.name === name);
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
    documentation,
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
    defaultValue: defaultValue ? document.textOf(defaultValue.span) : undefined,
  };
}
