/** `output logits, features`: what a model says that it predicts. */
import type { OutputDeclaration, OutputName } from "../../grammar/ast.js";
import { insertAfter } from "../calls/edits.js";
import type { Environment } from "../calls/environment.js";
import { predictedByLosses, sameValue } from "../network/facts.js";
import type { NetworkValue, ResolvedLoss } from "../network/resolved.js";
import { reportTwice } from "./duplicates.js";
import type { NamedValues } from "./named-values.js";
import { type Place, valueOf } from "./place.js";
import type { NamedValue } from "./values.js";

/** Where the names of outputs are looked up. */
interface OutputHost {
  readonly values: NamedValues;
  hasFailed: boolean;
  findValue(name: string, place: OutputName["span"], at: Place): NamedValue | undefined;
}

/** A value that a model declares as an output. */
interface DeclaredOutput {
  readonly value: NetworkValue;
  readonly name: string;
  readonly span: OutputName["span"];
}

/** The values of all declarations, in their order; those that are wrong are reported. */
export function readOutputs(
  declarations: readonly OutputDeclaration[],
  host: OutputHost,
  place: Place,
): readonly DeclaredOutput[] {
  const { reporter } = place.environment;
  const outputs: DeclaredOutput[] = [];
  for (const { path, span } of declarations.flatMap(({ values }) => values)) {
    const name = path.map((part) => part.name).join(".");
    const found = host.findValue(name, span, place);
    if (!found) host.hasFailed = true;
    if (!found?.shape) continue;
    const value = valueOf(found.current);
    const before = outputs.find((each) => sameValue(each.value, value));
    if (before) reportTwice(name, "output", { first: before.span, second: span }, reporter);
    else if (value.from === "input") reportInput(name, span, place.environment);
    else outputs.push({ value, name, span });
  }
  return outputs;
}

function reportInput(
  name: string,
  span: OutputName["span"],
  { reporter }: Pick<Environment, "reporter">,
): void {
  reporter.report("NET2063", {
    message: `\`${name}\` is an input, which the model does not compute`,
    span,
    notes: ["outputs are values of layers: `as NAME` behind a layer names what it gives"],
  });
}

/** What is compared with a target is among the outputs: evaluations and reports read it there. */
export function checkOutputs(
  outputs: readonly DeclaredOutput[],
  losses: readonly ResolvedLoss[],
  values: NamedValues,
  { reporter }: Pick<Environment, "reporter">,
): void {
  const last = outputs.at(-1);
  if (!last) return;
  for (const predicted of predictedByLosses({ losses })) {
    if (outputs.some(({ value }) => sameValue(value, predicted))) continue;
    const known = predicted.from === "layer" ? values.nameOf(predicted.index) : undefined;
    if (!known) continue;
    reporter.report("NET2063", {
      message: `the loss compares \`${known.name}\` with a target, but \`output\` does not name it`,
      span: last.span,
      related: [{ span: known.span, message: `\`${known.name}\`` }],
      notes: ["evaluations and predictions need it"],
      fixes: [
        {
          title: `add \`${known.name}\``,
          edits: [insertAfter(last.span, `, ${known.name}`)],
        },
      ],
    });
  }
}
