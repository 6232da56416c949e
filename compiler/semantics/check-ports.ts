import { comparedTargets } from "../network/facts.js";
import type { NetworkPort, ResolvedNetwork } from "../network/resolved.js";
import type { Environment } from "../calls/environment.js";

/** Of several inputs, each is read, and of several targets, each is compared with something. */
export function checkPorts(network: ResolvedNetwork, environment: Environment): boolean {
  const { inputs, targets, losses } = network;
  const unread = inputs.length > 1 ? inputs.filter((_, index) => !isRead(network, index)) : [];
  const compared = comparedTargets(network);
  // A loss of the network's values alone, next to a target, may well have forgotten it.
  const needsAll = targets.length > 1 || losses.some(({ score }) => score.target?.from !== "input");
  const unused = needsAll ? targets.filter((_, index) => !compared.includes(index)) : [];
  for (const input of unread) reportUnread(input, environment);
  for (const target of unused) reportUnused(target, environment);
  return unread.length + unused.length === 0;
}

/** Whether a layer or a score reads an input, or the network predicts it. */
export function isRead(
  { layers, losses, metrics, outputs }: ResolvedNetwork,
  input: number,
): boolean {
  const scores = [...losses.map(({ score }) => score), ...metrics];
  const values = [
    ...layers.flatMap(({ inputs }) => inputs),
    ...scores.flatMap(({ prediction, target }) => (target ? [prediction, target] : [prediction])),
    ...outputs.map(({ value }) => value),
  ];
  return values.some(({ from, index }) => from === "input" && index === input);
}

function reportUnread({ name, origin }: NetworkPort, { reporter }: Environment): void {
  reporter.report("NET2012", {
    message: `nothing reads the input \`${name}\``,
    span: origin.span,
    notes: [`layers after \`from ${name}\` read it`],
  });
}

function reportUnused({ name, origin }: NetworkPort, { reporter }: Environment): void {
  reporter.report("NET2024", {
    message: `no loss or metric compares anything with the target \`${name}\``,
    span: origin.span,
    notes: ["losses of several targets add up: `loss cross_entropy(a, kind) + mse(b, size)`"],
  });
}
