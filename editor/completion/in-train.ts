import { CompletionItemKind } from "vscode-languageserver";
import { stepSettings, trainSettings } from "../../compiler/semantics/recipes/settings.js";
import { callablesFor } from "../callables.js";
import { settingRole } from "../calls.js";
import type { SpecDocument } from "../document.js";
import type { CursorContext } from "./context.js";
import { expressions } from "./in-call.js";
import { callableItem, type Proposal } from "./items.js";

/** Completions in a training recipe: settings that are not given yet, and their values. */
export function proposalsInTrain(
  context: CursorContext,
  document: SpecDocument,
): readonly Proposal[] {
  const { statement } = context.frames.at(-1)!;
  const [first] = statement;
  if (!first) return settingItems(context);
  const last = statement.at(-1)!.text;
  const role = settingRole(first.text);
  if (last !== "=" && last !== "->") return [];
  if (role === "function") return expressions(context, document);
  return callablesFor(role, document).map(callableItem);
}

const STEP: Proposal = {
  label: "step",
  kind: CompletionItemKind.Keyword,
  detail: "a part of each training step, which trains some of the weights by a separate loss",
  snippet: "step ${1:loss} {\n  update = $0\n}",
};

function settingItems({ frames, before }: CursorContext): readonly Proposal[] {
  const [, , step] = frames;
  const header = (step ?? frames[1]!).header[0]!;
  const inside = before.slice(before.indexOf(header));
  const given = inside.flatMap(({ text }, index) =>
    inside[index + 1]?.text === "=" ? [text] : [],
  );
  const settings = (step ? stepSettings : trainSettings)
    .filter(({ name }) => !given.includes(name))
    .map(({ name, meaning }) => ({
      label: name,
      kind: CompletionItemKind.Property,
      detail: meaning,
      snippet: `${name} = $0`,
    }));
  return step ? settings : [...settings, STEP];
}
