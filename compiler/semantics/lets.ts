/** `let y = x * sigmoid(x)`, and declared functions that are used like layers. */
import type {
  CallExpression,
  Expression as Syntax,
  Identifier,
  Let,
  Span,
} from "../../grammar/ast.js";
import { bind } from "../calls/bind.js";
import type { Signature } from "../calls/signature.js";
import { isConstant, simplify } from "../ir/expression-simplify.js";
import { compactInputs, leaves, substitute } from "../ir/expression-transform.js";
import type { Label } from "../diagnostics/diagnostic.js";
import { constant, type Expression } from "../ir/expression.js";
import { formatShape, isWide, type Shape } from "../ir/shape.js";
import { formula, MOST_OPERANDS } from "../layers/formula.js";
import { type ChosenAxis, nameOfAxis } from "../layers/chosen-axes.js";
import { inferOutput, inferShape } from "../layers/infer.js";
import { oneHot } from "../layers/one-hot.js";
import { sameValue } from "../network/facts.js";
import type { NetworkValue } from "../network/resolved.js";
import {
  applyFunction,
  formulaArgument,
  type FormulaNames,
  type OneHotCall,
  readFormula,
  type ReductionCall,
} from "./formula-reader.js";
import { signatureOf } from "./functions.js";
import { type LayerUse, reportingContext } from "./layer-context.js";
import type { DeclaredFunction, Modules } from "./modules.js";
import type { NamedValues } from "./named-values.js";
import type { NamingHost } from "./naming-host.js";
import { type Current, type Place, valueOf } from "./place.js";
import { isOfNoNumbers, reportNoClasses, reportNoNumbers } from "./score-classes.js";
import type { NamedValue, Target } from "./values.js";

/** What formulas need of the reader of a network. */
export interface FormulaHost extends NamingHost {
  readonly modules: Modules;
  readonly values: NamedValues;
  findValue(name: string, span: Span, place: Place): NamedValue | undefined;
  lose(): void;
  applyLayer(use: LayerUse, place: Place): void;
}

/** What a score's formula reads in addition to the network's values. */
export interface ScoreTargets {
  isTarget(name: string): boolean;
  /** The target of this name; undefined after a report. */
  targetOf(name: string, span: Span): Current | undefined;
  /** The one-hot values of a target are read; false after a report. */
  checkOneHot(classes: OneHotCall, target: Target): boolean;
  /** A sum over pixels counts those that a mask leaves out, if it leaves out any. */
  countsIgnored(call: CallExpression): void;
}

/** The values that a formula reads, each once. */
class Operands {
  readonly values: Current[] = [];
  /** Places of operands that are 0 at pixels without a class. */
  private readonly masked = new Set<number>();
  /** Where targets are named. */
  private readonly mentions = new Map<Target, Span>();

  constructor(
    private readonly host: FormulaHost,
    private readonly place: Place,
    private readonly targets?: ScoreTargets,
  ) {}

  get names(): FormulaNames {
    const { host, place } = this;
    return {
      environment: place.environment,
      module: place.module,
      within: [],
      uses: { count: 0 },
      use: (declared) => host.modules.use(declared),
      isValue: (name) => this.isTarget(name) || host.values.find(name, place) !== undefined,
      reduce: (reduction, x) => this.reduce(reduction, x),
      oneHot: this.targets && ((classes, x) => this.oneHot(classes, x)),
      valueOf: (name, span) => {
        if (this.isTarget(name)) return this.takeTarget(name, span);
        const found = host.findValue(name, span, place);
        return found && this.take(found.current);
      },
    };
  }

  private readonly isTarget = (name: string): boolean => this.targets?.isTarget(name) ?? false;

  private takeTarget(name: string, span: Span): Expression | undefined {
    const current = this.targets!.targetOf(name, span);
    if (!current) return undefined;
    this.mentions.set(current.target!, span);
    return this.take(current);
  }

  /** The numbers of a target of classes. */
  private oneHot(classes: OneHotCall, x: Expression): Expression | undefined {
    const { host, place } = this;
    const { call, ignore, spans } = classes;
    const label = x.kind === "operand" ? this.values[x.index] : undefined;
    const range = label?.target?.range;
    if (!label?.target || label.target.type.dtype !== "u32" || !range) {
      return reportNoClasses(call, label?.target, place);
    }
    if (!this.targets!.checkOneHot(classes, label.target)) return undefined;
    const before = host.current;
    host.current = label;
    const resolved = { definition: oneHot, values: { classes: range.classes, ignore } };
    const name = host.nameAt(place, oneHot.name, undefined, call.callee.span);
    const shortName = name.split(".").at(-1)!;
    host.applyLayer({ ...resolved, spans, call, shortName, others: [] }, place);
    host.list({
      name,
      kind: oneHot.name,
      resolved,
      span: call.span,
      inputs: [valueOf(label)],
      place,
    });
    host.nameValue({ name, layer: oneHot.name, span: call.span, call, before }, undefined, place);
    const made = host.current;
    host.current = before;
    if (!made.shape) return undefined;
    const taken = this.take(made);
    this.masked.add(taken.index);
    return taken;
  }

