/** Reads formulas: `x * sigmoid(beta * x)`. */
import type {
  BinaryExpression,
  CallExpression,
  Expression as Syntax,
  Identifier,
  Span,
} from "../../grammar/ast.js";
import { bind } from "../calls/bind.js";
import { isNumeric } from "../calls/constant.js";
import type { Environment } from "../calls/environment.js";
import { insertAfter } from "../calls/edits.js";
import { evaluate } from "../calls/evaluate.js";
import { isFunction } from "../calls/functions.js";
import {
  type ArgumentType,
  type Bound,
  type CallValues,
  required,
  type Signature,
} from "../calls/signature.js";
import { adviseCall } from "../calls/suggestion.js";
import { simplify } from "../ir/expression-simplify.js";
import { countOperations } from "../ir/expression-transform.js";
import { binary, constant, unary, type Expression } from "../ir/expression.js";
import { isActivation } from "../layers/activation.js";
import {
  findFormulaFunction,
  type FormulaFunction,
  formulaFunctions,
} from "../layers/formula-functions.js";
import { both, COMPARISONS, either, isCondition, not } from "../ir/expression-choice.js";
import { absentFunctions } from "../layers/absent-functions.js";
import { AXES } from "../layers/channel-parts.js";
import { power } from "../layers/formula-power.js";
import { ignored } from "../layers/score.js";
import { findLayer, layers } from "../layers/index.js";
import type { LayerDefinition } from "../layers/layer.js";
import { functionScope, signatureOf } from "./functions.js";
import type { DeclaredFunction, Module } from "./modules.js";

/** A larger formula would not be one kernel; functions that use functions multiply. */
const MOST_OPERATIONS = 200;

/** A reduction that a formula calls. */
export interface ReductionCall {
  readonly layer: LayerDefinition;
  readonly call: CallExpression;
  readonly values: CallValues;
  readonly spans: Bound["spans"];
}

/** What a formula makes of a target of classes. */
export interface OneHotCall {
  readonly call: CallExpression;
  /** The label of pixels that do not count, and where the call gives it. */
  readonly ignore: number | undefined;
  readonly spans: Bound["spans"];
}

/** What the names of a formula mean at its place. */
export interface FormulaNames {
  /** Constants, parameters and loop variables. */
  readonly environment: Environment;
  /** The functions that it may call. */
  readonly module: Module;
  /** Remembers that a function is used. */
  use(declared: DeclaredFunction): void;
  /** Whether a value of the network has this name. Reports nothing. */
  isValue(name: string): boolean;
  /** The value of this name; undefined after reporting that there is none. */
  valueOf(name: string, span: Span): Expression | undefined;
  /** The value that a reduction makes of another one; absent where there are no layers. */
  readonly reduce?:
    ((reduction: ReductionCall, x: Expression) => Expression | undefined) | undefined;
  /** `one_hot(x)`; absent where no target is. */
  readonly oneHot?: ((classes: OneHotCall, x: Expression) => Expression | undefined) | undefined;
  /** The declared functions around, the outermost first. */
  readonly within: readonly DeclaredFunction[];
  /** How many uses of declared functions the whole formula has so far. */
  readonly uses: { count: number };
}

/** The formula as a scalar expression of the values that it names; undefined after a report. */
export function readFormula(syntax: Syntax, names: FormulaNames): Expression | undefined {
  return new FormulaReader(names).read(syntax);
}

/** The argument of a reduction, and what others call it. */
const OVER = new Set(["over", "dim", "axis"]);

/** Whether a call is `mean(x, over=rows)`, and not a function of its arguments. */
function isReduction(
  { callee, arguments: given }: CallExpression,
  { isValue }: Pick<FormulaNames, "isValue">,
): boolean {
  if (!findLayer(callee.name)?.reduces) return false;
  const namesAxes = (value: Syntax): boolean => {
    // Formulas have no other lists: `max(x, [2, 3])`.
    if (value.kind === "list") return true;
    const isAxis = value.kind === "name" && AXES.some((axis) => axis === value.name);
    return isAxis && !isValue(value.name);
  };
  const isOver = given.some(({ name, value }) => (name ? OVER.has(name.name) : namesAxes(value)));
  return isOver || !findFormulaFunction(callee.name);
}

