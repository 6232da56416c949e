import type { Expression } from "../../../grammar/ast.js";
import { mismatch } from "../../calls/argument-types.js";
import type { ArgumentType } from "../../calls/signature.js";
import { namePatternOf } from "./patterns.js";

/** A name in a weights file, and the model's; one `*` in each matches the same text. */
export interface Renaming {
  readonly from: string;
  readonly to: string;
}

const DESCRIPTION =
  "a list of pairs of names, the file's and the model's, " +
  'with one `*` in both or none, such as `[("fc.*", "logits.*")]`';

export function renamings(): ArgumentType<readonly Renaming[]> {
  return {
    description: DESCRIPTION,
    accepts: { kind: "value" },
    write: (pairs) => `[${pairs.map(({ from, to }) => `("${from}", "${to}")`).join(", ")}]`,
    read: (expression, reader) => {
      const elements = expression.kind === "list" ? expression.elements : [expression];
      const found = elements.map(renamingOf);
      const wrong = elements[found.indexOf(undefined)];
      return wrong
        ? mismatch(wrong, reader, DESCRIPTION)
        : found.filter((pair) => pair !== undefined);
    },
  };
}

function renamingOf(element: Expression): Renaming | undefined {
  const names = element.kind === "tuple" ? element.elements.map(nameOf) : [];
  const [from, to, ...others] = names;
  if (from === undefined || to === undefined || others.length > 0) return undefined;
  return starsIn(from) === starsIn(to) && starsIn(from) <= 1 ? { from, to } : undefined;
}

const starsIn = (text: string) => text.split("*").length - 1;

/**
 * A string, since files may call layers by numbers; what the language has as a name, without
 * quotes.
 */
function nameOf(expression: Expression): string | undefined {
  return expression.kind === "string" ? expression.value : namePatternOf(expression)?.text;
}
