/**
 * Which tensor of a file is which of a model's. The ways are tried in the order of how much they
 * say: what the user renames, equal names, names of libraries, the order of the layers, and then
 * their shapes and the numbers in their names. A way that leaves a choice is not taken: it becomes
 * a question.
 */
import { commonPrefix, wrapperPrefix } from "../../program/weight-names.js";
import { WeightsError } from "../../runtime/errors.js";
import { byShape } from "./by-shape.js";
import {
  isAlike,
  modulesOf,
  sameKinds,
  sameNumbers,
  signatureOf,
  type Module,
  type Shaped,
} from "./modules.js";
import { renamed, type Renaming } from "./rename.js";
import { knownNetworks } from "./known-networks.js";
import { modernName } from "./naming.js";

/** Two tensors that belong together, and why. */
export interface Match {
  /** The model's. */
  readonly own: Shaped;
  /** The file's. */
  readonly file: Shaped;
  /** How they were found, in a few words: `same name`, `torchvision's resnet18`. */
  readonly how: string;
  /** `likely` where another tensor of the file has the same shape and only its place tells. */
  readonly sure: "sure" | "likely";
}

/** A tensor of the model that has no match. */
export interface Unmatched {
  readonly own: Shaped;
  /** What could be meant, or what is in its place with another shape. */
  readonly candidates: readonly Shaped[];
}

export interface Matching {
  /** In the model's order. */
  readonly matches: readonly Match[];
  readonly unmatched: readonly Unmatched[];
  /** Tensors of the file that no tensor of the model is filled from. */
  readonly left: readonly Shaped[];
  /** What users should know of the network that the file is of. */
  readonly remarks: readonly string[];
}

export interface MatchRequest {
  /** The model's tensors in its order. */
  readonly own: readonly Shaped[];
  readonly file: readonly Shaped[];
  /** Whether the file has its tensors in the order in which the layers were defined. */
  readonly isOrdered: boolean;
  /** Names of the model's tensors that need no match. */
  readonly except?: ReadonlySet<string>;
  readonly rename?: readonly Renaming[];
}

/** Two layers, and why they belong together. */
export interface Pair {
  readonly own: Module;
  readonly file: Module<Named>;
  readonly how: string;
  readonly sure: Match["sure"];
}

/** A tensor of the file under the name that is compared. */
export interface Named extends Shaped {
  readonly original: Shaped;
}

/** What is left to match. */
export interface Problem {
  readonly own: readonly Module[];
  readonly file: readonly Module<Named>[];
  readonly isOrdered: boolean;
  /** Whether the layer needs no match. */
  readonly isSpared: (module: Module) => boolean;
  /**
   * Whether the file's layer has all that is needed of the model's, and nothing that it has not.
   */
  readonly fitsByKind: (own: Module, file: Module) => boolean;
}

/** How far a way leads; undefined where it does not apply. */
export interface Solution {
  readonly pairs: readonly Pair[];
  readonly candidates?: ReadonlyMap<Module, readonly Module<Named>[]>;
  readonly remarks?: readonly string[];
}

/**
 * PyTorch's count of the batches that a running mean has seen, the places of gains in their table,
 * and what training keeps.
 */
const UNUSED = /(^|\.)(num_batches_tracked|relative_position_index)$|^(optimizer|average)\./;

export function matchTensors(request: MatchRequest): Matching {
  const { own, rename = [], except = new Set<string>() } = request;
  const used = request.file.filter(({ name }) => !UNUSED.test(name));
  const byName = new Map(own.map((tensor) => [tensor.name, tensor]));
  const explicit = explicitMatches(used, byName, rename);
  const taken = new Set(explicit.flatMap(({ own: mine, file }) => [mine, file]));
  const rest = used.filter((tensor) => !taken.has(tensor));
  const names = rest.map(({ name }) => name);
  const prefix = prefixOf(names, [...byName.keys()]);
  const problem: Problem = {
    own: modulesOf(own.filter((tensor) => !taken.has(tensor))),
    file: modulesOf(rest.map((each) => withoutPrefix(each, prefix))),
    isOrdered: request.isOrdered,
    isSpared: ({ tensors }) => [...tensors.values()].every(({ name }) => except.has(name)),
    fitsByKind: ({ tensors: mine }, { tensors }) =>
      [...tensors.keys()].every((kind) => mine.has(kind)) &&
      [...mine].every(([kind, { name }]) => tensors.has(kind) || except.has(name)),
  };
  const solution =
    byEqualNames(problem, prefix) ?? byKnownNames(problem) ?? byOrder(problem) ?? byShape(problem);
  return matchingOf(request, { explicit, solution, used, except });
}

/**
 * What `rename` says. Throws WeightsError for one that matches nothing, leads to a name that the
 * model does not have, or to one twice.
 */
