import type { Argument } from "../../grammar/ast.js";
import type { ArgumentAlias } from "../diagnostics/alias.js";
import type { Fix } from "../diagnostics/diagnostic.js";
import { absentArguments } from "./absent-arguments.js";
import { argumentAliasesOf } from "./argument-aliases.js";
import type { Signature } from "./signature.js";
import { type Advice, adviseName, listNames, type Named } from "./suggestion.js";

/** What to say about an argument that a call gives and its signature does not have. */
export function adviseArgument({ name, value }: Argument, signature: Signature): Advice {
  const own = Object.keys(signature.arguments);
  const known = own.map((argument): Named => {
    const aliases = argumentAliasesOf(argument, signature.name);
    return { name: argument, aliases };
  });
  const list = own.length
    ? `\`${signature.name}\` takes ${listNames(own)}`
    : `\`${signature.name}\` takes no arguments`;
  const advice = adviseName(name!, { known, absent: absentArguments, otherwise: [list] });
  const alias = known
    .flatMap(({ aliases }): readonly ArgumentAlias[] => aliases as readonly ArgumentAlias[])
    .find((each) => each.name === name!.name);
  return alias?.value ? translateValue(advice, alias, value) : advice;
}

/** Writes the value as netc counts it, or says that it has to be computed. */
function translateValue(
  advice: Advice,
  { value: translate, note }: ArgumentAlias,
  value: Argument["value"],
): Advice {
  const text = translate!(value);
  const fixes = advice.fixes.map((fix): Fix => {
    if (text === undefined)
      return { ...fix, title: `${fix.title}, which differs`, isCertain: false };
    const written = fix.edits[0]!.newText;
    const edits = [...fix.edits, { span: value.span, newText: text }];
    return { ...fix, title: `write \`${written}=${text}\``, edits };
  });
  return { ...advice, fixes, notes: text === undefined ? [note!] : advice.notes };
}
