/** Names of layers: those of the file where they mean something, the language's own elsewhere. */
import type { DraftLayer } from "./draft.js";
import { operators } from "./operators/index.js";

/** Words of the language, which name neither layers nor sections. */
const RESERVED = new Set([
  ...[
    "as",
    "block",
    "branch",
    "concat",
    "const",
    "data",
    "false",
    "for",
    "from",
    "import",
    "input",
  ],
  ...["loss", "metric", "model", "repeat", "residual", "skip", "target", "train", "true"],
]);

/** Full names, one for each layer: sections in front, unique, and sections in one piece each. */
export function namesOf(layers: readonly DraftLayer[], input: string): readonly string[] {
  const paths = keepWhole(inSections(layers.map(({ node, kind }) => pathOf(node.name, kind))));
  return numbered(layers, withoutCommon(paths), input);
}

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
interface Path {
  readonly sections: readonly string[];
  readonly own?: string;
}

/**
 * The parts of a name: `/layer1/layer1.0/conv1/Conv` and `layer1.0.conv1` are `layer1`, `block0`,
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
  return { sections, ...(!isMeaningless && { own: identifier(own) }) };
}

const sectionName = (part: string) => (/^\d+$/.test(part) ? `block${part}` : identifier(part));

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

function identifier(part: string): string {
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
    return { ...path, sections };
  });
}

function commonStart(a: readonly string[], b: readonly string[]): readonly string[] {
  const differs = a.findIndex((part, index) => part !== b[index]);
  return differs < 0 ? a : a.slice(0, differs);
}

/** Layers that are not next to each other cannot be a section: they get its name as a prefix. */
function keepWhole(paths: readonly Path[]): readonly Path[] {
  const split = splitSections(paths);
  if (split.size === 0) return paths;
  const merged = paths.map(({ sections, own }): Path => {
    const depth = sections.findIndex((_, index) =>
      split.has(sections.slice(0, index + 1).join(".")),
    );
    if (depth < 0) return { sections, ...(own !== undefined && { own }) };
    const inside = [...sections.slice(depth), ...(own === undefined ? [] : [own])];
    return {
      sections: sections.slice(0, depth),
      ...(own !== undefined && { own: inside.join("_") }),
    };
  });
  return keepWhole(merged);
}

function splitSections(paths: readonly Path[]): ReadonlySet<string> {
  const closed = new Set<string>();
  const split = new Set<string>();
  let open: readonly string[] = [];
  for (const { sections } of paths) {
    const names = sections.map((_, index) => sections.slice(0, index + 1).join("."));
    for (const name of open) if (!names.includes(name)) closed.add(name);
    for (const name of names) if (closed.has(name)) split.add(name);
    open = names;
  }
  return split;
}

/** Fills in the language's own names, and makes all of them different. */
function numbered(
  layers: readonly DraftLayer[],
  paths: readonly Path[],
  input: string,
): readonly string[] {
  const sections = paths.flatMap((path) =>
    path.sections.map((_, index) => path.sections.slice(0, index + 1).join(".")),
  );
  const taken = new Set([input, ...sections]);
  const counts = new Map<string, number>();
  return layers.map(({ kind }, index) => {
    const { sections: path, own } = paths[index]!;
    const prefix = path.map((part) => `${part}.`).join("");
    const count = (counts.get(prefix + kind) ?? 0) + 1;
    const counted = `${kind}${count}`;
    const wanted = own ?? counted;
    let name = wanted;
    for (let more = 2; taken.has(prefix + name) || name === input; more++)
      name = `${wanted}_${more}`;
    if (name === counted) counts.set(prefix + kind, count);
    taken.add(prefix + name);
    return prefix + name;
  });
}
