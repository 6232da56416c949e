/** Formulas as operators of ONNX, one node for each operation. */
import type { BinaryOperator, Expression, UnaryOperator } from "../../../compiler/ir/expression.js";
import { selectionOf, type Selection } from "../../../compiler/ir/expression-choice.js";
import type { LayerNodes } from "./node-writer.js";

/** `TensorProto.FLOAT`. */
const FLOAT = 1;

const UNARY: Partial<Record<UnaryOperator, string>> = {
  negate: "Neg",
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  tanh: "Tanh",
  softplus: "Softplus",
  sigmoid: "Sigmoid",
  relu: "Relu",
};

const BINARY: Readonly<Record<BinaryOperator, string>> = {
  add: "Add",
  subtract: "Sub",
  multiply: "Mul",
  divide: "Div",
  maximum: "Max",
  minimum: "Min",
  power: "Pow",
};

export function formula(nodes: LayerNodes): void {
  new FormulaNodes(nodes).write(nodes.call.formula);
}

class FormulaNodes {
  private count = 0;

  constructor(private readonly nodes: LayerNodes) {}

  /** The last operation makes the layer's value. */
  write(expression: Expression): void {
    const last = this.operation(expression);
    if (typeof last === "string") this.nodes.pass();
    else this.nodes.end(last.operator, last.inputs, last.attributes);
  }

  /** The name of a part's value. */
  private value(expression: Expression): string {
    const made = this.operation(expression);
    if (typeof made === "string") return made;
    return this.nodes.part(this.next("part"), made.operator, made.inputs, made.attributes);
  }

  /** An existing name, or the node to be. */
  private operation(expression: Expression): string | Operation {
    switch (expression.kind) {
      case "operand":
        return this.nodes.input(expression.index);
      case "constant":
        return this.constant(expression.value);
      case "unary":
        return this.unary(expression.operator, expression.argument);
      case "binary": {
        const selection = selectionOf(expression);
        if (selection) return this.selection(selection);
        const inputs = [this.value(expression.left), this.value(expression.right)];
        return { operator: BINARY[expression.operator], inputs };
      }
      default:
        throw new Error(`a formula cannot have \`${expression.kind}\``);
    }
  }

  private unary(operator: UnaryOperator, argument: Expression): string | Operation {
    if (operator === "stop") return this.operation(argument);
    const x = this.value(argument);
    const plain = UNARY[operator];
    if (plain) return { operator: plain, inputs: [x] };
    switch (operator) {
      case "expm1":
        return { operator: "Sub", inputs: [this.part("Exp", [x]), this.constant(1)] };
      case "positive":
        return { operator: "Cast", inputs: [this.isPositive(x)], attributes: { to: FLOAT } };
      case "isnan":
        return { operator: "Cast", inputs: [this.part("IsNaN", [x])], attributes: { to: FLOAT } };
      case "normal":
        return this.normal(x);
      default:
        throw new Error(`a formula cannot have \`${operator}\``);
    }
  }

  private selection({ condition, value }: Selection): Operation {
    const isChosen = this.isPositive(this.value(condition));
    return { operator: "Where", inputs: [isChosen, this.value(value), this.constant(0)] };
  }

  private isPositive(x: string): string {
    return this.part("Greater", [x, this.constant(0)]);
  }

  /** (1 + erf(x / sqrt(2))) / 2. */
  private normal(x: string): Operation {
    const scaled = this.part("Mul", [x, this.constant(Math.SQRT1_2)]);
    const sum = this.part("Add", [this.part("Erf", [scaled]), this.constant(1)]);
    return { operator: "Mul", inputs: [sum, this.constant(0.5)] };
  }

  private part(operator: string, inputs: readonly string[]): string {
    return this.nodes.part(this.next("part"), operator, inputs);
  }

  private constant(value: number): string {
    return this.nodes.scalar(this.next("number"), value);
  }

  private next(name: string): string {
    return `${name}${++this.count}`;
  }
}

interface Operation {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly attributes?: { readonly to: number };
}
