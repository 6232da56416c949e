import type { Span } from "../../../grammar/ast.js";
import type { Environment } from "../../calls/environment.js";
import { listNames } from "../../calls/suggestion.js";
import { isBoxes } from "../../network/facts.js";
import type { NetworkPort } from "../../network/resolved.js";
import type { AnalyzedModel } from "../analysis.js";

type Ports = Pick<AnalyzedModel, "inputs" | "network">;

/** What a model has that sources of data, with one image and one label an example, cannot give. */
export interface Unfed {
  /** The model has them: `the inputs \`left\` and \`right\``. */
  readonly what: string;
  /** A call that gives them: `step({ left, right }, { label })`. */
  readonly call: string;
}

/** Undefined for a model that sources of data can feed. */
export function unfedBy({ inputs, network }: Ports): Unfed | undefined {
  const targets = network?.targets ?? [];
  const call = `step(${argument(inputs, "images")}, ${argument(targets, "targets")})`;
  const ports = [inputs, targets].find(({ length }) => length > 1);
  if (ports) {
    const names = listNames(ports.map(({ name }) => name));
    return { what: `the ${ports === inputs ? "inputs" : "targets"} ${names}`, call };
  }
  const [input] = inputs;
  if (input && isNoRow(input)) {
    const kind = input.shape.length === 0 ? "one token of each example" : "a sequence";
    return { what: `the input \`${input.name}\`, which is ${kind}`, call };
  }
  const [target] = targets;
  if (target?.type.dtype !== "f32" || isBoxes(target)) return undefined;
  return { what: `the target \`${target.name}\`, which is numbers`, call };
}

/** `{ left, right }`; the only tensor of a role comes as it is. */
function argument(ports: readonly Pick<NetworkPort, "name">[], single: string): string {
  return ports.length > 1 ? `{ ${ports.map(({ name }) => name).join(", ")} }` : single;
}

/** Sources of data give one image and one label. False after a report. */
export function checkOneTensor(
  model: AnalyzedModel,
  span: Span,
  { reporter }: Environment,
): boolean {
  const unfed = unfedBy(model);
  if (!unfed || !isUnusual(model)) return true;
  reporter.report("NET3024", {
    message:
      "a data source gives one image and one label, " +
      `but model \`${model.name}\` has ${unfed.what}`,
    span,
    notes: [
      "leave out the data, compile the model, and feed it arrays from JavaScript: " +
        `\`${unfed.call}\`, or \`fit\` with batches of them`,
    ],
  });
  return false;
}

/** `[tokens, channels]` or a single token: neither an image nor a row of a table. */
const isNoRow = ({ shape }: Ports["inputs"][number]) => shape.length === 2 || shape.length === 0;

const isUnusual = ({ inputs, network }: Ports) =>
  inputs.length > 1 || inputs.some(isNoRow) || (network?.targets.length ?? 0) > 1;