  /** Reports a target that a formula computes with as if it held numbers. */
  hasClasses(expression: Expression): boolean {
    const found = leaves(expression)
      .map(({ index }) => this.values[index]?.target)
      .find((target) => target && isOfNoNumbers(target));
    if (found) reportNoNumbers(found, this.mentions.get(found)!, this.place);
    return found !== undefined;
  }

  /** Whether an expression is 0 at pixels that a mask leaves out. */
  private isMasked(x: Expression): boolean {
    const without = substitute(x, (leaf) => (this.masked.has(leaf.index) ? constant(0) : leaf));
    return isConstant(simplify(without), 0);
  }

  /** A layer that joins elements of what the formula has computed so far, and reads its value. */
  private reduce({ layer, call, values, spans }: ReductionCall, x: Expression) {
    const { host, place } = this;
    if (this.hasClasses(x)) return undefined;
    const before = host.current;
    host.current = this.partOf(x, call.span);
    const { shape } = host.current;
    const isMasked = this.isMasked(x);
    const isOverPixels = (shape?.length ?? 0) >= 3 && overPixels(values["over"], shape!);
    if (isOverPixels && !isMasked) this.targets?.countsIgnored(call);
    const input = valueOf(host.current);
    const name = host.nameAt(place, layer.name, undefined, call.callee.span);
    const shortName = name.split(".").at(-1)!;
    host.applyLayer({ definition: layer, values, spans, call, shortName, others: [] }, place);
    const resolved = { definition: layer, values };
    host.list({ name, kind: layer.name, resolved, span: call.span, inputs: [input], place });
    host.nameValue({ name, layer: layer.name, span: call.span, call, before }, undefined, place);
    const made = host.current;
    host.current = before;
    if (!made.shape) return undefined;
    const taken = this.take(made);
    if (isMasked && !isOverPixels && layer.name !== "logsumexp") this.masked.add(taken.index);
    return taken;
  }

  /** The value of a part of the formula; a layer computes it unless it is an operand. */
  private partOf(x: Expression, span: Span): Current {
    if (x.kind === "operand") return this.values[x.index]!;
    const { host, place, values } = this;
    const name = host.nameAt(place, "part", undefined, span);
    const made = { name, alias: undefined, span, at: span, call: undefined };
    make(host, made, { expression: x, operands: values }, place);
    return host.current;
  }

  take(value: Current): Expression & { readonly kind: "operand" } {
    const known = this.values.findIndex((each) => sameValue(valueOf(each), valueOf(value)));
    return { kind: "operand", index: known >= 0 ? known : this.values.push(value) - 1 };
  }
}

/** Whether a reduction is over rows or columns of an image, or over tokens. */
const overPixels = (over: unknown, shape: Shape): boolean =>
  !isWide(shape) &&
  (over as readonly ChosenAxis[]).some((axis) => nameOfAxis(axis, shape) !== "channels");

/** A value under a name, which the layers below continue from. */
export function readLet(host: FormulaHost, { name, value, span }: Let, place: Place): void {
  const full = host.nameAt(place, formula.name, name, span);
  const operands = new Operands(host, place);
  const expression = readFormula(value, operands.names);
  const made = { name: full, alias: name, span, at: value.span, call: undefined };
  make(host, made, { expression, operands: operands.values }, place);
}

/**
 * The value of a formula that a score is taken of: a layer that the text gives no name, after which
 * the current value is what it was. Undefined after a report.
 */
export function readUnnamed(
  host: FormulaHost,
  value: Syntax,
  place: Place,
  targets?: ScoreTargets,
): Current | undefined {
  const before = host.current;
  const name = host.nameAt(place, "score", undefined, value.span);
  const operands = new Operands(host, place, targets);
  const read = readFormula(value, operands.names);
  const expression = read && !operands.hasClasses(read) ? read : undefined;
  if (targets && expression?.kind === "operand") {
    return operands.values[expression.index];
  }
  const made = { name, alias: undefined, span: value.span, at: value.span, call: undefined };
  make(host, made, { expression, operands: operands.values }, place);
  const { current } = host;
  host.current = before;
  return current.shape && current;
}

/** `-> swish(2)`: the current value is what the function's first value parameter takes. */
export function readFunctionLayer(
  host: FormulaHost,
  call: CallExpression,
  declared: DeclaredFunction,
  place: Place,
): void {
  const { callee, alias, span } = call;
  const { names: occurrences } = place.environment;
  occurrences.use("function", callee.name, callee.span, declared.declaration.name.span);
  const full = host.nameAt(place, callee.name, alias, callee.span);
  const operands = new Operands(host, place);
  const current = operands.take(host.current);
  const expression = applyToCurrent(call, declared, current, operands.names);
  const made = { name: full, alias, span, at: span, call };
  make(host, made, { expression, operands: operands.values }, place);
}