/** Whether a formula, or a function that it uses, takes more than operations on single elements. */
export function readsLayers(
  syntax: Syntax,
  names: Pick<FormulaNames, "isValue" | "module">,
  within: readonly DeclaredFunction[] = [],
): boolean {
  const some = (...parts: readonly Syntax[]) =>
    parts.some((part) => readsLayers(part, names, within));
  switch (syntax.kind) {
    case "unary":
      return some(syntax.operand);
    case "binary":
      return some(syntax.left, syntax.right);
    case "call": {
      const declared = names.module.functions.get(syntax.callee.name);
      if (some(...syntax.arguments.map(({ value }) => value))) return true;
      if (!declared) {
        const isOfClasses = findFormulaFunction(syntax.callee.name)?.isOfClasses ?? false;
        return isOfClasses || isReduction(syntax, names);
      }
      if (within.includes(declared)) return false; // which is reported when it is read
      const { declaration, module } = declared;
      const isValue = (name: string) =>
        declaration.parameters.some((parameter) => parameter.name.name === name);
      return readsLayers(declaration.value, { module, isValue }, [...within, declared]);
    }
    default:
      return false;
  }
}

class FormulaReader {
  private readonly environment: Environment;

  constructor(private readonly names: FormulaNames) {
    this.environment = names.environment;
  }

  read(syntax: Syntax): Expression | undefined {
    const unfolded = this.readAny(syntax);
    const read = unfolded && simplify(unfolded);
    if (read?.kind === "constant" && !Number.isFinite(Math.fround(read.value))) {
      return this.reportUnbounded(syntax, read.value);
    }
    if (!read || countOperations(read) <= MOST_OPERATIONS) return read;
    return this.report(syntax.span, `this formula has more than ${MOST_OPERATIONS} operations`, [
      "give a part of it a name: `let part = ...`",
    ]);
  }

  private readAny(syntax: Syntax): Expression | undefined {
    switch (syntax.kind) {
      case "name":
        return this.readName(syntax.name, syntax.span);
      case "pattern":
        return syntax.segments.includes("*")
          ? this.reportNoNumber(syntax)
          : this.readName(syntax.segments.join("."), syntax.span);
      case "boolean":
        return constant(Number(syntax.value));
      case "unary": {
        if (syntax.operator === "not") {
          const condition = this.readCondition(syntax.operand, "not");
          return condition && not(condition);
        }
        const operand = this.read(syntax.operand);
        return operand && unary("negate", operand);
      }
      case "binary":
        return this.readBinary(syntax);
      case "call":
        return this.readCall(syntax);
      case "number":
        return this.readConstant(syntax);
      default:
        return this.reportNoNumber(syntax);
    }
  }

  private readName(name: string, span: Span): Expression | undefined {
    const { names, environment } = this;
    const isConstant = environment.scope.has(name);
    if (!names.isValue(name)) {
      return isConstant
        ? this.readConstant({ kind: "name", name, span })
        : names.valueOf(name, span);
    }
    if (!isConstant) return names.valueOf(name, span);
    return this.report(span, `\`${name}\` is both a value and a constant here`, [
      "give one of them another name",
    ]);
  }

  private readConstant(syntax: Syntax): Expression | undefined {
    const value = evaluate(syntax, this.environment);
    if (!value) return undefined;
    if (value.kind === "boolean") return constant(Number(value.value));
    return isNumeric(value) ? constant(value.value) : this.reportNoNumber(syntax);
  }

