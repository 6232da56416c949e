import type { CstNode, IToken } from "chevrotain";
import type {
  CallExpression,
  Chain,
  ConstDeclaration,
  DataDeclaration,
  DataSplit,
  Declaration,
  Identifier,
  InputDeclaration,
  LossDeclaration,
  MetricDeclaration,
  ModelDeclaration,
  ModelMember,
  ParameterDeclaration,
  Section,
  Setting,
  TargetDeclaration,
  TensorType,
  TrainDeclaration,
} from "./ast.js";
import type { BuildContext } from "./build-expression.js";
import {
  buildCall,
  buildExpression,
  buildList,
  buildSequence,
  covering,
  identifier,
  present,
} from "./build-expression.js";
import { Documentation } from "./documentation.js";
import type { SyntaxProblem } from "./problem.js";
import { problem } from "./problem.js";
import { checkCommas, checkHeader, checkStatements, unexpectedInHeader } from "./statements.js";
import { elementsInOrder, firstToken, isNode, node, nodes, spanOfNode, token } from "./tree.js";

export interface Built {
  readonly declarations: readonly Declaration[];
  readonly problems: readonly SyntaxProblem[];
}

/** Makes the typed tree. What is incomplete beyond use is left out; the parser has reported it already. */
export function build(tree: CstNode, comments: readonly IToken[], file: string): Built {
  const builder = new Builder(file, new Documentation(comments));
  return { declarations: builder.spec(tree), problems: builder.problems };
}

class Builder implements BuildContext {
  readonly problems: SyntaxProblem[] = [];

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
      case "constDeclaration":
        return this.constDeclaration(parent);
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

  private constDeclaration(parent: CstNode): ConstDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const value = buildSequence(this, node(parent, "sequence"));
    return name && value && { kind: "const", name, value, ...this.documented(parent) };
  }

  // Models

  private modelDeclaration(parent: CstNode): ModelDeclaration | undefined {
    const name = identifier(this, token(parent, "Name")) ?? this.missingName(parent);
    const parameters = this.parameters(node(parent, "parameters"));
    const skipped = node(parent, "skippedHeader");
    const junk = skipped && firstToken(skipped);
    if (junk) this.problems.push(unexpectedInHeader(this.file, junk));
    const body = node(parent, "modelBody");
    const members = body ? this.members(body) : [];
    return { kind: "model", name, parameters, members, ...this.documented(parent) };
  }

  /** A model whose name is missing is kept under an empty name: its layers are worth checking. */
  private missingName(parent: CstNode): Identifier {
    const { start } = spanOfNode(this.file, parent);
    return { kind: "identifier", name: "", span: { file: this.file, start, end: start } };
  }

  private parameters(parent: CstNode | undefined): ParameterDeclaration[] {
    if (!parent) return [];
    this.problems.push(...checkCommas(this.file, parent));
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
    return { kind: "parameter", name, type, ...(defaultValue && { defaultValue }), span };
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
      case "lossDeclaration":
        return this.lossDeclaration(parent);
      case "metricDeclaration":
        return this.metricDeclaration(parent);
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
    return name && type && { kind: "input", name, type, ...this.documented(parent) };
  }

  private targetDeclaration(parent: CstNode): TargetDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const type = this.tensorType(node(parent, "tensorType"));
    const range = this.range(node(parent, "range"));
    if (!name || !type) return undefined;
    return { kind: "target", name, type, ...(range && { range }), ...this.documented(parent) };
  }

  private range(parent: CstNode | undefined): TargetDeclaration["range"] {
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
    const value = buildCall(this, node(parent, "call"));
    return value && { kind: "loss", value, span: spanOfNode(this.file, parent) };
  }

  private metricDeclaration(parent: CstNode): MetricDeclaration | undefined {
    const name = identifier(this, token(parent, "Name"));
    const call = buildCall(this, node(parent, "call"));
    return name && call && { kind: "metric", name, call, span: spanOfNode(this.file, parent) };
  }

  private section(parent: CstNode): Section | undefined {
    const name = identifier(this, token(parent, "Name"));
    const body = node(parent, "modelBody");
    if (!name || !body) return undefined;
    const members = this.members(body).filter((member) => this.isSectionMember(member));
    return { kind: "section", name, members, ...this.documented(parent) };
  }

  private isSectionMember(member: ModelMember): member is Section | Chain {
    if (member.kind === "section" || member.kind === "chain") return true;
    const message = `\`${member.kind}\` stands directly in the model, not in a section`;
    this.problems.push(problem("NET0001", member.span, message));
    return false;
  }

  private chain(parent: CstNode): Chain | undefined {
    const elements = nodes(parent, "layer")
      .map((layer) => this.layer(layer))
      .filter(present);
    if (elements.length === 0) return undefined;
    return { kind: "chain", elements, span: spanOfNode(this.file, parent) };
  }

  private layer(parent: CstNode): CallExpression | undefined {
    const call = buildCall(this, node(parent, "call"));
    const alias = identifier(this, token(parent, "Name"));
    return call && { ...call, ...(alias && { alias }), span: spanOfNode(this.file, parent) };
  }

  // Data and train

  private dataDeclaration(parent: CstNode): DataDeclaration | undefined {
    this.checkStatements(parent);
    const name = identifier(this, token(parent, "Name", 0));
    const model = identifier(this, token(parent, "Name", 1));
    this.problems.push(...checkHeader(this.file, parent, "for"));
    const splits = this.eachNode(parent, (child) =>
      child.name === "split" ? this.split(child) : undefined,
    );
    if (!name) return undefined;
    return { kind: "data", name, ...(model && { model }), splits, ...this.documented(parent) };
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
    this.problems.push(...checkHeader(this.file, parent, "on"));
    const settings = nodes(parent, "setting")
      .map((setting) => this.setting(setting))
      .filter(present);
    if (!name || !model) return undefined;
    return {
      ...{ kind: "train", name, model, ...(data && { data }), settings },
      ...this.documented(parent),
    };
  }

  private setting(parent: CstNode): Setting | undefined {
    const name = identifier(this, token(parent, "Name"));
    const value = buildSequence(this, node(parent, "sequence"));
    return name && value && { kind: "setting", name, value, span: spanOfNode(this.file, parent) };
  }

  // Parts of all

  private checkStatements(body: CstNode): void {
    this.problems.push(...checkStatements(this.file, body));
  }

  /** Builds the rules right below a node, in the order of the text. */
  private eachNode<T>(parent: CstNode, buildOne: (child: CstNode) => T | undefined): T[] {
    return elementsInOrder(parent).filter(isNode).map(buildOne).filter(present);
  }

  private documented(parent: CstNode) {
    const span = spanOfNode(this.file, parent);
    const documentation = this.documentation.above(span.start.line);
    return { ...(documentation !== undefined && { documentation }), span };
  }
}
