/** `teacher = load("teacher.safetensors", into=big)`: layers that only show how it is done. */
import type { Setting, Span } from "../../../grammar/ast.js";
import type { Teacher } from "../../../program/recipe.js";
import type { Environment } from "../../calls/environment.js";
import { listNames } from "../../calls/suggestion.js";
import { isOfSection } from "../../ir/section.js";
import type { ResolvedLayer, ResolvedNetwork } from "../../network/resolved.js";
import type { AnalyzedModel } from "../analysis.js";
import { readCall } from "./definition.js";
import { checkWeightsFile, type LoadEnvironment } from "./pretrained.js";
import { teachers } from "./policies.js";

/** A model's teacher; undefined without one, or after a report. */
export function readTeacher(
  setting: Setting | undefined,
  { graph, network, name: model }: AnalyzedModel,
  environment: LoadEnvironment,
): Teacher | undefined {
  const call = setting && readCall(setting, teachers, environment);
  if (!call || !graph || !network) return undefined;
  const { path, into: section } = call.result;
  const [span, at] = [call.bound.spans.get("path")!, call.bound.spans.get("into")!];
  const parameters = graph.parameters.filter(({ value }) => isOfSection(value.name, section));
  if (parameters.length === 0) return reportNoSection(section, network, at, environment);
  if (!checkSeparate(network, section, at, environment)) return undefined;
  if (parameters.length === graph.parameters.length) {
    return environment.reporter.report("NET3023", {
      message: `all weights of model \`${model}\` are those of its teacher \`${section}\``,
      span: at,
    });
  }
  const rename = [{ from: "*", to: `${section}.*` }];
  const own = graph.parameters.map(({ value }) => value.name);
  const except = own.filter((name) => !isOfSection(name, section));
  const { readWeights } = environment;
  if (readWeights) {
    const tensors = parameters.map(({ value: { name, shape } }) => ({
      name,
      shape: shape.map(Number),
    }));
    const file = readWeights(path, span.file, { tensors, except: new Set(), rename });
    checkWeightsFile(file, { parameters }, { path, model, span }, environment);
  }
  const { line, column } = span.start;
  return { section, weights: { path, except, rename, location: { line, column } } };
}

function reportNoSection(
  section: string,
  { layers }: ResolvedNetwork,
  span: Span,
  { reporter }: Environment,
): undefined {
  const first = layers.flatMap(({ name }) => name.split(".").slice(0, -1)[0] ?? []);
  const sections = [...new Set(first)];
  return reporter.report("NET3072", {
    message: `the model has no section \`${section}\` with weights`,
    span,
    notes: [
      sections.length > 0
        ? `its sections are ${listNames(sections)}`
        : "a section holds the teacher's layers: `big { ... }`",
    ],
  });
}

/**
 * A teacher is left out of the saved weights: layers outside may not read its values, nor share its
 * weights, and the network may not predict them. False after a report.
 */
function checkSeparate(
  { layers, outputs }: ResolvedNetwork,
  section: string,
  span: Span,
  { reporter }: Environment,
): boolean {
  const isInside = ({ name }: Pick<ResolvedLayer, "name">) => isOfSection(name, section);
  const reader = layers.find(
    (layer) =>
      !isInside(layer) &&
      (isOfSection(layer.weights, section) ||
        layer.inputs.some(({ from, index }) => from === "layer" && isInside(layers[index]!))),
  );
  const predicted = outputs.find(
    ({ value: { from, index } }) => from === "layer" && isInside(layers[index]!),
  );
  const shared = layers.find((layer) => isInside(layer) && !isOfSection(layer.weights, section));
  const wrong = reader ?? shared;
  if (!wrong && !predicted) return true;
  reporter.report("NET3072", {
    message: wrong
      ? `\`${wrong.name}\` ties the teacher \`${section}\` to other layers, ` +
        "which would need it in predictions"
      : `the network predicts \`${predicted!.name}\`, a value of its teacher`,
    span,
    related: wrong ? [{ span: wrong.origin.span, message: "reads it, or shares its weights" }] : [],
    notes: [
      wrong
        ? "layers after the section begin with `from`: `from image -> conv(...)`"
        : "the first loss of a target, or the last value of the text, is what a network predicts",
    ],
  });
  return false;
}
