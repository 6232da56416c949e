import type { Alias } from "../diagnostics/alias.js";
import { layers } from "../layers/index.js";
import { trainSettings } from "../semantics/recipes/settings.js";
import { type BuiltIn, type BuiltIns, builtIns } from "./built-ins.js";
import { codeBlock } from "../diagnostics/explain.js";
import { documentArguments, shapeText, signatureText } from "./describe.js";
import { type Keyword, keywords } from "./keywords.js";
import { type Term, terms } from "./terms.js";

/** Something that has a name and an explanation. */
export interface Topic {
  readonly name: string;
  /** What it is: `layer`, `setting of a recipe`, `keyword`. */
  readonly noun: string;
  readonly aliases: readonly Alias[];
  readonly summary: string;
  /** Markdown below the summary: how it is written, the maths, arguments, examples. */
  readonly text: () => string;
}

const kinds: readonly BuiltIns[] = Object.values(builtIns);

/** Every topic, in the order in which a spec is read. */
export const topics: readonly Topic[] = [
  ...keywords.map(ofKeyword),
  ...kinds.flatMap((kind) => kind.definitions.map((each) => ofBuiltIn(each, kind))),
  ...trainSettings.map(({ name, aliases, meaning, example }) => ({
    name,
    noun: "setting of a recipe",
    aliases,
    summary: meaning,
    text: () => codeBlock(example),
  })),
  ...terms.map(ofTerm),
];

function ofKeyword({ word, summary, snippet }: Keyword): Topic {
  const text = () => codeBlock(withoutMarks(snippet));
  return { name: word, noun: "keyword", aliases: [], summary, text };
}

/** A snippet with its proposals filled in: `${1:64}` becomes `64`, `$0` becomes `...`. */
function withoutMarks(snippet: string): string {
  return snippet.replace(/\$\{\d+:([^}]*)\}/g, "$1").replace(/\$\d/g, "...");
}

function ofBuiltIn(builtIn: BuiltIn, kind: BuiltIns): Topic {
  const { name, noun, aliases, summary } = builtIn;
  return { name, noun, aliases, summary, text: () => builtInText(builtIn, kind) };
}

function builtInText(builtIn: BuiltIn, kind: BuiltIns): string {
  const parts = [
    codeBlock(signatureText(builtIn)),
    builtIn.documentation?.trim() ?? "",
    documentArguments(builtIn),
    examplesText(builtIn, kind),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** For a layer its outputs' shapes as well. */
function examplesText({ name, noun, examples }: BuiltIn, { place }: BuiltIns): string {
  const layer = noun === "layer" && layers.find((each) => each.name === name);
  if (!layer) return `For example:\n\n${codeBlock(examples.map(place).join("\n"))}`;
  const lines = layer.samples.map(({ spec, input, others = [], output }) => {
    const inputs = [input, ...others].map(shapeText).join(" and ");
    return `- \`${spec}\`: ${inputs} -> ${shapeText(output)}`;
  });
  return `For example:\n\n${lines.join("\n")}`;
}

function ofTerm({ word, aliases, meaning }: Term): Topic {
  return { name: word, noun: "term", aliases, summary: meaning, text: () => "" };
}
