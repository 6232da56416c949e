import { CompletionItemKind } from "vscode-languageserver";
import type { Declaration } from "../../grammar/ast.js";
import { callablesFor } from "../callables.js";
import type { SpecDocument } from "../document.js";
import { DECLARATION_KEYWORDS } from "../../compiler/reference/keywords.js";
import type { CursorContext } from "./context.js";
import { expressions } from "./in-call.js";
import { callableItem, keywordItem, type Proposal, wordItem } from "./items.js";
import { headWord } from "./scope.js";

/** Completions outside of models, data and recipes: declarations and their headers. */
export function proposalsInFile(
  context: CursorContext,
  document: SpecDocument,
): readonly Proposal[] {
  const { frames } = context;
  const top = frames.at(-1)!;
  if (top.opener === "{") return headWord(top) === "import" ? importedNames(context, document) : [];
  const [first] = top.statement;
  if (!first) return DECLARATION_KEYWORDS.map(keywordItem);
  switch (first.text) {
    case "const":
      return top.statement.length > 2 ? expressions(context, document) : [];
    case "data":
      return inDataHeader(top.statement.at(-1)!.text, top.statement.length, document);
    case "train":
      return inTrainHeader(context, document);
    case "import":
      return top.statement.at(-1)!.text === "}" ? [wordItem("from")] : [];
    default:
      return [];
  }
}

function inDataHeader(last: string, count: number, document: SpecDocument): readonly Proposal[] {
  if (last === "for") return callablesFor("model", document).map(callableItem);
  return count === 2 ? [wordItem("for", "the model that it feeds")] : [];
}

/** `train Base of AlexNet on ImageNet`. */
function inTrainHeader({ frames }: CursorContext, document: SpecDocument): readonly Proposal[] {
  const texts = frames[0].statement.map(({ text }) => text);
  const last = texts.at(-1);
  if (last === "of") return callablesFor("model", document).map(callableItem);
  if (last === "on") return declared("data", document);
  if (texts.length === 2) return [wordItem("of", "the model that is trained")];
  return texts.includes("on") ? [] : [wordItem("on", "the data that it is trained on")];
}

function declared(kind: Declaration["kind"], { spec }: SpecDocument): readonly Proposal[] {
  return spec.declarations.flatMap((declaration) =>
    declaration.kind === kind && "name" in declaration
      ? [{ label: declaration.name.name, kind: CompletionItemKind.Class, detail: kind }]
      : [],
  );
}

/** The blocks and constants of the file that the import at the cursor names, once it names one. */
function importedNames({ start }: CursorContext, document: SpecDocument): readonly Proposal[] {
  const found = document.spec.declarations
    .filter((declaration) => declaration.kind === "import")
    .find(({ span }) => span.start.offset <= start && start <= span.end.offset);
  const spec = found && document.specOf(document.importedName(found.path.value));
  return (spec?.declarations ?? []).flatMap((declaration) =>
    declaration.kind === "block" || declaration.kind === "const"
      ? [wordItem(declaration.name.name, declaration.kind)]
      : [],
  );
}
