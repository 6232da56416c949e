/** Layers and classes by name, with similar names for unknown ones. */
import { InputError } from "../errors.js";

const MOST_SHOWN = 5;

/** Throws InputError with similar names. */
export function findLayer<Layer extends { readonly name: string }>(
  name: string,
  layers: readonly Layer[],
): Layer {
  const found = layers.find((layer) => layer.name === name);
  if (found) return found;
  const names = layers.map((layer) => layer.name);
  throw new InputError(`there is no layer \`${String(name)}\`${similar(String(name), names)}`);
}

/** The index of a class. Throws InputError for an unknown one. */
export function findClass(
  wanted: number | string,
  count: number,
  names: readonly string[] | undefined,
): number {
  if (typeof wanted === "string") {
    const index = names?.indexOf(wanted) ?? -1;
    if (index >= 0) return index;
    if (!names) {
      throw new InputError(
        `nothing names the classes, so \`${wanted}\` is unknown: pass an index from 0 to ` +
          `${count - 1}, or load weights that name them`,
      );
    }
    throw new InputError(`there is no class \`${wanted}\`${similar(wanted, names)}`);
  }
  if (Number.isInteger(wanted) && wanted >= 0 && wanted < count) return wanted;
  throw new InputError(
    `a class is an index from 0 to ${count - 1} or a name, not ${String(wanted)}`,
  );
}

/** The names that differ least from a wrong one. */
function similar(wrong: string, names: readonly string[]): string {
  const ranked = names
    .map((name) => ({ name, distance: distanceOf(wrong, name) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MOST_SHOWN);
  const shown = ranked.map(({ name }) => `\`${name}\``).join(", ");
  const rest = names.length - ranked.length;
  return `; similar ones are ${shown}${rest > 0 ? ` (${rest} more)` : ""}`;
}

/** Letters to change, add or leave out (Levenshtein). */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column++) {
      const change = row[column - 1]! + Number(letter !== to[column - 1]);
      next.push(Math.min(change, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
