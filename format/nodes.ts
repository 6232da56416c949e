import type {
  Argument,
  BodyMember,
  Branch,
  ChainElement,
  Declaration,
  Expression,
  FunctionParameter,
  ImportedName,
  InputDeclaration,
  LossDeclaration,
  MetricDeclaration,
  ParameterDeclaration,
  Setting,
  Share,
  Skip,
  Span,
  StepDeclaration,
  Spec,
  OutputDeclaration,
  TargetDeclaration,
  TensorType,
  DataSplit,
  Else,
} from "../grammar/index.js";

/** A comment, `//` or `///`, as prettier places it. Prettier itself adds where it belongs. */
export interface Comment {
  readonly kind: "comment";
  readonly text: string;
  readonly span: Span;
}

/** The whole file, with all of its comments. */
export interface Root extends Spec {
  readonly comments: readonly Comment[];
}

/** Whatever is printed. */
export type Node =
  | Root
  | Spec
  | Declaration
  | ParameterDeclaration
  | FunctionParameter
  | ImportedName
  | InputDeclaration
  | OutputDeclaration
  | TargetDeclaration
  | LossDeclaration
  | MetricDeclaration
  | Share
  | BodyMember
  | ChainElement
  | Branch
  | Else
  | Exclude<Skip, { readonly kind: "identity" }>
  | DataSplit
  | Setting
  | StepDeclaration
  | TensorType
  | Expression
  | Argument;

/**
 * Where the children of each kind of node are, in the order of the text. Names of things are
 * printed by their parents.
 */
const CHILD_KEYS: Readonly<Record<string, readonly string[]>> = {
  spec: ["declarations"],
  import: ["names"],
  const: ["value"],
  fn: ["parameters", "value"],
  functionParameter: ["defaultValue"],
  let: ["value"],
  weight: ["type", "init"],
  block: ["parameters", "members"],
  model: ["parameters", "members"],
  parameter: ["defaultValue"],
  input: ["type", "range"],
  target: ["type", "range"],
  tensorType: ["dimensions"],
  chain: ["elements"],
  residual: ["header", "members", "skip"],
  body: ["members"],
  concat: ["header", "branches"],
  branch: ["members"],
  repeat: ["count", "members"],
  for: ["values", "members"],
  if: ["condition", "members", "otherwise"],
  else: ["members"],
  section: ["members"],
  share: ["members"],
  loss: ["value"],
  metric: ["call"],
  data: ["splits"],
  split: ["source", "transforms"],
  train: ["model", "members"],
  step: ["settings"],
  setting: ["value"],
  call: ["arguments"],
  sequence: ["calls"],
  list: ["elements"],
  tuple: ["elements"],
  range: ["from", "to"],
  unary: ["operand"],
  binary: ["left", "right"],
};

/**
 * Nodes that begin and end with their own lines: a comment at a line's end belongs to the largest
 * of them.
 */
export const statements: ReadonlySet<string> = new Set([
  ...["import", "const", "fn", "block", "model", "data", "train"],
  ...[
    "input",
    "target",
    "output",
    "loss",
    "metric",
    "let",
    "weight",
    "chain",
    "share",
    "section",
    "repeat",
    "for",
    "if",
    "branch",
  ],
  ...["split", "setting", "step"],
]);

/** The keys of a node's children. Arguments and the range of a target have no separate kind. */
export function keysOf(node: object): readonly string[] {
  const { kind, skip } = node as { readonly kind?: string; readonly skip?: Skip };
  // A residual without a written skip has the identity, which has no place in the text.
  if (skip?.kind === "identity") return ["members"];
  if (kind !== undefined) return CHILD_KEYS[kind] ?? [];
  return "from" in node ? ["from", "to"] : ["value"];
}

/** Whether comments may belong to a node: not to what its parent prints. */
export function takesComments(node: object): boolean {
  const { kind } = node as { readonly kind?: string };
  return kind === undefined ? "value" in node : kind !== "comment";
}
