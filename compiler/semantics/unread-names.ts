import type {
  BlockDeclaration,
  BodyMember,
  CallExpression,
  ChainElement,
  Expression,
  From,
  FunctionDeclaration,
  Identifier,
  If,
  ModelDeclaration,
  NameExpression,
  Share,
  Span,
  Spec,
} from "../../grammar/ast.js";
import { isBodyMember, membersWithin } from "../../grammar/ast.js";
import { findLayer } from "../layers/index.js";
import type { Occurrence } from "../calls/occurrences.js";
import type { Module } from "./modules.js";
import type { Occurrences } from "../calls/occurrences.js";
import { argumentNamed } from "../calls/signature.js";

/**
 * Finds names where the analysis does not come by, by their place in the text alone: in blocks that
 * are not used, in loops without iterations, in models whose parameters have no values. An editor
 * is to rename them there, too.
 */
export function findUnreadNames(spec: Spec, module: Module, names: Occurrences): void {
  for (const declaration of spec.declarations) {
    if (declaration.kind === "fn") new NameFinder(module, names).readFunction(declaration);
    if (declaration.kind !== "block" && declaration.kind !== "model") continue;
    new NameFinder(module, names).readDeclaration(declaration);
  }
}

interface Meaning {
  readonly kind: Occurrence["kind"];
  readonly span: Span;
}

/** What names mean at a place. */
type Meanings = ReadonlyMap<string, Meaning>;

const nameOfPath = (path: From["path"]): string => path.map(({ name }) => name).join(".");

class NameFinder {
  /**
   * Named values, further down in the text, too: which of them exist at a place is the analysis'
   * concern.
   */
  private readonly values = new Map<string, Span>();
  private readonly shares = new Map<string, Span>();

  constructor(
    private readonly module: Module,
    private readonly names: Occurrences,
  ) {}

  readDeclaration(declaration: BlockDeclaration | ModelDeclaration): void {
    const parameters = declaration.parameters.map(({ name }) => name);
    const meanings = withNames(new Map(), "parameter", parameters);
    for (const { defaultValue } of declaration.parameters)
      this.readExpression(defaultValue, new Map());
    const members = declaration.members.flatMap((member) => {
      if (member.kind === "share") return this.readShare(member);
      return isBodyMember(member) ? [member] : [];
    });
    for (const member of members) this.nameValues(member);
    for (const member of members) this.readMember(member, meanings);
    for (const member of declaration.members) {
      if (member.kind !== "output") continue;
      for (const { path, span } of member.values) this.useValue({ name: nameOfPath(path), span });
    }
  }

  readFunction({ parameters, value }: FunctionDeclaration): void {
    const meanings = withNames(
      new Map(),
      "parameter",
      parameters.map(({ name }) => name),
    );
    this.readExpression(value, meanings);
  }

  private readShare({ name, members }: Share): readonly BodyMember[] {
    this.shares.set(name.name, name.span);
    this.names.define("share", name.name, name.span);
    return members;
  }

  // Named values

  private nameValues(member: BodyMember): void {
    if (member.kind === "let" || member.kind === "weight") return this.nameValue(member.name);
    if (member.kind !== "chain") {
      return membersWithin(member).forEach((each) => this.nameValues(each));
    }
    for (const element of member.elements) {
      bodiesOf(element).forEach((each) => this.nameValues(each));
      if (element.kind !== "from" && element.alias) this.nameValue(element.alias);
    }
  }

  private nameValue({ name, span }: Identifier): void {
    this.values.set(name, span);
    this.names.define("value", name, span);
  }

  // Members

  private readMember(member: BodyMember, meanings: Meanings): void {
    if (member.kind === "chain") {
      return member.elements.forEach((element) => this.readElement(element, meanings));
    }
    if (member.kind === "let") return this.readFormula(member.value, meanings);
    if (member.kind === "weight") {
      return member.type.dimensions.forEach((each) => this.readExpression(each, meanings));
    }
    if (member.kind === "section") {
      this.names.define("section", member.name.name, member.name.span);
    }
    if (member.kind === "if") return this.readIf(member, meanings);
    if (member.kind === "repeat") this.readExpression(member.count, meanings);
    if (member.kind === "for") this.readExpression(member.values, meanings);
    const inside = member.kind === "for" ? withNames(meanings, "variable", member.names) : meanings;
    for (const { name, span } of member.kind === "for" ? member.names : []) {
      this.names.define("variable", name, span);
    }
    for (const each of member.members) this.readMember(each, inside);
  }

