/**
 * Layers whose kinds and shapes tell which they are: there is one such layer on both sides, or
 * there are several whose names differ in numbers alone, which then count in the model's order.
 * Libraries that sort tensors by name keep no other order.
 */
import type { Named, Pair, Problem, Solution } from "./match.js";
import { signatureOf, type Module } from "./modules.js";

export function byShape({
  own,
  file,
  isOrdered,
  isSpared,
}: Problem): Required<Omit<Solution, "remarks">> {
  const needed = groupsOf(own.filter((module) => !isSpared(module)));
  const files = groupsOf(file);
  const pairs: Pair[] = [];
  const candidates = new Map<Module, readonly Module<Named>[]>();
  for (const [signature, modules] of needed) {
    const others = files.get(signature) ?? [];
    const found = pairsOf(modules, others, isOrdered);
    if (found) pairs.push(...found);
    else for (const module of modules) candidates.set(module, others);
  }
  return { pairs, candidates };
}

function groupsOf<Each extends Module>(modules: readonly Each[]): ReadonlyMap<string, Each[]> {
  const groups = new Map<string, Each[]>();
  for (const module of modules) {
    const signature = signatureOf(module);
    if (!groups.has(signature)) groups.set(signature, []);
    groups.get(signature)!.push(module);
  }
  return groups;
}

/** Undefined where there is a choice. */
function pairsOf(
  own: readonly Module[],
  files: readonly Module<Named>[],
  isOrdered: boolean,
): readonly Pair[] | undefined {
  const pair = (index: number, file: Module<Named>, how: string, sure: Pair["sure"]): Pair => ({
    own: own[index]!,
    file,
    how,
    sure,
  });
  if (own.length !== files.length) return undefined;
  if (own.length === 1) return [pair(0, files[0]!, "unique shape", "sure")];
  const isNumbered = new Set(files.map(({ name }) => templateOf(name))).size === 1;
  if (!isNumbered) return undefined;
  const sorted = [...files].sort((a, b) => compareNumbers(a.name, b.name));
  const isContradicted = isOrdered && sorted.some((file, index) => file !== files[index]);
  if (isContradicted) return undefined;
  return sorted.map((file, index) => pair(index, file, "numbered names", "likely"));
}

/** A name without the numbers that its parts end in: `layer#.#.conv#`. */
const templateOf = (name: string) => name.replace(/\d+(?=\.|$)/g, "#");

const numbersIn = (name: string) => (name.match(/\d+(?=\.|$)/g) ?? []).map(Number);

/** Of two names of the same template: the first number that differs decides. */
function compareNumbers(a: string, b: string): number {
  const [first, second] = [numbersIn(a), numbersIn(b)];
  const index = first.findIndex((number, place) => number !== second[place]);
  return index < 0 ? 0 : first[index]! - second[index]!;
}
