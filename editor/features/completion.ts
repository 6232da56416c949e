import type { CompletionItem } from "vscode-languageserver";
import { contextAt } from "../completion/context.js";
import { type Proposal, placeItems } from "../completion/items.js";
import { proposalsInCall } from "../completion/in-call.js";
import { proposalsInData } from "../completion/in-data.js";
import { proposalsInFile } from "../completion/in-file.js";
import { proposalsInNetwork } from "../completion/in-network.js";
import { proposalsInTrain } from "../completion/in-train.js";
import type { CursorContext } from "../completion/context.js";
import { headWord } from "../completion/scope.js";
import type { SpecDocument } from "../document.js";

export interface CompletionOptions {
  /** Whether the editor fills in the places of a snippet. */
  readonly hasSnippets: boolean;
}

/**
 * What can be written at an offset, from the registries, with documentation. The likeliest come
 * first.
 */
export function completion(
  document: SpecDocument,
  offset: number,
  options: CompletionOptions,
): CompletionItem[] {
  const context = contextAt(document, offset);
  if (!context) return [];
  const proposals = withoutRepeats(proposalsFor(context, document));
  return placeItems(proposals, context, document, options);
}

function proposalsFor(context: CursorContext, document: SpecDocument): readonly Proposal[] {
  const { frames } = context;
  const inBrackets = proposalsInCall(context, document);
  if (inBrackets) return inBrackets;
  switch (frames[1] ? headWord(frames[1]) : "") {
    case "model":
    case "block":
      return proposalsInNetwork(context, document);
    case "data":
      return proposalsInData(context, document);
    case "train":
      return proposalsInTrain(context, document);
    default:
      return proposalsInFile(context, document);
  }
}

/** A loop variable hides a constant of its name. */
function withoutRepeats(proposals: readonly Proposal[]): readonly Proposal[] {
  const byLabel = new Map(proposals.toReversed().map((each) => [each.label, each]));
  return proposals.filter((each) => byLabel.get(each.label) === each);
}
