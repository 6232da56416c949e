import type { Fix } from "../diagnostics/diagnostic.js";
import { formatShape } from "../ir/shape.js";
import { insertAt } from "../calls/edits.js";
import type { Environment } from "../calls/environment.js";
import { warnOfActivation } from "./applied-twice.js";
import { shortNameOf, spanOf, type ScoreUse } from "./score-use.js";

/** Numbers of a cell before those of the classes. */
const OF_BOX = 5;

/** Boxes must be compared with a grid of 5 + classes channels. False after a report. */
export function checkBoxScore(use: ScoreUse, environment: Environment): boolean {
  const { target } = use;
  // A mistake hides how many boxes there are.
  if (target.type.dtype === "f32" && target.type.shape[1] === 0) return false;
  const isOfBoxes = target.type.dtype === "f32" && target.range !== undefined;
  if (!isOfBoxes) return target.isGuess ? false : reportOther(use, environment);
  if (use.prediction.shape!.length !== 4) return reportRank(use, environment);
  warnOfActivation(use, environment);
  return checkChannels(use, environment);
}

function reportOther(use: ScoreUse, { reporter }: Environment): false {
  const { call, target } = use;
  const type = `${target.type.dtype}${formatShape(target.type.shape)}`;
  reporter.report("NET2046", {
    message: `\`${call.callee.name}\` needs boxes, but \`${target.name}\` is \`${type}\``,
    span: spanOf(use, "target"),
    related: [{ span: target.span, message: `is ${type}` }],
    notes: ["boxes are declared as `target boxes: boxes[N, 20] in 0..classes`"],
    fixes: boxesFixes(target),
  });
  return false;
}

/** `u32[N, 20] in 0..3` has the axes of boxes. */
function boxesFixes({ type, range, elementSpan, isInput }: ScoreUse["target"]): readonly Fix[] {
  if (isInput || !range || !elementSpan || type.shape.length !== 2) return [];
  return [{ title: "write `boxes`", edits: [{ span: elementSpan, newText: "boxes" }] }];
}

function reportRank(use: ScoreUse, { reporter }: Environment): false {
  const { call, prediction: head, target, complaints } = use;
  if (complaints.has(head.name)) return false;
  complaints.add(head.name);
  const channels = OF_BOX + target.range!.classes;
  reporter.report("NET2009", {
    message:
      `\`${call.callee.name}\` needs a grid of cells [N, 5 + classes, height, width], ` +
      `but \`${shortNameOf(head)}\` is ${formatShape(head.shape!)}`,
    span: spanOf(use, "prediction"),
    label: `has ${head.shape!.length} axes, not 4`,
    related: [{ span: head.span, message: `gives ${formatShape(head.shape!)}` }],
    notes: [`end the network with \`conv(${channels}, kernel=1)\`, without \`flatten\``],
  });
  return false;
}

function checkChannels(use: ScoreUse, { reporter }: Environment): boolean {
  const { prediction: head, target } = use;
  const [, channels, height, width] = head.shape!;
  const { classes, span } = target.range!;
  const wanted = OF_BOX + classes;
  if (Number(channels) === wanted) return true;
  const only = Number(channels) === classes ? ", which are only the classes" : "";
  reporter.report("NET2007", {
    message:
      `\`${shortNameOf(head)}\` has ${channels} channels ` +
      `for each of ${height}x${width} cells${only}; ` +
      `a box takes 5 + ${classes} = ${wanted}`,
    span: spanOf(use, "prediction"),
    label: `expected ${wanted} channels`,
    related: [
      { span, message: `${classes} ${classes === 1 ? "class" : "classes"}` },
      { span: head.span, message: `gives ${formatShape(head.shape!)}` },
    ],
    notes: ["x, y, width, height, whether there is a box, and a logit for each class"],
    fixes: channelFixes(use, wanted),
  });
  return false;
}

function channelFixes({ prediction }: ScoreUse, wanted: number): readonly Fix[] {
  const { layer, call, alias } = prediction;
  const out = call?.arguments[0];
  if (layer === "conv" && out) {
    const newText = out.name ? `out=${wanted}` : String(wanted);
    const title = `make the layer \`conv(${wanted}${call.arguments.length > 1 ? ", ..." : ""})\``;
    return [{ title, edits: [{ span: out.span, newText }] }];
  }
  if (!alias) return [];
  const text = `conv(${wanted}, kernel=1)`;
  const edits = [insertAt(alias.span, `features -> ${text} as `)];
  return [{ title: `insert \`${text}\` after it`, edits }];
}
