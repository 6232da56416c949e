import { plural } from "../diagnostics/plural.js";
import type { InferenceContext } from "./layer.js";

/** What a convolution, transposed or not, says of its channels. */
interface ChannelArguments {
  readonly in: number | undefined;
  readonly out: number;
  readonly groups: number;
}

/** Reports input channels that are not as declared, and groups that do not divide the channels. */
export function checkChannels(
  inputs: number,
  { in: declared, groups, out }: ChannelArguments,
  context: InferenceContext,
): void {
  if (declared !== undefined && declared !== inputs) reportChannels(declared, inputs, context);
  if (inputs % groups !== 0 || out % groups !== 0) reportGroups(groups, inputs, out, context);
}

function reportChannels(declared: number, actual: number, context: InferenceContext): void {
  context.report("NET2002", {
    message: `${context.title} declares in=${declared} but receives ${plural(actual, "channel")}`,
    at: "in",
    label: `expected ${declared}`,
    axis: "channels",
    fixes: [context.removeArgument("in", `drop \`in=${declared}\` (${actual} is inferred)`)],
  });
}

function reportGroups(
  groups: number,
  inputs: number,
  outputs: number,
  context: InferenceContext,
): void {
  const [noun, count] = inputs % groups !== 0 ? ["input", inputs] : ["output", outputs];
  const divisor = largestCommonDivisor(largestCommonDivisor(inputs, outputs), groups);
  context.report("NET2005", {
    message: `${context.title}: groups=${groups} does not divide its ${count} ${noun} channels`,
    at: "groups",
    label: `${count} / ${groups} leaves ${count % groups} over`,
    axis: noun === "input" ? "channels" : undefined,
    notes: [`groups must divide both the ${inputs} input and the ${outputs} output channels`],
    fixes: [context.replaceArgument("groups", `groups=${divisor}`, `write \`groups=${divisor}\``)],
  });
}

function largestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : largestCommonDivisor(b, a % b);
}