function explicitMatches(
  file: readonly Shaped[],
  own: ReadonlyMap<string, Shaped>,
  rename: readonly Renaming[],
): readonly Match[] {
  const matches = rename.flatMap((each) => {
    const found = file.flatMap((tensor): readonly Match[] => {
      const name = renamed(tensor.name, each);
      if (name === undefined) return [];
      const match = own.get(name);
      if (match) return [{ own: match, file: tensor, how: "renamed", sure: "sure" }];
      throw new WeightsError(describeMissing(tensor.name, name, each));
    });
    if (found.length > 0) return found;
    throw new WeightsError(`\`rename\`: no tensor of the file is called \`${each.from}\``);
  });
  for (const key of ["own", "file"] as const) {
    const names = matches.map((match) => match[key].name);
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) throw new WeightsError(`\`rename\` uses \`${twice}\` twice`);
  }
  return matches;
}

/** `to` of a file that is loaded as a whole, a teacher's: the section that it fills. */
function describeMissing(written: string, name: string, { from, to }: Renaming): string {
  if (from !== "*") {
    return `\`rename\` makes \`${name}\` of \`${written}\`, which the model does not have`;
  }
  const section = to.slice(0, -".*".length);
  const twice = written.startsWith(`${section}.`)
    ? `; names in the file begin with \`${section}\` already, and its model should be the teacher`
    : "";
  return `the file has \`${written}\`, and \`${section}\` of the model has no such weight${twice}`;
}

/** What all names of a file have before them that the model's have not. */
function prefixOf(names: readonly string[], own: readonly string[]): string {
  const wrapper = wrapperPrefix(names, own);
  const rest = names.map((name) => name.slice(wrapper.length));
  if (countIn(rest, own) * 2 >= own.length) return wrapper;
  const common = commonPrefix(rest);
  return own.some((name) => name.startsWith(common)) ? wrapper : wrapper + common;
}

function countIn(names: readonly string[], own: readonly string[]): number {
  const known = new Set(own);
  return names.filter((name) => known.has(name)).length;
}

const withoutPrefix = (tensor: Shaped, prefix: string): Named => ({
  name: modernName(tensor.name.slice(prefix.length)),
  shape: tensor.shape,
  original: tensor,
});

/**
 * Where most names are the same, names are what counts; what remains must be the only one of its
 * kind.
 */
function byEqualNames(problem: Problem, prefix: string): Solution | undefined {
  const files = new Map(problem.file.map((module) => [module.name, module]));
  const how = prefix === "" ? "same name" : `same name after \`${prefix}\``;
  const pairs = problem.own.flatMap((own): readonly Pair[] => {
    const file = files.get(own.name);
    return file && problem.fitsByKind(own, file) ? [{ own, file, how, sure: "sure" }] : [];
  });
  const needed = problem.own.filter((own) => !problem.isSpared(own));
  const paired = new Set(pairs.map(({ own }) => own));
  const found = needed.filter((own) => paired.has(own)).length;
  if (needed.length > 0 && found * 2 < needed.length) return undefined;
  const others = byShape(without(problem, pairs));
  const single = others.pairs.filter(({ sure }) => sure === "sure");
  return { pairs: [...pairs, ...single], candidates: others.candidates };
}

function without(problem: Problem, pairs: readonly Pair[]): Problem {
  const taken = new Set<Module>(pairs.flatMap(({ own, file }) => [own, file]));
  const isFree = (module: Module) => !taken.has(module);
  return { ...problem, own: problem.own.filter(isFree), file: problem.file.filter(isFree) };
}

/**
 * A file whose layers are called as a library calls those of one of its networks, for a model with
 * as many layers of the same kinds in the same order. Most shapes must agree, too.
 */
function byKnownNames({ own, file, isSpared }: Problem): Solution | undefined {
  const files = new Map(file.map((module) => [module.name, module]));
  for (const { title, layers, differs } of knownNetworks) {
    if (layers.length !== own.length) continue;
    const known = new Set(layers);
    if (![...files.keys()].every((name) => known.has(name))) continue;
    const found = layers.map((name) => files.get(name));
    const isWhole = own.every((module, index) => {
      const other = found[index];
      return other ? sameKinds(module, other) : isSpared(module);
    });
    if (!isWhole) continue;
    const pairs = own.flatMap((module, index): readonly Pair[] => {
      const other = found[index];
      return other ? [{ own: module, file: other, how: title, sure: "sure" }] : [];
    });
    if (mostlyAlike(pairs)) return { pairs, remarks: differs === undefined ? [] : [differs] };
  }
  return undefined;
}

const mostlyAlike = (pairs: readonly Pair[]) =>
  pairs.filter(({ own, file }) => isAlike(own, file)).length * 2 > pairs.length;