function applyToCurrent(
  call: CallExpression,
  declared: DeclaredFunction,
  current: Expression,
  names: FormulaNames,
): Expression | undefined {
  const { parameters } = declared.declaration;
  const first = parameters.find(({ type }) => !type)?.name.name;
  if (first === undefined) return undefined; // reported at the declaration
  names.use(declared);
  const signature = without(signatureOf(declared, formulaArgument(names)), first);
  const bound = bind(call, signature, names.environment);
  const { callee } = call;
  return bound && applyFunction(declared, { ...bound.values, [first]: current }, callee, names);
}

function without(signature: Signature, argument: string): Signature {
  const rest = Object.entries(signature.arguments).filter(([name]) => name !== argument);
  const positional = signature.positional.filter((name) => name !== argument);
  return { ...signature, positional, arguments: Object.fromEntries(rest) };
}

/** A formula's layer to be. */
interface Made {
  readonly name: string;
  readonly alias: Identifier | undefined;
  readonly span: Span;
  /** The formula's place. */
  readonly at: Span;
  readonly call: CallExpression | undefined;
}

interface ReadFormula {
  /** Undefined after a report. */
  readonly expression: Expression | undefined;
  readonly operands: readonly Current[];
}

function make(host: FormulaHost, made: Made, read: ReadFormula, place: Place): void {
  const { name, alias, span, call } = made;
  const before = host.current;
  const compact = read.expression && compactInputs(read.operands, read.expression);
  const right = compact && checkOperands(made, compact.inputs, place) ? compact : undefined;
  if (right) apply(host, made, right, place);
  else host.lose();
  const inputs: readonly NetworkValue[] = (right?.inputs ?? []).map(valueOf);
  const resolved = right && { definition: formula, values: { expression: right.expression } };
  host.list({ name, kind: formula.name, resolved, span, inputs, place });
  host.nameValue({ name, layer: formula.name, span, call, before }, alias, place);
}

/** False after a report. */
function checkOperands(
  { name, at }: Made,
  operands: readonly Current[],
  { environment: { reporter } }: Place,
): boolean {
  if (operands.length > 0 && operands.length <= MOST_OPERANDS) return true;
  const own = name.split(".").at(-1)!;
  const message =
    operands.length === 0
      ? `the formula of \`${own}\` computes with no value of the network`
      : `the formula of \`${own}\` computes with ${operands.length} values; ` +
        `${MOST_OPERANDS} are possible`;
  const notes =
    operands.length === 0
      ? ["numbers that are known when compiling are constants: `const scale = 0.5`"]
      : ["compute a part of it first: `let part = ...`"];
  reporter.report("NET1040", { message, span: at, notes });
  return false;
}

/** The shape of what a formula makes, and the way that led there. */
function apply(
  host: FormulaHost,
  { name, at }: Made,
  { inputs, expression }: { readonly inputs: readonly Current[]; readonly expression: Expression },
  place: Place,
): void {
  const [first, ...rest] = inputs.map(({ shape }) => shape);
  const others = rest.flatMap((shape) => (shape ? [shape] : []));
  const trail = inputs.find((each) => each.trail)?.trail;
  // Of tokens, the reader reports that a formula cannot compute with them.
  const isOfTokens = inputs.some(({ vocabulary }) => vocabulary !== undefined);
  if (!first || !trail || others.length < rest.length || isOfTokens) return host.lose();
  const callee: Identifier = { kind: "identifier", name: formula.name, span: at };
  const call = { kind: "call", callee, arguments: [], hasParentheses: false, span: at } as const;
  const rule = { definition: formula, values: { expression }, others };
  const shortName = name.split(".").at(-1)!;
  const related = inputs.slice(0, 3).flatMap(operandLabel);
  const otherTrails = inputs.slice(1).map((each) => each.trail);
  const own = { call, spans: new Map<string, Span>(), shortName, related, otherTrails };
  const use = { ...rule, ...own };
  const context = reportingContext(use, trail, place.environment.reporter);
  const output = inferOutput(rule, first, context);
  if (!output) return host.lose();
  const step = {
    layer: formula.name,
    span: at,
    input: first,
    output,
    infer: (shape: typeof first) => inferShape(rule, shape),
  };
  host.current = { ...inputs[0]!, shape: output, trail: trail.with(step), call: undefined };
}

/** The layer that gives a value of a formula. */
function operandLabel({ shape, trail }: Current): readonly Label[] {
  const maker = trail?.findLast(() => true);
  return maker && shape ? [{ span: maker.span, message: `gives ${formatShape(shape)}` }] : [];
}
