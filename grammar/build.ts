import type { CstNode } from "chevrotain";
import { isBodyMember } from "./ast.js";
import type {
  BlockDeclaration,
  BodyMember,
  Branch,
  CallExpression,
  Chain,
  ChainElement,
  Concat,
  ConstDeclaration,
  DataDeclaration,
  DataSplit,
  Declaration,
  Else,
  Expression,
  For,
  From,
  FunctionDeclaration,
  FunctionParameter,
  Identifier,
  If,
  ImportDeclaration,
  ImportedName,
  InputDeclaration,
  IntegerRange,
  Let,
  LossDeclaration,
  MetricDeclaration,
  ModelDeclaration,
  ModelMember,
  OutputDeclaration,
  ParameterDeclaration,
  Repeat,
  Residual,
  Section,
  Share,
  StepDeclaration,
  Setting,
  Skip,
  TargetDeclaration,
  TensorType,
  TrainDeclaration,
  Weight,
} from "./ast.js";
import type { BuildContext } from "./build-expression.js";
import {
  buildCall,
  buildExpression,
  buildList,
  buildSequence,
  buildString,
  covering,
  identifier,
  present,
} from "./build-expression.js";
import { Documentation } from "./documentation.js";
import type { LexedText } from "./lexer.js";
import type { SyntaxProblem } from "./problem.js";
import { addProblems, problem } from "./problem.js";
import {
  checkCommas,
  checkHeader,
  checkStatements,
  lateFrom,
  skipWithoutBlock,
  layerPrefix,
  unexpectedInHeader,
} from "./statements.js";
import {
  elementsInOrder,
  firstToken,
  isNode,
  node,
  nodes,
  spanOfNode,
  token,
  tokens,
} from "./tree.js";

export interface Built {
  readonly declarations: readonly Declaration[];
  readonly problems: readonly SyntaxProblem[];
}

/**
 * Makes the typed tree. What is incomplete beyond use is left out; the parser has reported it
 * already.
 */
export function build(tree: CstNode, text: LexedText, file: string): Built {
  const builder = new Builder(file, new Documentation(text));
  return { declarations: builder.spec(tree), problems: builder.problems };
}

class Builder implements BuildContext {
  readonly problems: SyntaxProblem[] = [];
  /** Statements on lines with a syntax error. */
  private readonly doubtful = new Set<CstNode>();

  constructor(
    readonly file: string,
    private readonly documentation: Documentation,
  ) {}

  spec(tree: CstNode): Declaration[] {
    this.checkStatements(tree);
    return this.eachNode(tree, (child) => this.declaration(child));
  }

  private declaration(parent: CstNode): Declaration | undefined {
    switch (parent.name) {
      case "importDeclaration":
        return this.importDeclaration(parent);
      case "constDeclaration":
        return this.constDeclaration(parent);
      case "functionDeclaration":
        return this.functionDeclaration(parent);
      case "blockDeclaration":
        return this.blockDeclaration(parent);
      case "modelDeclaration":
        return this.modelDeclaration(parent);
      case "dataDeclaration":
        return this.dataDeclaration(parent);
      case "trainDeclaration":
        return this.trainDeclaration(parent);
      default:
        return undefined;
    }
  }

  private importDeclaration(parent: CstNode): ImportDeclaration | undefined {
    const list = node(parent, "importedNames");
    if (list) addProblems(this.problems, checkCommas(this.file, list));
    const names = (list ? nodes(list, "importedName") : [])
      .map((imported) => this.importedName(imported))
      .filter(present);
    const path = buildString(this, token(parent, "StringLiteral"));
    return path && { kind: "import", names, path, span: spanOfNode(this.file, parent) };
  }

  private importedName(parent: CstNode): ImportedName | undefined {
    const name = identifier(this, token(parent, "Name"));
    const alias = this.alias(parent);
    const span = spanOfNode(this.file, parent);
    return name && { kind: "importedName", name, alias, span };
  }

