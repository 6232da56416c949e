/** The text of an imported network: a spec that people can read and continue with. */
import { analyze } from "../compiler/index.js";
import { outlineOf } from "../compiler/network/outline.js";
import type { ResolvedNetwork } from "../compiler/network/resolved.js";
import { formatSpec } from "../format/index.js";
import type { ImportedModel } from "./import-graph.js";

/** Longest line of a comment. */
const WIDTH = 98;

/** In the canonical layout. What it says resolves to the network again: that is checked here. */
export async function specText(
  { network, text: body, report }: ImportedModel,
  file: string,
): Promise<string> {
  const comments = [
    ...[`Imported by netc from ${file} (${report.source}).`, ...report.remarks],
    ...endingOf(network),
  ];
  const lines = comments.flatMap(wrapped).map((line) => `// ${line}`);
  const text = await formatSpec(`${lines.join("\n")}\n\n${body}`);
  requireSame(text, network);
  return text;
}

/** How to train a network that comes without a loss. */
function endingOf({ outputs }: ResolvedNetwork): readonly string[] {
  const isSoftmax = outputs[0]?.gives === "probabilities";
  return [
    isSoftmax
      ? "It gives probabilities. To train it, leave out `softmax`, give the layer before a name " +
        "with `as logits`, and add a target and `loss cross_entropy(logits, label)`."
      : "To train it, give the last layer a name with `as logits`, and add a target and " +
        "`loss cross_entropy(logits, label)`.",
  ];
}

function wrapped(comment: string): readonly string[] {
  const lines: string[] = [];
  for (const word of comment.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines;
}

/** A difference is a mistake of netc's own, and must not pass for the user's model. */
function requireSame(text: string, network: ResolvedNetwork): void {
  const { selected, diagnostics } = analyze(text, "imported.net");
  const [error] = diagnostics.filter(({ severity }) => severity === "error");
  if (error) throw new Error(`the spec that was written is wrong: ${error.message}`);
  const read = selected?.model.network;
  const [a, b] = [read, network].map((each) => each && JSON.stringify(outlineOf(each)));
  if (a !== b) throw new Error("the spec that was written does not say the imported network");
}
