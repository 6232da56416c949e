import type { Argument, CallExpression, Expression } from "../../grammar/ast.js";
import type { ArgumentTranslation, ForeignAlias } from "../diagnostics/alias.js";
import type { Edit } from "../diagnostics/diagnostic.js";
import type { Suggestion } from "../diagnostics/suggest.js";
import { argumentAliasesOf } from "./argument-aliases.js";
import { insertAfter, insertAt } from "./edits.js";
import type { Signature } from "./signature.js";

/** A call of another framework, as edits that make it netc's. */
export interface Translation {
  readonly edits: readonly Edit[];
  /** The new name, with the arguments that are added: `batchnorm(momentum=0.01, eps=1e-3)`. */
  readonly text: string;
  /**
   * Why the edits do not give the same meaning: a note on the argument that cannot be translated.
   */
  readonly untranslated?: string;
}

/**
 * Writes netc's name, and the arguments so that they mean what they mean in the other framework.
 */
export function translateCall(
  call: CallExpression,
  { name, alias }: Suggestion,
  signature: Partial<Signature>,
): Translation {
  const renamed = { span: call.callee.span, newText: name };
  if (!alias) return { edits: [renamed], text: name };
  const parts = call.arguments.map((argument, index) =>
    translateArgument(argument, index, alias, signature),
  );
  const given = parts.map((part) => part.name);
  const added = Object.entries(alias.defaults ?? {})
    .filter(([argument]) => !given.includes(argument))
    .map(([argument, value]) => `${argument}=${value}`);
  const changed = parts.flatMap(({ text }) => text ?? []);
  const written = [...changed, ...added].join(", ");
  const untranslated = parts.find((part) => part.note !== undefined)?.note;
  return {
    edits: [renamed, ...parts.flatMap(({ edits }) => edits), ...append(call, added.join(", "))],
    text: written ? `${name}(${written})` : name,
    untranslated,
  };
}

interface TranslatedArgument {
  /** netc's name for the argument, as far as it is known. */
  readonly name: string | undefined;
  readonly edits: readonly Edit[];
  /** What is written in its place, for the title of the fix. */
  readonly text?: string;
  readonly note?: string;
}

function translateArgument(
  argument: Argument,
  index: number,
  alias: ForeignAlias,
  signature: Partial<Signature>,
): TranslatedArgument {
  if (argument.name) return translateNamed(argument, argument.name.name, alias, signature);
  const own = signature.positional?.[index];
  const meant = alias.positional ? alias.positional[index] : own;
  if (meant === undefined || meant === own) {
    const rule = meant === undefined ? undefined : alias.translates?.[meant];
    const translated = translateValue(argument.value, rule);
    return { name: meant, ...translated, ...textOf(undefined, translated.edits) };
  }
  const { edits, note } = translateValue(argument.value, alias.translates?.[meant]);
  // One edit: two at one place have no order.
  const newText = `${meant}=${edits[0]?.newText ?? ""}`;
  const naming = edits[0] ? { ...edits[0], newText } : insertAt(argument.span, newText);
  const text = edits[0] ? newText : `${meant}=...`;
  return { name: meant, edits: [naming], text, note };
}

function translateNamed(
  { name, value }: Argument,
  written: string,
  { translates = {} }: ForeignAlias,
  signature: Partial<Signature>,
): TranslatedArgument {
  const rule = Object.hasOwn(translates, written) ? translates[written] : undefined;
  if (!rule) return { name: ownName(written, signature), edits: [] };
  const renamed = rule.name ? [{ span: name!.span, newText: rule.name }] : [];
  const translated = translateValue(value, rule);
  const own = rule.name ?? written;
  const edits = [...renamed, ...translated.edits];
  return { name: own, ...translated, edits, ...textOf(own, translated.edits) };
}

/** The argument as it is written then; nothing where its value stays. */
function textOf(name: string | undefined, [edit]: readonly Edit[]): { readonly text?: string } {
  if (!edit) return {};
  return { text: name === undefined ? edit.newText : `${name}=${edit.newText}` };
}

function translateValue(
  value: Expression,
  rule: Partial<ArgumentTranslation> | undefined,
): Pick<TranslatedArgument, "edits" | "note"> {
  if (!rule?.value) return { edits: [] };
  const text = rule.value(value);
  if (text === undefined) return { edits: [], note: rule.note };
  return { edits: [{ span: value.span, newText: text }] };
}

/** netc's name of an argument that may be given by another framework's. */
function ownName(written: string, signature: Partial<Signature>): string | undefined {
  const names = Object.keys(signature.arguments ?? {});
  if (names.includes(written)) return written;
  return names.find((name) =>
    argumentAliasesOf(name, signature.name ?? "").some((each) => each.name === written),
  );
}

/** Adds arguments after those that a call has. */
function append(call: CallExpression, text: string): readonly Edit[] {
  if (!text) return [];
  const last = call.arguments.at(-1);
  if (last) return [insertAfter(last.span, `, ${text}`)];
  const { span } = call.callee;
  if (!call.hasParentheses) return [insertAfter(span, `(${text})`)];
  const inside = { ...span.end, offset: span.end.offset + 1, column: span.end.column + 1 };
  return [insertAt({ ...span, start: inside }, text)];
}
