/** Names of layers and sections that the file gives, where they mean something. */
import { findLayer } from "../compiler/layers/index.js";
import { keywords } from "../compiler/reference/keywords.js";
import type { DraftLayer } from "./draft.js";
import { operators } from "./operators/index.js";

/** Words of the language and of its constants, which name neither layers nor sections. */
const RESERVED = new Set([...keywords.map(({ word }) => word), "init", "true", "false"]);

/** Whether a name is a word of the language. */
export const isWord = (name: string): boolean => RESERVED.has(name);

/** Of each layer, the sections that the file puts it in, and its name there. */
export function pathsOf(layers: readonly DraftLayer[]): readonly Path[] {
  const others = layers.filter(({ kind }) => kind !== "parameter");
  const paths = inSections(others.map(({ node, kind }) => pathOf(node.name, kind)));
  const found = withoutCommon(paths).map(({ own, ...path }, index) => {
    const isNamed = own !== undefined && keepsName(others[index]!, index === others.length - 1);
    return isNamed ? { ...path, own } : path;
  });
  const pathByLayer = new Map(others.map((layer, index) => [layer, found[index]!]));
  // Parameters are declared next to the inputs.
  return layers.map((layer): Path => {
    return pathByLayer.get(layer) ?? { sections: [], own: identifier(layer.node.name) };
  });
}

/** Convolutions and the network's end; other layers belong to one of these. */
const keepsName = ({ kind }: DraftLayer, isLast: boolean): boolean =>
  isLast || findLayer(kind)?.macs !== undefined;

/** Sections around all layers say nothing. */
function withoutCommon(paths: readonly Path[]): readonly Path[] {
  const [first, ...others] = paths;
  const common = others.reduce(
    (shared, { sections }) => commonStart(shared, sections),
    first?.sections ?? [],
  );
  return paths.map((path) => ({ ...path, sections: path.sections.slice(common.length) }));
}

/** Sections, and the layer's own name where the file gives it one. */
export interface Path {
  readonly sections: readonly string[];
  readonly own?: string;
  /** Whether the file says nothing, and its neighbors' sections are taken. */
  readonly isGuessed?: boolean;
}

/**
 * The parts of a name: `/layer1/layer1.0/conv1/Conv` and `layer1.0.conv1` are `layer1`, `#0`,
 * `conv1`. Undefined for a name that only counts: `Conv_12`, `conv2d_3`.
 */
export function pathOf(name: string, kind: string): Path | undefined {
  const all = name.split(/[./:]+/).filter((part) => part !== "");
  // `p2o.Conv.41` counts the convolutions of a file.
  const counts = /^\d+$/.test(all.at(-1) ?? "") && isCounted(all.at(-2) ?? "", kind);
  const parts = counts ? all.slice(0, -2) : all;
  const own = parts.at(-1);
  if (counts) return parts.length === 0 ? undefined : { sections: parts.map(sectionName) };
  if (own === undefined || (parts.length === 1 && isCounted(own, kind))) return undefined;
  const sections = parts.slice(0, -1).map(sectionName);
  const isMeaningless = /^\d+$/.test(own) || isCounted(own, kind);
  return { sections, own: isMeaningless ? undefined : identifier(own) };
}

/** A number separates its members, but is not a section. */
const sectionName = (part: string) => (/^\d+$/.test(part) ? `#${part}` : identifier(part));

/** `Conv_12`, `conv2d_3.tmp_0`, `Relu`: what tools give that have no name. */
function isCounted(part: string, kind: string): boolean {
  const word = part
    .toLowerCase()
    .replace(/[_\d]+$/, "")
    .replaceAll("_", "");
  const isOperator = OPERATORS.has(word) || TOOL_WORDS.has(word);
  return word === "" || word === kind.replaceAll("_", "") || isOperator;
}

const OPERATORS = new Set(Object.keys(operators).map((name) => name.toLowerCase()));

const TOOL_WORDS = new Set([
  ...["conv2d", "convolution", "dense", "batchnorm", "batchnorm2d", "relu6", "concatenate"],
  ...["maxpooling2d", "averagepooling2d", "globalaveragepooling2d", "activation", "eltwise"],
  ...["depthwiseconv2d", "innerproduct", "pooling", "node", "op", "tmp"],
]);

/** A name of a file as one of the language. */
export function identifier(part: string): string {
  const plain = part.replace(/[^A-Za-z0-9_]/g, "_");
  const named = /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`;
  return RESERVED.has(named) ? `${named}_` : named;
}

/** Layers without a path lie where those before and behind them both do. */
function inSections(paths: readonly (Path | undefined)[]): readonly Path[] {
  const following: (readonly string[])[] = [];
  let next: readonly string[] = [];
  for (const path of paths.toReversed()) {
    if (path) next = path.sections;
    following.push(next);
  }
  following.reverse();
  let before: readonly string[] = [];
  return paths.map((path, index) => {
    const sections = path?.sections ?? commonStart(before, following[index]!);
    before = sections;
    return path ? { ...path, sections } : { sections, isGuessed: true };
  });
}

function commonStart(a: readonly string[], b: readonly string[]): readonly string[] {
  const differs = a.findIndex((part, index) => part !== b[index]);
  return differs < 0 ? a : a.slice(0, differs);
}