  private readIf({ condition, members, otherwise }: If, meanings: Meanings): void {
    this.readExpression(condition, meanings);
    for (const each of members) this.readMember(each, meanings);
    if (otherwise?.kind === "if") this.readIf(otherwise, meanings);
    else for (const each of otherwise?.members ?? []) this.readMember(each, meanings);
  }

  private readElement(element: ChainElement, meanings: Meanings): void {
    bodiesOf(element).forEach((member) => this.readMember(member, meanings));
    if (element.kind === "from") this.readFrom(element);
    if (element.kind === "call") this.readCall(element, meanings);
    const { header } = element.kind === "concat" || element.kind === "residual" ? element : {};
    for (const { value } of header?.arguments ?? []) {
      if (value.kind !== "name" || this.meaningOf(value.name, meanings)) {
        this.readExpression(value, meanings);
      }
    }
  }

  private readFrom({ path, span }: From): void {
    const name = nameOfPath(path);
    if (path[0]) this.useValue({ name, span: { ...span, start: path[0].span.start } });
  }

  private readCall({ callee, arguments: given }: CallExpression, meanings: Meanings): void {
    const block = this.module.blocks.get(callee.name)?.declaration;
    if (block) this.names.use("block", callee.name, callee.span, block.name.span);
    this.useFunction({ callee });
    const share = this.shares.get(callee.name);
    if (share) this.names.use("share", callee.name, callee.span, share);
    const signature = block ? undefined : findLayer(callee.name);
    for (const { name, value } of given) {
      const declared = name && signature && argumentNamed(signature, name.name);
      const accepted = declared?.type.accepts.kind;
      // In `divide=size`, `size` is not a constant.
      if (accepted === "word" || accepted === "call") continue;
      const isKnown = value.kind !== "name" || this.meaningOf(value.name, meanings);
      if (isKnown) this.readExpression(value, meanings);
      else this.useValue(value);
    }
  }

  /** A name in a formula is a constant or else a value. */
  private readFormula(expression: Expression, meanings: Meanings): void {
    if (expression.kind === "name") {
      if (this.meaningOf(expression.name, meanings)) this.useName(expression, meanings);
      else this.useValue(expression);
      return;
    }
    if (expression.kind === "call") this.useFunction(expression);
    for (const part of partsOf(expression)) this.readFormula(part, meanings);
  }

  private useFunction({ callee }: Pick<CallExpression, "callee">): void {
    const declared = this.module.functions.get(callee.name)?.declaration;
    if (declared) this.names.use("function", callee.name, callee.span, declared.name.span);
  }

  // Names

  private useValue({ name, span }: Pick<NameExpression, "name" | "span">): void {
    const definition = this.values.get(name.split(".").at(-1)!);
    if (definition) this.names.use("value", name, span, definition);
  }

  private readExpression(expression: Expression | undefined, meanings: Meanings): void {
    if (!expression) return;
    if (expression.kind === "name") return this.useName(expression, meanings);
    if (expression.kind === "call") this.useFunction(expression);
    for (const part of partsOf(expression)) this.readExpression(part, meanings);
  }

  private useName({ name, span }: NameExpression, meanings: Meanings): void {
    const meaning = this.meaningOf(name, meanings);
    if (meaning) this.names.use(meaning.kind, name, span, meaning.span);
  }

  private meaningOf(name: string, meanings: Meanings): Meaning | undefined {
    return meanings.get(name) ?? this.module.environment.scope.own(name);
  }
}

function withNames(
  meanings: Meanings,
  kind: Meaning["kind"],
  names: readonly Identifier[],
): Meanings {
  return new Map([...meanings, ...names.map(({ name, span }) => [name, { kind, span }] as const)]);
}

/** The members within a chain's element. */
function bodiesOf(element: ChainElement): readonly BodyMember[] {
  if (element.kind === "concat") return element.branches.flatMap(({ members }) => members);
  if (element.kind !== "residual") return [];
  const { members, skip } = element;
  return skip.kind === "body" ? [...members, ...skip.members] : members;
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "list":
    case "tuple":
      return expression.elements;
    case "range":
      return [expression.from, expression.to];
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "call":
      return expression.arguments.map(({ value }) => value);
    case "sequence":
      return expression.calls;
    default:
      return [];
  }
}
