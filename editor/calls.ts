import type {
  Argument,
  BodyMember,
  CallExpression,
  ChainElement,
  Concat,
  Declaration,
  Else,
  Expression,
  If,
  ModelMember,
  Residual,
  Setting,
  Spec,
} from "../grammar/ast.js";
import { settingsWithin } from "../grammar/ast.js";
import { asCalls } from "../compiler/semantics/recipes/definition.js";

/** Settings of recipes that take specific calls. */
const POLICIES = [
  ...(["optimizer", "schedule", "average", "stop", "best"] as const),
  ...(["precision", "weights", "teacher", "unfreeze"] as const),
] as const;

type PolicyName = (typeof POLICIES)[number];

const isPolicy = (name: string): name is PolicyName =>
  (POLICIES as readonly string[]).includes(name);

/** What a call can be of, by its place. */
export type CallRole =
  | "layer"
  | "loss"
  | "metric"
  | "source"
  | "transform"
  | PolicyName
  | "model"
  /** In an argument: an initializer or a function of constants. */
  | "argument"
  | "function"
  /** A function of values. */
  | "formula";

export interface PlacedCall {
  readonly call: CallExpression;
  readonly role: CallRole;
  /** Whether it is a keyword with arguments, as in `residual(drop=0.1) { ... }`. */
  readonly isKeyword?: boolean;
}

/**
 * Every call in a spec, in the order of the text except for calls within another. Bare names
 * count where they are calls.
 */
export function callsIn(spec: Spec): readonly PlacedCall[] {
  return spec.declarations.flatMap(callsOfDeclaration);
}

function callsOfDeclaration(declaration: Declaration): readonly PlacedCall[] {
  switch (declaration.kind) {
    case "import":
      return [];
    case "const":
      return callsOfExpression(declaration.value, "function");
    case "fn":
      return callsOfExpression(declaration.value, "formula");
    case "block":
    case "model":
      return [
        ...declaration.parameters.flatMap(({ defaultValue }) =>
          defaultValue ? callsOfExpression(defaultValue, "function") : [],
        ),
        ...declaration.members.flatMap(callsOfMember),
      ];
    case "data":
      return declaration.splits.flatMap(({ source, transforms }) => [
        ...placed(source, "source"),
        ...transforms.flatMap((call) => placed(call, "transform")),
      ]);
    case "train":
      return [
        ...placed(declaration.model, "model"),
        ...settingsWithin(declaration).flatMap(callsOfSetting),
      ];
  }
}

function callsOfSetting({ name, value }: Setting): readonly PlacedCall[] {
  const role = settingRole(name.name);
  const calls = role === "function" ? undefined : asCalls(value);
  return calls?.flatMap((call) => placed(call, role)) ?? callsOfExpression(value, role);
}

/** The role of a call after `optimizer =` and the like. */
export function settingRole(setting: string): CallRole {
  return isPolicy(setting) ? setting : "function";
}

function callsOfMember(member: ModelMember): readonly PlacedCall[] {
  switch (member.kind) {
    case "input":
      return [...member.type.dimensions, ...(member.range ? [member.range.to] : [])].flatMap(
        (each) => callsOfExpression(each, "function"),
      );
    case "target":
      return member.range ? callsOfExpression(member.range.to, "function") : [];
    case "output":
      return [];
    case "loss":
      return callsOfExpression(member.value, "loss");
    case "metric":
      return placed(member.call, "metric");
    case "share":
      return member.members.flatMap(callsOfBody);
    default:
      return callsOfBody(member);
  }
}

function callsOfBody(member: BodyMember): readonly PlacedCall[] {
  switch (member.kind) {
    case "chain":
      return member.elements.flatMap(callsOfElement);
    case "weight":
      return member.init ? callsOfExpression(member.init, "argument") : [];
    case "let":
      return callsOfExpression(member.value, "formula");
    case "section":
      return member.members.flatMap(callsOfBody);
    case "repeat":
      return [
        ...callsOfExpression(member.count, "function"),
        ...member.members.flatMap(callsOfBody),
      ];
    case "for":
      return [
        ...callsOfExpression(member.values, "function"),
        ...member.members.flatMap(callsOfBody),
      ];
    case "if":
      return [
        ...callsOfExpression(member.condition, "function"),
        ...member.members.flatMap(callsOfBody),
        ...(member.otherwise ? callsOfOtherwise(member.otherwise) : []),
      ];
  }
}

const callsOfOtherwise = (otherwise: If | Else): readonly PlacedCall[] =>
  otherwise.kind === "if" ? callsOfBody(otherwise) : otherwise.members.flatMap(callsOfBody);

function callsOfElement(element: ChainElement): readonly PlacedCall[] {
  switch (element.kind) {
    case "call":
      return placed(element, "layer");
    case "from":
      return [];
    case "concat": {
      const inBranches = element.branches.flatMap(({ members }) => members.flatMap(callsOfBody));
      return [...callsOfHeader(element), ...inBranches];
    }
    case "residual": {
      const skip = element.skip.kind === "body" ? element.skip.members : [];
      return [...callsOfHeader(element), ...[...element.members, ...skip].flatMap(callsOfBody)];
    }
  }
}

/** `split(...)`, `concat(axis=rows)` or `residual(drop=0.1)` in front of a block. */
function callsOfHeader({ header }: Concat | Residual): readonly PlacedCall[] {
  return header
    ? placed(header, "layer").map((each) => ({ ...each, isKeyword: each.call === header }))
    : [];
}

/** A call and those in its arguments. */
function placed(call: CallExpression, role: CallRole): readonly PlacedCall[] {
  return [{ call, role }, ...call.arguments.flatMap((each) => callsOfArgument(each, role))];
}

/** `init=kaiming` may be a call without parentheses; `one_of(hflip, vflip)` is of transforms. */
function callsOfArgument({ name, value }: Argument, of: CallRole): readonly PlacedCall[] {
  if (of === "transform" && !name)
    return (asCalls(value) ?? []).flatMap((call) => placed(call, "transform"));
  const calls = name && value.kind === "name" ? asCalls(value) : undefined;
  return calls?.map((call) => ({ call, role: "argument" })) ?? callsOfExpression(value, "argument");
}

function callsOfExpression(expression: Expression, role: CallRole): readonly PlacedCall[] {
  switch (expression.kind) {
    case "call":
      return placed(expression, role);
    case "sequence":
      return expression.calls.flatMap((call) => placed(call, role));
    case "list":
    case "tuple":
      return expression.elements.flatMap((element) => callsOfExpression(element, role));
    case "range":
      return [expression.from, expression.to].flatMap((end) => callsOfExpression(end, role));
    case "unary":
      return callsOfExpression(expression.operand, role);
    case "binary":
      return [expression.left, expression.right].flatMap((side) => callsOfExpression(side, role));
    default:
      return [];
  }
}