  private constDeclaration(parent: CstNode): ConstDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const value = buildSequence(this, node(parent, "sequence"));
    return name && value && { kind: "const", name, value, ...this.documented(parent) };
  }

  private functionDeclaration(parent: CstNode): FunctionDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const list = node(parent, "functionParameters");
    if (list) addProblems(this.problems, checkCommas(this.file, list));
    const parameters = (list ? nodes(list, "functionParameter") : [])
      .map((parameter) => this.functionParameter(parameter))
      .filter(present);
    const value = buildExpression(this, node(parent, "expression"));
    return name && value && { kind: "fn", name, parameters, value, ...this.documented(parent) };
  }

  private functionParameter(parent: CstNode): FunctionParameter | undefined {
    const name = identifier(this, token(parent, "Name", 0));
    const type = identifier(this, token(parent, "Name", 1));
    const defaultValue = buildExpression(this, node(parent, "expression"));
    const span = spanOfNode(this.file, parent);
    return name && { kind: "functionParameter", name, type, defaultValue, span };
  }

  // Models

  private modelDeclaration(parent: CstNode): ModelDeclaration | undefined {
    const name = identifier(this, token(parent, "Name")) ?? this.missingName(parent);
    const parameters = this.parameters(node(parent, "parameters"));
    this.checkNoHeader(parent);
    const body = node(parent, "modelBody");
    const members = body ? this.members(body) : [];
    return { kind: "model", name, parameters, members, ...this.documented(parent) };
  }

  private blockDeclaration(parent: CstNode): BlockDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const parameters = this.parameters(node(parent, "parameters"));
    this.checkNoHeader(parent);
    const members = this.body(parent, "a block");
    return name && { kind: "block", name, parameters, members, ...this.documented(parent) };
  }

  /** Reports what makes no sense between a header and its body. */
  private checkNoHeader(parent: CstNode): void {
    const skipped = node(parent, "skippedHeader");
    const junk = skipped && firstToken(skipped);
    if (junk) this.problems.push(unexpectedInHeader(this.file, junk));
  }

  /** A model whose name is missing is kept under an empty name: its layers are worth checking. */
  private missingName(parent: CstNode): Identifier {
    const { start } = spanOfNode(this.file, parent);
    return { kind: "identifier", name: "", span: { file: this.file, start, end: start } };
  }

  private parameters(parent: CstNode | undefined): ParameterDeclaration[] {
    if (!parent) return [];
    addProblems(this.problems, checkCommas(this.file, parent));
    return nodes(parent, "parameter")
      .map((parameter) => this.parameter(parameter))
      .filter(present);
  }

  private parameter(parent: CstNode): ParameterDeclaration | undefined {
    const name = identifier(this, token(parent, "Name", 0));
    const type = identifier(this, token(parent, "Name", 1));
    const defaultValue = buildExpression(this, node(parent, "expression"));
    if (!name || !type) return undefined;
    const span = spanOfNode(this.file, parent);
    return { kind: "parameter", name, type, defaultValue, span };
  }

  private members(body: CstNode): ModelMember[] {
    this.checkStatements(body);
    return this.eachNode(body, (child) => this.member(child));
  }

  private member(parent: CstNode): ModelMember | undefined {
    switch (parent.name) {
      case "inputDeclaration":
        return this.inputDeclaration(parent);
      case "targetDeclaration":
        return this.targetDeclaration(parent);
      case "outputDeclaration":
        return this.outputDeclaration(parent);
      case "lossDeclaration":
        return this.lossDeclaration(parent);
      case "metricDeclaration":
        return this.metricDeclaration(parent);
      case "repeat":
        return this.repeat(parent);
      case "loop":
        return this.loop(parent);
      case "conditional":
        return this.conditional(parent);
      case "share":
        return this.share(parent);
      case "letStatement":
        return this.letStatement(parent);
      case "weight":
        return this.weight(parent);
      case "section":
        return this.section(parent);
      case "chain":
        return this.chain(parent);
      default:
        return undefined;
    }
  }

  private inputDeclaration(parent: CstNode): InputDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const type = this.tensorType(node(parent, "tensorType"));
    const range = this.range(node(parent, "range"));
    const distribution = identifier(this, token(parent, "Name", 1));
    if (!name || !type) return undefined;
    return { kind: "input", name, type, range, distribution, ...this.documented(parent) };
  }

  private targetDeclaration(parent: CstNode): TargetDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const type = this.tensorType(node(parent, "tensorType"));
    const range = this.range(node(parent, "range"));
    if (!name || !type) return undefined;
    return { kind: "target", name, type, range, ...this.documented(parent) };
  }

  private outputDeclaration(parent: CstNode): OutputDeclaration {
    const values = nodes(parent, "path").map((each) => {
      const path = tokens(each, "Name").map((name) => identifier(this, name));
      return { path: path.filter(present), span: spanOfNode(this.file, each) };
    });
    return { kind: "output", values, span: spanOfNode(this.file, parent) };
  }

  private range(parent: CstNode | undefined): IntegerRange | undefined {
    if (!parent) return undefined;
    const [from, to] = nodes(parent, "expression").map((bound) => buildExpression(this, bound));
    return from && to && { from, to, span: covering(from.span, to.span) };
  }

  private tensorType(parent: CstNode | undefined): TensorType | undefined {
    const element = identifier(this, token(parent, "Name"));
    const list = node(parent, "list");
    if (!parent || !element || !list) return undefined;
    const dimensions = buildList(this, list).elements;
    return { kind: "tensorType", element, dimensions, span: spanOfNode(this.file, parent) };
  }

  private lossDeclaration(parent: CstNode): LossDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const value = buildExpression(this, node(parent, "expression"));
    return value && { kind: "loss", name, value, span: spanOfNode(this.file, parent) };
  }

  private metricDeclaration(parent: CstNode): MetricDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const call = buildCall(this, node(parent, "call"));
    return name && call && { kind: "metric", name, call, span: spanOfNode(this.file, parent) };
  }

  private share(parent: CstNode): Share | undefined {
    const name = identifier(this, token(parent, "Name"));
    const members = this.body(parent, "shared layers");
    return name && { kind: "share", name, members, ...this.documented(parent) };
  }

  private letStatement(parent: CstNode): Let | undefined {
    const name = identifier(this, token(parent, "Name"));
    const value = buildExpression(this, node(parent, "expression"));
    return name && value && { kind: "let", name, value, ...this.documented(parent) };
  }

  private weight(parent: CstNode): Weight | undefined {
    const name = identifier(this, token(parent, "Name"));
    const type = this.tensorType(node(parent, "tensorType"));
    const init = node(parent, "expression");
    if (!name || !type) return undefined;
    const read = init && buildExpression(this, init);
    return { kind: "weight", name, type, init: read, ...this.documented(parent) };
  }

  private section(parent: CstNode): Section | undefined {
    const name = identifier(this, token(parent, "Name"));
    if (!name || !node(parent, "modelBody")) return undefined;
    const members = this.body(parent, "a section");
    return { kind: "section", name, members, ...this.documented(parent) };
  }

  private repeat(parent: CstNode): Repeat | undefined {
    const count = buildExpression(this, node(parent, "expression"));
    this.checkNoHeader(parent);
    const members = this.body(parent, "a loop");
    return count && { kind: "repeat", count, members, span: spanOfNode(this.file, parent) };
  }

  private loop(parent: CstNode): For | undefined {
    const header = node(parent, "loopNames");
    const tuple = node(header, "loopTuple");
    if (tuple) addProblems(this.problems, checkCommas(this.file, tuple));
    const list = tuple ?? header;
    const names = (list ? nodes(list, "loopName") : []).map((name) =>
      identifier(this, token(name, "Name")),
    );
    this.checkNoHeader(parent);
    const values = this.loopValues(parent);
    const members = this.body(parent, "a loop");
    if (names.length === 0 || !values) return undefined;
    const span = spanOfNode(this.file, parent);
    const isTuple = tuple !== undefined;
    return { kind: "for", names: names.filter(present), isTuple, values, members, span };
  }

  private conditional(parent: CstNode): If | undefined {
    const condition = buildExpression(this, node(parent, "expression"));
    this.checkNoHeader(parent);
    const members = this.body(parent, "`if`");
    const otherwise = this.otherwise(node(parent, "otherwise"));
    const span = spanOfNode(this.file, parent);
    return condition && { kind: "if", condition, members, otherwise, span };
  }

  private otherwise(parent: CstNode | undefined): If | Else | undefined {
    if (!parent) return undefined;
    const next = node(parent, "conditional");
    if (next) return this.conditional(next);
    const members = this.body(parent, "`else`");
    return { kind: "else", members, span: spanOfNode(this.file, parent) };
  }

  /** `[64, 128]`, or `0..4`. */
  private loopValues(parent: CstNode): Expression | undefined {
    const bounds = nodes(parent, "expression").map((bound) => buildExpression(this, bound));
    const [from, to] = bounds;
    if (!from || !to) return from;
    return { kind: "range", from, to, span: covering(from.span, to.span) };
  }

  /** The members of a body right below a node. @param place what the body is, for messages */
  private body(parent: CstNode, place: string): BodyMember[] {
    const body = node(parent, "modelBody");
    const members = body ? this.members(body) : [];
    return members.filter((member) => this.isBodyMember(member, place));
  }

  private isBodyMember(member: ModelMember, place: string): member is BodyMember {
    if (isBodyMember(member)) return true;
    const message = `\`${member.kind}\` is only allowed directly in the model, not in ${place}`;
    this.problems.push(problem("NET0001", member.span, message));
    return false;
  }

  private chain(parent: CstNode): Chain | undefined {
    const elements = nodes(parent, "chainElement")
      .map((element) => this.chainElement(element))
      .filter(present);
    if (elements.length === 0) return undefined;
    for (const [index, element] of elements.entries()) {
      const before = elements[index - 1];
      if (before && element.kind === "from") this.problems.push(lateFrom(before.span, element));
    }
    const span = spanOfNode(this.file, parent);
    if (!this.doubtful.has(parent)) return { kind: "chain", elements, span };
    const doubted = elements.map((element) =>
      element.kind === "call" ? { ...element, isDoubtful: true } : element,
    );
    return { kind: "chain", elements: doubted, span };
  }

  private chainElement(parent: CstNode): ChainElement | undefined {
    const child = elementsInOrder(parent).find(isNode);
    switch (child?.name) {
      case "from":
        return this.from(child);
      case "residual":
        return this.residual(child);
      case "concat":
        return this.concat(child);
      case "layer":
        return this.layer(child);
      default:
        return undefined;
    }
  }

  private from(parent: CstNode): From | undefined {
    const path = tokens(parent, "Name").map((name) => identifier(this, name));
    if (path.length === 0) return undefined;
    return { kind: "from", path: path.filter(present), span: spanOfNode(this.file, parent) };
  }

  private residual(parent: CstNode): Residual {
    const header = withArguments(buildCall(this, node(parent, "residualHeader"), "Residual"));
    const members = this.body(parent, "`residual`");
    const skip = this.skip(node(parent, "skip"));
    const alias = this.alias(parent);
    const span = spanOfNode(this.file, parent);
    return { kind: "residual", header, members, skip, alias, span };
  }

  private skip(parent: CstNode | undefined): Skip {
    if (!parent) return { kind: "identity" };
    const span = spanOfNode(this.file, parent);
    const word = buildCall(this, node(parent, "call"));
    if (!word) return { kind: "body", members: this.body(parent, "`skip`"), span };
    if (word.callee.name !== "auto" || word.hasParentheses) {
      this.problems.push(skipWithoutBlock(word.span));
    }
    return { kind: "auto", span };
  }

  private concat(parent: CstNode): Concat {
    const body = node(parent, "concatBody");
    if (body) this.checkStatements(body);
    const branches = body ? this.eachNode(body, (child) => this.branch(child)) : [];
    const words = node(parent, "concatHeader");
    const split = buildCall(this, words, "Split");
    const header = split ?? withArguments(buildCall(this, words, "Concat"));
    const alias = this.alias(parent);
    const span = spanOfNode(this.file, parent);
    return { kind: "concat", header, branches, alias, span };
  }

  private branch(parent: CstNode): Branch | undefined {
    if (parent.name !== "branch") return undefined;
    const name = identifier(this, token(parent, "Name"));
    this.checkNoHeader(parent);
    const members = this.body(parent, "a branch");
    return { kind: "branch", name, members, span: spanOfNode(this.file, parent) };
  }

  private layer(parent: CstNode): CallExpression | undefined {
    const prefix = node(parent, "layerPrefix");
    if (prefix) this.problems.push(layerPrefix(this.file, prefix));
    const call = buildCall(this, node(parent, "call"));
    const alias = this.alias(parent);
    return call && { ...call, alias, span: spanOfNode(this.file, parent) };
  }

  /** `as NAME` below a node. */
  private alias(parent: CstNode): Identifier | undefined {
    return identifier(this, token(node(parent, "alias"), "Name"));
  }

  // Data and train

  private dataDeclaration(parent: CstNode): DataDeclaration | undefined {
    this.checkStatements(parent);
    const name = identifier(this, token(parent, "Name", 0));
    const model = identifier(this, token(parent, "Name", 1));
    addProblems(this.problems, checkHeader(this.file, parent, "for"));
    const splits = this.eachNode(parent, (child) =>
      child.name === "split" ? this.split(child) : undefined,
    );
    if (!name) return undefined;
    return { kind: "data", name, model, splits, ...this.documented(parent) };
  }

  private split(parent: CstNode): DataSplit | undefined {
    this.checkStatements(parent);
    const name = identifier(this, token(parent, "Name"));
    const source = buildCall(this, node(parent, "call"));
    const transforms = nodes(parent, "transforms")
      .flatMap((chain) => nodes(chain, "call"))
      .map((call) => buildCall(this, call))
      .filter(present);
    if (!name || !source) return undefined;
    return { kind: "split", name, source, transforms, span: spanOfNode(this.file, parent) };
  }

  private trainDeclaration(parent: CstNode): TrainDeclaration | undefined {
    this.checkStatements(parent);
    const name = identifier(this, token(parent, "Name", 0));
    const model = buildCall(this, node(parent, "call"));
    const data = identifier(this, token(parent, "Name", 1));
    addProblems(this.problems, checkHeader(this.file, parent, "on"));
    const members = this.eachNode(parent, (child) => this.recipeMember(child));
    if (!name || !model) return undefined;
    return {
      kind: "train",
      name,
      model,
      data,
      members,
      settings: members.filter((member) => member.kind === "setting"),
      steps: members.filter((member) => member.kind === "step"),
      ...this.documented(parent),
    };
  }

  private recipeMember(parent: CstNode): Setting | StepDeclaration | undefined {
    if (parent.name === "setting") return this.setting(parent);
    return parent.name === "step" ? this.step(parent) : undefined;
  }

  private step(parent: CstNode): StepDeclaration | undefined {
    this.checkStatements(parent);
    const [keyword, name] = [0, 1].map((place) => identifier(this, token(parent, "Name", place)));
    const settings = this.eachNode(parent, (child) =>
      child.name === "setting" ? this.setting(child) : undefined,
    );
    if (!keyword || !name) return undefined;
    return { kind: "step", keyword, name, settings, span: spanOfNode(this.file, parent) };
  }

  private setting(parent: CstNode): Setting | undefined {
    const name = identifier(this, token(parent, "Name"));
    const value = buildSequence(this, node(parent, "sequence"));
    return name && value && { kind: "setting", name, value, span: spanOfNode(this.file, parent) };
  }

  // Parts of all

  private checkStatements(body: CstNode): void {
    const { problems, doubtful } = checkStatements(this.file, body);
    addProblems(this.problems, problems);
    for (const statement of doubtful) this.doubtful.add(statement);
  }

  /** Builds the rules right below a node, in the order of the text. */
  private eachNode<T>(parent: CstNode, buildOne: (child: CstNode) => T | undefined): T[] {
    return elementsInOrder(parent).filter(isNode).map(buildOne).filter(present);
  }

  private documented(parent: CstNode) {
    const span = spanOfNode(this.file, parent);
    const documentation = this.documentation.above(span.start);
    return { documentation, span };
  }
}

/** The call in front of a block, where it has arguments: the keyword alone is not a call. */
const withArguments = (call: CallExpression | undefined): CallExpression | undefined =>
  call?.hasParentheses ? call : undefined;