  private readBinary(syntax: BinaryExpression): Expression | undefined {
    const { operator, span } = syntax;
    if (operator === "and" || operator === "or") return this.readJoined(syntax);
    const left = this.read(syntax.left);
    const right = this.read(syntax.right);
    if (!left || !right) return undefined;
    const compared = COMPARISONS[operator];
    if (compared) return compared(left, right);
    switch (operator) {
      case "+":
        return binary("add", left, right);
      case "-":
        return binary("subtract", left, right);
      case "*":
        return binary("multiply", left, right);
      case "/":
        return right.kind === "constant" && right.value === 0
          ? this.report(syntax.right.span, "division by zero")
          : binary("divide", left, right);
      case "^":
        return power(left, right);
      case "%":
        return left.kind === "constant" && right.kind === "constant"
          ? constant(left.value - right.value * Math.floor(left.value / right.value))
          : this.report(span, "a formula of values has no remainder `%`");
      default:
        return this.report(span, `a formula of values has no operator \`${operator}\``);
    }
  }

  /** `x > 0 and x < 1`: 1 or 0, like a comparison. */
  private readJoined({ operator, left, right }: BinaryExpression): Expression | undefined {
    const [first, second] = [left, right].map((side) => this.readCondition(side, operator));
    if (!first || !second) return undefined;
    return operator === "and" ? both(first, second) : either(first, second);
  }

  /** What `and`, `or` and `not` take: other numbers would count as true or not. */
  private readCondition(syntax: Syntax, operator: string): Expression | undefined {
    const condition = this.read(syntax);
    if (!condition || isCondition(condition)) return condition;
    return this.environment.reporter.report("NET1040", {
      message: `\`${operator}\` needs a condition, but this is a number`,
      span: syntax.span,
      notes: ["comparisons are conditions: `x > 0`, `x != 0`"],
      fixes: [{ title: "add `!= 0`", edits: [insertAfter(syntax.span, " != 0")] }],
    });
  }

  // Calls

  private readCall(call: CallExpression): Expression | undefined {
    const declared = this.names.module.functions.get(call.callee.name);
    if (declared) return this.readDeclared(call, declared);
    const reduction = this.reductionOf(call);
    if (reduction) return this.readReduction(call, reduction);
    const known = findFormulaFunction(call.callee.name);
    if (known?.isOfClasses) return this.readOneHot(call, known);
    if (known) return this.readKnown(call, known);
    const layer = findLayer(call.callee.name);
    if (layer && isActivation(layer)) return this.readActivation(call, layer);
    if (isFunction(call.callee.name)) {
      return this.namesValue(call) ? this.reportConstantsOnly(call) : this.readConstant(call);
    }
    if (this.names.module.missing.has(call.callee.name)) return undefined;
    return this.reportUnknown(call, layer);
  }

  /** `swish(x)` of a `fn swish`: its formula, with what the call gives for its parameters. */
  private readDeclared(call: CallExpression, declared: DeclaredFunction): Expression | undefined {
    const { names, environment } = this;
    const { declaration } = declared;
    const { callee } = call;
    names.use(declared);
    environment.names.use("function", callee.name, callee.span, declaration.name.span);
    const bound = bind(call, signatureOf(declared, formulaArgument(names)), environment);
    return bound && applyFunction(declared, bound.values, callee, names);
  }

  private readKnown(call: CallExpression, known: FormulaFunction): Expression | undefined {
    const extra = known.takesMore ? call.arguments.slice(known.parameters.length) : [];
    const rest =
      extra.length > 0 ? call.arguments.slice(0, known.parameters.length) : call.arguments;
    const value = required(formulaArgument(this.names), "a value or a number");
    const signature: Signature = {
      name: known.name,
      aliases: [],
      positional: known.parameters,
      arguments: Object.fromEntries(known.parameters.map((name) => [name, value])),
    };
    const bound = bind({ ...call, arguments: rest }, signature, this.environment);
    const more = extra.map((argument) => this.read(argument.value));
    if (!bound || !more.every((each) => each !== undefined)) return undefined;
    const given = known.parameters.map((name) => bound.values[name] as Expression);
    return known.build([...given, ...more]);
  }