/**
 * Position by position, where that is the order in which the layers were defined: all kinds, and
 * nearly all shapes, must agree. Layers that need no match may be there, or not.
 */
function byOrder(problem: Problem): Solution | undefined {
  if (!problem.isOrdered) return undefined;
  const needed = problem.own.filter((own) => !problem.isSpared(own));
  const own = [problem.own, needed].find(({ length }) => length === problem.file.length);
  if (!own) return undefined;
  const counts = countBySignature(problem.file);
  const pairs = own.map((module, index): Pair => {
    const file = problem.file[index]!;
    const isSingle = counts.get(signatureOf(file)) === 1;
    const sure = isSingle && isAlike(module, file) ? "sure" : "likely";
    return { own: module, file, how: isSingle ? "order, unique shape" : "order", sure };
  });
  const compared = pairs.filter((pair) => !problem.isSpared(pair.own));
  const isFitting = compared.every((pair) => sameKinds(pair.own, pair.file));
  return isFitting && nearlyAlike(compared) && !contradictsNames(pairs) ? { pairs } : undefined;
}

/** One layer in ten may have another shape: a head of other classes. It is shown as not fitting. */
function nearlyAlike(pairs: readonly Pair[]): boolean {
  const others = pairs.filter(({ own, file }) => !isAlike(own, file));
  return others.length <= Math.max(1, pairs.length / 10);
}

/** Whether a layer of the file is called as another one of the model than the one in its place. */
function contradictsNames(pairs: readonly Pair[]): boolean {
  const own = new Set(pairs.map((pair) => pair.own.name));
  return pairs.some((pair) => own.has(pair.file.name) && pair.file.name !== pair.own.name);
}

export function countBySignature(modules: readonly Module[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const module of modules) {
    const signature = signatureOf(module);
    counts.set(signature, (counts.get(signature) ?? 0) + 1);
  }
  return counts;
}

interface Found {
  readonly explicit: readonly Match[];
  readonly solution: Solution;
  readonly used: readonly Shaped[];
  readonly except: ReadonlySet<string>;
}

/** Tensor by tensor. Tensors of other sizes than the model's do not match. */
function matchingOf({ own }: MatchRequest, { explicit, solution, used, except }: Found): Matching {
  const { pairs, candidates, remarks = [] } = solution;
  const found = new Map<string, Match>(explicit.map((match) => [match.own.name, match]));
  for (const { own: module, file, how, sure } of pairs) {
    for (const [kind, tensor] of module.tensors) {
      const other = file.tensors.get(kind)?.original;
      if (other) found.set(tensor.name, { own: tensor, file: other, how, sure });
    }
  }
  const suggestions = suggestionsOf(candidates);
  const needed = own.filter(({ name }) => !except.has(name));
  const all = needed.map((tensor) => found.get(tensor.name) ?? tensor);
  const isFitting = (each: Match | Shaped): each is Match =>
    "file" in each && sameNumbers(each.own.shape, each.file.shape);
  const matches = all.filter(isFitting);
  const unmatched = all
    .filter((each) => !isFitting(each))
    .map((each): Unmatched => {
      if ("file" in each) return { own: each.own, candidates: [each.file] };
      return { own: each, candidates: suggestions.get(each.name) ?? [] };
    });
  const filled = new Set(matches.map(({ file }) => file));
  // What belongs to a tensor that needs no match is not left over.
  const spared = [...found.values()].filter(({ own: { name } }) => except.has(name));
  for (const { file } of spared) filled.add(file);
  const left = used.filter((tensor) => !filled.has(tensor));
  const attention = unmatched.length > 0 ? attentionIn(used) : undefined;
  return { matches, unmatched, left, remarks: attention ? [...remarks, attention] : remarks };
}

const ATTENTION = /(^|\.)(attn|self_attn|attention|self_attention|q_proj)\.|\.in_proj_weight$/;

/** Why weights of a transformer fill nothing. */
function attentionIn(file: readonly Shaped[]): string | undefined {
  const found = file.find(({ name }) => ATTENTION.test(name));
  return (
    found &&
    `the file has weights of attention, such as \`${found.name}\`: it is a transformer, and netc ` +
      "knows the names of torchvision's vit_b_16 and swin_t, and of timm's vit and deit"
  );
}

function suggestionsOf(candidates: Solution["candidates"]): ReadonlyMap<string, readonly Shaped[]> {
  const suggestions = new Map<string, readonly Shaped[]>();
  for (const [module, files] of candidates ?? []) {
    for (const [kind, { name }] of module.tensors) {
      const others = files.map(({ tensors }) => tensors.get(kind)?.original);
      suggestions.set(
        name,
        others.filter((each) => each !== undefined),
      );
    }
  }
  return suggestions;
}
