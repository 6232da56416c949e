/** Whether the examples of an epoch can be drawn by their classes. */
import type { DataDeclaration } from "../../../grammar/ast.js";
import type { Sampling } from "../../../program/recipe.js";
import { isTupleKind } from "../../../program/tuples.js";
import { plural } from "../../diagnostics/plural.js";
import type { Port } from "../../ir/graph.js";
import { labelUnit } from "../../ir/shape.js";
import type { Environment } from "../../calls/environment.js";
import type { AnalyzedModel } from "../analysis.js";
import type { Resolved } from "./definition.js";

interface Sampled {
  readonly model: AnalyzedModel;
  readonly data: DataDeclaration | undefined;
}

/** Images are drawn by their classes: each must have one, and weights must fit them. */
export function checkSampling(
  sampling: Resolved<Sampling>,
  { model, data }: Sampled,
  environment: Environment,
): void {
  // Pictures of triplets and pairs have the classes of their folders, whatever the targets are.
  const isDrawn = data?.splits.some(({ source }) => isTupleKind(source.callee.name)) ?? false;
  if (!isDrawn && !checkTargets(sampling, model, environment)) return;
  checkWeights(sampling, isDrawn ? { ...model, classes: undefined } : model, environment);
}

/** Whether the model is trained on one class for each example; reports it where it is not. */
function checkTargets(
  { call }: Resolved<Sampling>,
  { graph, name }: AnalyzedModel,
  { reporter }: Environment,
): boolean {
  const targets = graph?.inputs.filter(({ role }) => role === "target") ?? [];
  const [first] = targets;
  const labels = targets.length > 1 ? plural(targets.length, "target") : first && labelsOf(first);
  if (labels === undefined) return true;
  reporter.report("NET3070", {
    message: `\`sampling\` draws examples by class, but model \`${name}\` is trained on ${labels}`,
    span: call.span,
    related: targets.slice(0, 3).map((target) => ({
      span: target.value.origin.span,
      message: labelsOf(target) ?? "a class for each example",
    })),
    notes: ["leave it out: an epoch then goes through all examples once"],
  });
  return false;
}

/** What a target has of each example, where that is not one class. */
function labelsOf({ value: { type, shape }, boxClasses }: Port): string | undefined {
  if (type === "f32") return boxClasses === undefined ? "numbers" : "boxes";
  return shape.length > 1 ? `a label for each ${labelUnit(shape)}` : undefined;
}

function checkWeights(
  { call, result, bound }: Resolved<Sampling>,
  { classes, name }: Pick<AnalyzedModel, "classes" | "name">,
  { reporter }: Environment,
): void {
  if (result.kind !== "weighted") return;
  const span = bound.spans.get("weights") ?? call.span;
  if (classes !== undefined && result.weights.length !== classes) {
    const given = plural(result.weights.length, "number");
    return reporter.report("NET3070", {
      message: `\`weighted\` has ${given}, but model \`${name}\` has ${classes} classes`,
      span,
      notes: ["one number for each class, in the order of the labels"],
    });
  }
  if (result.weights.some((weight) => weight > 0)) return;
  reporter.report("NET3070", {
    message: "all weights of `weighted` are 0, so no image would be drawn",
    span,
    notes: ["`balanced` makes all classes equally likely"],
  });
}