  /** `one_hot(label)`, of a target alone. */
  private readOneHot(call: CallExpression, { name }: FormulaFunction): Expression | undefined {
    const { oneHot } = this.names;
    if (!oneHot) {
      return this.report(call.callee.span, `\`${name}\` is of a target, which only scores read`, [
        `for instance \`loss mean((x - ${name}(label))^2)\``,
      ]);
    }
    const label = required(formulaArgument(this.names), "a target of classes");
    const signature: Signature = {
      name,
      aliases: [],
      positional: ["label"],
      arguments: { label, ignore: ignored },
    };
    const bound = bind(call, signature, this.environment);
    if (!bound) return undefined;
    const { label: value, ignore } = bound.values as {
      readonly label: Expression;
      readonly ignore: number | undefined;
    };
    return oneHot({ call, ignore, spans: bound.spans }, value);
  }

  /** The layer of `mean(x, over=rows)`; `max(x, y)` and `max(x, 1)` are a function. */
  private reductionOf(call: CallExpression): LayerDefinition | undefined {
    return isReduction(call, this.names) ? findLayer(call.callee.name) : undefined;
  }

  private readReduction(call: CallExpression, layer: LayerDefinition): Expression | undefined {
    const reduce = this.names.reduce!;
    const x = required(formulaArgument(this.names), "what is joined");
    const signature: Signature = {
      ...layer,
      positional: ["x", ...layer.positional],
      arguments: { x, ...layer.arguments },
    };
    const bound = bind(call, signature, this.environment);
    if (!bound) return undefined;
    const { x: value, ...values } = bound.values;
    return reduce({ layer, call, values, spans: bound.spans }, value as Expression);
  }

  private readActivation(call: CallExpression, layer: LayerDefinition): Expression | undefined {
    const x = required(formulaArgument(this.names), "what it is applied to");
    const signature: Signature = {
      ...layer,
      positional: ["x", ...layer.positional],
      arguments: { x, ...layer.arguments },
    };
    const bound = bind(call, signature, this.environment);
    if (!bound) return undefined;
    const { x: value, ...values } = bound.values;
    return layer.expression!(value as Expression, values);
  }

  // Reports

  private reportUnknown(call: CallExpression, layer: LayerDefinition | undefined): undefined {
    const { callee } = call;
    if (layer) {
      return this.report(
        callee.span,
        `\`${callee.name}\` is a layer and cannot be part of a formula`,
        [`a formula computes element by element: ${this.asLayer(call)} and use that`],
      );
    }
    const known = [
      ...formulaFunctions,
      ...layers.filter(isActivation),
      ...[...this.names.module.functions.keys()].map((name) => ({ name, aliases: [] })),
    ];
    const otherwise = [`functions are ${known.map(({ name }) => `\`${name}\``).join(", ")}`];
    const { question, ...advice } = adviseCall(call, {
      known,
      absent: absentFunctions,
      otherwise,
    });
    const message = `there is no function \`${callee.name}\`${question}`;
    return this.environment.reporter.report("NET1040", { message, span: callee.span, ...advice });
  }

  /** How to use a layer instead of a call of it. */
  private asLayer({ callee, arguments: [first] }: CallExpression): string {
    const value = first?.name === undefined ? first?.value : undefined;
    if (value?.kind !== "name" || !this.names.isValue(value.name))
      return "name the layer's output with `as`";
    return `write \`from ${value.name} -> ${callee.name} as NAME\` before`;
  }

  private reportUnbounded({ span }: Syntax, value: number): undefined {
    if (!Number.isNaN(value)) {
      return this.report(span, `this is ${value}, which 32 bits cannot hold`);
    }
    return this.report(span, "this is not a number (NaN)", [
      "`log` and `sqrt` take numbers from 0 on, and only integers are powers below 0",
    ]);
  }

  /** `floor(x)`: a value where only constants can be. */
  private reportConstantsOnly({ callee, span }: CallExpression): undefined {
    return this.report(span, `\`${callee.name}\` computes with constants, and not with values`, [
      "its slope is 0 everywhere: nothing before it would be trained",
    ]);
  }

  /** Whether a value of the network is named in an expression. */
  private namesValue(syntax: Syntax): boolean {
    switch (syntax.kind) {
      case "name":
        return this.names.isValue(syntax.name);
      case "unary":
        return this.namesValue(syntax.operand);
      case "binary":
        return this.namesValue(syntax.left) || this.namesValue(syntax.right);
      case "call":
        return syntax.arguments.some(({ value }) => this.namesValue(value));
      default:
        return false;
    }
  }

  private reportNoNumber({ span }: Syntax): undefined {
    return this.report(span, "a formula computes with values and numbers only");
  }

  private report(span: Span, message: string, notes: readonly string[] = []): undefined {
    return this.environment.reporter.report("NET1040", { message, span, notes });
  }
}

