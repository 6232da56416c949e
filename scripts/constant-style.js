/**
 * A rule for ESLint: constants of a module are UPPER_CASE where their value is in the text: a
 * number, a text, a regular expression, or a list, set or table of these. Names that start with a
 * capital letter (`ExitCode.done`) are for tables that are used like enums. What a module computes,
 * or changes while it runs, is camelCase or UPPER_CASE; what a function declares is camelCase.
 */

/** Whether all of a value is in the text. */
function isWritten(node) {
  switch (node?.type) {
    case "Literal":
      return true;
    case "TemplateLiteral":
      return node.expressions.every(isWritten);
    case "UnaryExpression":
      return isWritten(node.argument);
    case "BinaryExpression":
      return isWritten(node.left) && isWritten(node.right);
    case "TSAsExpression":
    case "TSSatisfiesExpression":
      return isWritten(node.expression);
    case "ArrayExpression":
      return node.elements.length > 0 && node.elements.every(isWritten);
    case "ObjectExpression":
      return node.properties.length > 0 && node.properties.every(({ value }) => isWritten(value));
    case "NewExpression":
      return (
        node.callee.name === "Set" && node.arguments.length === 1 && isWritten(node.arguments[0])
      );
    default:
      return false;
  }
}

/** Whether a reference changes a part of the value: `totals.steps += 1`. */
function isChange({ identifier }) {
  let { parent } = identifier;
  while (parent.type === "MemberExpression" && parent.object.type !== "Identifier")
    parent = parent.parent;
  if (parent.type !== "MemberExpression" || parent.object !== identifier) return false;
  const { type, left } = parent.parent;
  return type === "UpdateExpression" || (type === "AssignmentExpression" && left === parent);
}

const isOfModule = ({ parent: { parent } }) =>
  parent.type === "Program" || parent.type === "ExportNamedDeclaration";

export const constantStyle = {
  meta: {
    type: "suggestion",
    messages: {
      module: "`{{name}}` is a constant of this module, whose value is in the text: UPPER_CASE.",
      function: "`{{name}}` is declared in a function: camelCase.",
    },
  },
  create: (context) => ({
    VariableDeclarator(node) {
      if (node.parent.kind !== "const" || node.id.type !== "Identifier") return;
      const { name } = node.id;
      const report = (messageId) => context.report({ node: node.id, messageId, data: { name } });
      if (!isOfModule(node)) {
        if (/^[A-Z][A-Z0-9]*_|^[A-Z]{2,}$/.test(name)) report("function");
        return;
      }
      if (!/^[a-z]/.test(name) || !isWritten(node.init)) return;
      const [variable] = context.sourceCode.getDeclaredVariables(node);
      if (!variable.references.some(isChange)) report("module");
    },
  }),
};
