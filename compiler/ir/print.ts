import type { Expression } from "./expression.js";
import type { Fused, Fusion } from "./fusion.js";
import {
  externalValues,
  type AnyNode,
  type Graph,
  type Padding,
  type Score,
  type Value,
} from "./graph.js";
import { formatShape } from "./shape.js";
import { withoutUndefined } from "../../program/without-undefined.js";

const INFIX: Readonly<Record<string, string>> = {
  add: "+",
  subtract: "-",
  multiply: "*",
  divide: "/",
};

/** `relu($0 + $1[c])`: $i is operand i at the element's place, $i[c] at its channel. */
export function formatExpression(expression: Expression): string {
  switch (expression.kind) {
    case "operand":
      return `$${expression.index}`;
    case "channel":
      return `$${expression.index}[c]`;
    case "constant":
      return String(expression.value);
    case "batchShare":
      return "1 / batch";
    case "keep":
      return formatKeep(expression);
    case "noise":
      return `${expression.distribution} noise(stream ${expression.stream})`;
    case "unary":
      return `${expression.operator}(${formatExpression(expression.argument)})`;
    case "binary":
      return formatBinary(expression);
  }
}

function formatKeep({ rate, stream, dropped }: Extract<Expression, { kind: "keep" }>): string {
  return `keep(${rate}, stream ${stream}${dropped === "element" ? "" : `, each ${dropped}`})`;
}

function formatBinary({ operator, left, right }: Extract<Expression, { kind: "binary" }>): string {
  const infix = INFIX[operator];
  if (!infix) return `${operator}(${formatExpression(left)}, ${formatExpression(right)})`;
  return `${formatFactor(left)} ${infix} ${formatFactor(right)}`;
}

/** Parentheses around what an operator between two factors would tear apart. */
function formatFactor(expression: Expression): string {
  const text = formatExpression(expression);
  return expression.kind === "binary" && INFIX[expression.operator] ? `(${text})` : text;
}

function formatValue({ id, type, shape }: Value): string {
  return `%${id}: ${type}${formatShape(shape)}`;
}

/** A graph as text, one value or node a line, with the line of the spec that it stems from. */
export function printGraph(graph: Graph): string {
  const lines = [
    `graph ${graph.name}`,
    ...externalValues(graph).map((value) => `  ${formatValue(value)} = ${value.name}`),
    ...graph.nodes.map((node) => `  ${formatNode(node)}`),
    ...graph.outputs.map(({ role, value }) => `  ${role} %${value.id}`),
    ...graph.metrics.map((score) => `  metric ${score.name} ${formatScore(score)}`),
  ];
  return `${lines.join("\n")}\n`;
}

const formatScore = ({ terms }: Score) =>
  terms.map(({ value, factor }) => `${factor === 1 ? "" : `${factor} * `}%${value.id}`).join(" + ");

function formatNode(node: AnyNode): string {
  const outputs = node.outputs.map(formatValue).join(", ");
  const inputs = formatIds(node.inputs);
  const attributes = Object.entries(withoutUndefined(node.attributes))
    .map(([name, value]) => ` ${formatAttribute(name, value)}`)
    .join("");
  const result = outputs ? `${outputs} = ` : "";
  const { name, span } = node.origin;
  const fused = formatFusion(node.fusion ?? {});
  return (
    `${result}${node.kind}(${inputs})${attributes}${fused}  // ${name}, ` +
    `line ${span.start.line}`
  );
}

const formatIds = (values: readonly Value[]) => values.map(({ id }) => `%${id}`).join(", ");

/** What each part of a node's fusion does, and what it reads. */
function formatFusion({ prologue, epilogue, updates = [], leaves }: Fusion): string {
  const parts = [
    ...(prologue ? [`prologue ${formatFused(prologue)}`] : []),
    ...(epilogue ? [`epilogue ${formatFused(epilogue)}`] : []),
    ...updates.map(({ parameter, states, rule }) => {
      return `update(${formatIds([parameter, ...states])}) ${formatSetting(rule)}`;
    }),
    ...(leaves
      ? [`leaves ${leaves.what}(${formatIds(leaves.operands)}) for %${leaves.reduction.id}`]
      : []),
  ];
  return parts.map((part) => ` ${part}`).join("");
}

const formatFused = ({ expression, operands }: Fused) =>
  `{ ${formatExpression(expression)} } of (${formatIds(operands)})`;

function formatAttribute(name: string, value: unknown): string {
  if (name === "expression") return `{ ${formatExpression(value as Expression)} }`;
  if (name === "slope") return `slope={ ${formatExpression(value as Expression)} }`;
  if (name === "padding") {
    const { top, bottom, left, right } = value as Padding;
    return `padding=[${[top, bottom, left, right].join(", ")}]`;
  }
  return `${name}=${formatSetting(value)}`;
}

function formatSetting(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatSetting).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const fields = Object.entries(withoutUndefined(value)).map(
    ([name, field]) => `${name}: ${formatSetting(field)}`,
  );
  return `{ ${fields.join(", ")} }`;
}