/** An argument that is a formula. */
export function formulaArgument(names: FormulaNames): ArgumentType<Expression> {
  return {
    description: "a value or a number",
    accepts: { kind: "value" },
    read: (syntax) => readFormula(syntax, names),
    write: () => {
      throw new Error("formulas are written with the names of their values");
    },
  };
}

/**
 * The formula of a declared function, with these values for its parameters. Within it, names mean
 * what they mean where it is declared.
 */
export function applyFunction(
  declared: DeclaredFunction,
  values: Readonly<Record<string, unknown>>,
  callee: Identifier,
  around: FormulaNames,
): Expression | undefined {
  const { declaration, module } = declared;
  const { environment, within, uses } = around;
  const { reporter, names } = environment;
  if (++uses.count > MOST_OPERATIONS) return reportUses(declared, reporter);
  if (within.includes(declared)) return reportRecursion(declared, within, callee, environment);
  const of = (name: string) => (Object.hasOwn(values, name) ? values[name] : undefined);
  const parameters = new Map(
    declaration.parameters
      .filter(({ type }) => !type)
      .map(({ name }) => [name.name, { value: of(name.name) as Expression, span: name.span }]),
  );
  const use = { block: declaration.name.name, name: callee.name, span: callee.span };
  const inner = reporter.within(use);
  return readFormula(declaration.value, {
    environment: { scope: functionScope(declared, of), reporter: inner, names },
    module,
    within: [...within, declared],
    uses,
    use: (each) => around.use(each),
    reduce: around.reduce,
    oneHot: around.oneHot,
    isValue: (name) => parameters.has(name),
    valueOf(name, span) {
      const found = parameters.get(name);
      if (!found) return reportNoParameter(declared, name, span, inner);
      names.use("parameter", name, span, found.span);
      return found.value;
    },
  });
}

/** Functions that use functions twice would multiply without end. */
function reportUses(
  { declaration }: DeclaredFunction,
  reporter: Environment["reporter"],
): undefined {
  const { name, span } = declaration.name;
  return reporter.report("NET1040", {
    message: `a formula uses \`${name}\` and other functions more than ${MOST_OPERATIONS} times`,
    span,
    notes: ["give a part of it a name: `let part = ...`"],
  });
}

function reportRecursion(
  declared: DeclaredFunction,
  within: readonly DeclaredFunction[],
  { span }: Identifier,
  { reporter }: Environment,
): undefined {
  const cycle = [...within.slice(within.indexOf(declared)), declared];
  const names = cycle.map(({ declaration }) => `\`${declaration.name.name}\``);
  return reporter.report("NET1024", {
    message: `a function cannot use itself: ${names.join(" uses ")}`,
    span,
    related: [{ span: declared.declaration.name.span, message: "declared here" }],
  });
}

function reportNoParameter(
  { declaration, module }: DeclaredFunction,
  name: string,
  span: Span,
  reporter: Environment["reporter"],
): undefined {
  const known = [
    ...declaration.parameters.map((parameter) => parameter.name.name),
    ...module.environment.scope.names,
  ];
  return reporter.report("NET1003", {
    message: `there is no parameter or constant \`${name}\` in \`${declaration.name.name}\``,
    span,
    notes: [
      `it sees ${known.map((each) => `\`${each}\``).join(", ") || "nothing"}: ` +
        "values of a network come in as parameters",
    ],
  });
}
