/** Arguments that name axes, or number them. */
import { choice, integer, mismatch, writeList } from "./argument-types.js";
import type { ArgumentType } from "./signature.js";
import { listNames } from "./suggestion.js";

/** What other frameworks call axes. */
const OTHER_WORDS: Readonly<Record<string, readonly string[]>> = {
  channels: ["features", "classes"],
  rows: ["height"],
  columns: ["width"],
  tokens: ["sequence", "time"],
};

/** One of a few names, or an integer: `channels`, or `1`. */
export function nameOrNumber<const Name extends string>(
  names: readonly Name[],
): ArgumentType<Name | number> {
  const known = names.map((name) => ({ name, aliases: OTHER_WORDS[name] ?? [] }));
  const word = choice(names, known);
  const number = integer();
  const description = `one of ${listNames(names)}, or an integer`;
  return {
    description,
    accepts: word.accepts,
    write: String,
    read(expression, reader) {
      if (expression.kind === "name") {
        const isWord = names.some((name) => name === expression.name);
        if (isWord || !reader.scope.has(expression.name)) return word.read(expression, reader);
      }
      const isComputed = ["number", "unary", "binary", "name"].includes(expression.kind);
      if (isComputed) return number.read(expression, reader);
      return mismatch(expression, reader, description);
    },
  };
}

/** Several of these: `[rows, 2]`; one may do without brackets. */
export function namesOrNumbers<const Name extends string>(
  names: readonly Name[],
): ArgumentType<readonly (Name | number)[]> {
  const one = nameOrNumber(names);
  const description = `a list: each ${one.description}`;
  return {
    description,
    accepts: one.accepts,
    write: (chosen) => (chosen.length === 1 ? one.write(chosen[0]!) : writeList(chosen)),
    read(expression, reader) {
      const given = expression.kind === "list" ? expression.elements : [expression];
      if (given.length === 0) return mismatch(expression, reader, description);
      const read = given.map((element) => one.read(element, reader));
      return read.every((value) => value !== undefined) ? read : undefined;
    },
  };
}
