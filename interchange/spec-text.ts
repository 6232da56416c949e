/** The text of an imported network: a spec that people can read and continue with. */
import { analyze } from "../compiler/index.js";
import { outlineOf } from "../compiler/network/outline.js";
import type { ResolvedNetwork } from "../compiler/network/resolved.js";
import { formatSpec } from "../format/index.js";
import type { ImportedModel } from "./import-graph.js";
import type { ForeignTraining } from "./foreign-training.js";
import { trainedText } from "./training.js";

/** Longest line of a comment. */
const WIDTH = 98;

export interface SpecTextOptions {
  /** How the model was trained: the spec then has its loss, data and recipe. */
  readonly training?: ForeignTraining | undefined;
  /** How many images it is trained on. */
  readonly images?: number | undefined;
}

/** In the canonical layout. What it says resolves to the network again: that is checked here. */
export async function specText(
  model: ImportedModel,
  file: string,
  { training, images }: SpecTextOptions = {},
): Promise<string> {
  const { network, report } = model;
  const comments = [
    ...[`Imported by netc from ${file} (${report.source}).`, ...report.remarks],
    ...(training ? [] : endingOf(network)),
  ];
  const body = training ? trainedText(model, training, images) : model.text;
  const lines = comments.flatMap(wrapped).map((line) => `// ${line}`);
  const whole = await formatSpec(`${lines.join("\n")}\n\n${body}`);
  requireSame(whole, network);
  return whole;
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

/** What a network computes, without what training adds. */
function layersOf(network: ResolvedNetwork) {
  const { name, inputs, layers, outputs } = outlineOf(network);
  return { name, inputs, layers, outputs: outputs.map(({ name: own, value }) => [own, value]) };
}

/** A difference is a mistake of netc's own, and must not pass for the user's model. */
function requireSame(text: string, network: ResolvedNetwork): void {
  const { selected, diagnostics } = analyze(text, "imported.net");
  const [error] = diagnostics.filter(({ severity }) => severity === "error");
  if (error) throw new Error(`the spec that was written is wrong: ${error.message}`);
  const read = selected?.model.network;
  const [a, b] = [read, network].map((each) => each && JSON.stringify(layersOf(each)));
  if (a !== b) throw new Error("the spec that was written does not say the imported network");
}
