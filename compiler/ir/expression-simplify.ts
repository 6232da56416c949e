import { binaryFunctions, unaryFunctions } from "./expression-evaluate.js";
import { mapParts, sameExpression } from "./expression-transform.js";
import { binary, constant, multiply, unary, type Expression } from "./expression.js";

type Unary = Extract<Expression, { kind: "unary" }>;
type Binary = Extract<Expression, { kind: "binary" }>;

/** The same function with fewer operations. Constants are computed, neutral elements vanish. */
export function simplify(expression: Expression): Expression {
  const parts = mapParts(expression, simplify);
  switch (parts.kind) {
    case "keep":
      return parts.rate === 0 ? constant(1) : parts;
    case "unary":
      return simplifyUnary(parts);
    case "binary":
      return simplifyBinary(parts);
    default:
      return parts;
  }
}

export function isConstant(expression: Expression, value: number): boolean {
  return expression.kind === "constant" && expression.value === value;
}

function simplifyUnary(expression: Unary): Expression {
  const { operator, argument } = expression;
  if (argument.kind === "constant") return constant(unaryFunctions[operator](argument.value));
  if (argument.kind !== "unary") return expression;
  if (operator === "negate" && argument.operator === "negate") return argument.argument;
  if (operator === "relu" && argument.operator === "relu") return argument;
  if (operator === "positive" && argument.operator === "relu")
    return unary("positive", argument.argument);
  if (operator === "positive" && argument.operator === "positive") return argument;
  return expression;
}

function simplifyBinary(expression: Binary): Expression {
  const { operator, left, right } = expression;
  if (left.kind === "constant" && right.kind === "constant")
    return constant(binaryFunctions[operator](left.value, right.value));
  switch (operator) {
    case "add":
      return simplifySum(expression);
    case "subtract":
      if (isConstant(right, 0)) return left;
      return isConstant(left, 0) ? simplifyUnary(asNegated(right)) : expression;
    case "multiply":
      return simplifyProduct(expression);
    case "divide":
      if (isConstant(left, 0)) return left;
      return isConstant(right, 1) ? left : expression;
    case "power":
      return isConstant(right, 1) ? left : expression;
    case "maximum":
    case "minimum":
      return sameExpression(left, right) ? left : expression;
  }
}

function simplifySum({ left, right }: Binary): Expression {
  if (isConstant(left, 0)) return right;
  if (isConstant(right, 0)) return left;
  return binary("add", left, right);
}

/** Constants move to the left, so that constants of nested products meet. */
function simplifyProduct({ left, right }: Binary): Expression {
  if (right.kind === "constant") return simplifyProduct(asProduct(right, left));
  if (isConstant(left, 0)) return left;
  if (isConstant(left, 1)) return right;
  if (isConstant(left, -1)) return simplifyUnary(asNegated(right));
  const nested = right.kind === "binary" && right.operator === "multiply" ? right : undefined;
  if (left.kind === "constant" && nested?.left.kind === "constant")
    return simplifyProduct(asProduct(constant(left.value * nested.left.value), nested.right));
  if (left.kind !== "constant" && nested?.left.kind === "constant")
    return asProduct(nested.left, multiply(left, nested.right));
  return multiply(left, right);
}

const asProduct = (left: Expression, right: Expression) => multiply(left, right) as Binary;
const asNegated = (argument: Expression) => unary("negate", argument) as Unary;
