import { doc, type AstPath, type Doc, type ParserOptions } from "prettier";
import type {
  OutputDeclaration,
  Concat,
  FunctionParameter,
  Identifier,
  InputDeclaration,
  LossDeclaration,
  ParameterDeclaration,
  Residual,
} from "../grammar/index.js";
import type { Node } from "./nodes.js";
import {
  type Alignment,
  NO_PADDING,
  inBraces,
  isOnLine,
  printBody,
  printStatements,
  type PrintAligned,
} from "./print-body.js";
import {
  bracketed,
  filled,
  printArrows,
  printBinary,
  printCall,
  printUnary,
} from "./print-expression.js";

const { hardline } = doc.builders;

/** Prints one node; its comments are prettier's work. */
export function print(
  path: AstPath,
  options: ParserOptions<Node>,
  printChild: (path: AstPath, alignment?: Alignment) => Doc,
  alignment: Alignment = NO_PADDING,
): Doc {
  const node = path.node as Node | undefined;
  if (!node) return "";
  return new Printer(path, options, printChild, alignment).print(node);
}

/** What may come before a literal in parentheses. */
const OPENING = /^(?:[\s(]|\/\/.*)*/;
const LITERAL = /^(?:"(?:[^"\\]|\\.)*"|[^\s()/]+)/;

const blanks = (count: number) => " ".repeat(count);

class Printer {
  constructor(
    private readonly path: AstPath,
    private readonly options: ParserOptions<Node>,
    private readonly printChild: PrintAligned,
    private readonly alignment: Alignment,
  ) {}

  print(node: Node): Doc {
    if (!("kind" in node)) return this.argument();
    switch (node.kind) {
      case "spec":
        return [this.statements("declarations"), hardline];
      case "import":
        return ["import { ", this.joined("names"), ` } from ${this.textOf(node.path)}`];
      case "importedName":
        return node.alias ? `${node.name.name} as ${node.alias.name}` : node.name.name;
      case "const":
      case "setting": {
        const keyword = node.kind === "const" ? "const " : "";
        return [`${keyword}${node.name.name}${this.padding} = `, this.child("value")];
      }
      case "block":
      case "model":
        return [
          `${node.kind} ${node.name.name}`,
          this.parameters(node.parameters),
          " ",
          this.body("members", node.kind === "block"),
        ];
      case "fn":
        return [
          `fn ${node.name.name}`,
          this.parameters(node.parameters),
          " = ",
          this.child("value"),
        ];
      case "parameter":
      case "functionParameter":
        return [
          node.type ? `${node.name.name}: ${node.type.name}` : node.name.name,
          node.defaultValue ? [" = ", this.child("defaultValue")] : "",
        ];
      case "data":
        return [
          `data ${node.name.name}${node.model ? ` for ${node.model.name}` : ""} `,
          this.body("splits"),
        ];
      case "train":
        return [
          `train ${node.name.name} of `,
          this.child("model"),
          `${node.data ? ` on ${node.data.name}` : ""} `,
          this.body("members"),
        ];
      case "step":
        return [`${node.keyword.name} ${node.name.name} `, this.body("settings")];
      default:
        return this.member(node);
    }
  }

  /** Members of models, blocks and data. */
  private member(
    node: Exclude<Node, { readonly kind: "spec" | "model" | "train" | "step" | "fn" }>,
  ): Doc {
    if (!("kind" in node)) return this.argument();
    switch (node.kind) {
      case "input":
      case "target":
        return [
          `${node.kind}${this.padding} ${node.name.name}: `,
          this.child("type"),
          node.range
            ? [
                " in ",
                this.path.call(this.child_, "range", "from"),
                "..",
                this.path.call(this.child_, "range", "to"),
              ]
            : "",
          node.kind === "input" ? noiseOf(node) : "",
        ];
      case "tensorType":
        return [node.element.name, bracketed("[", this.children("dimensions"), "]")];
      case "output":
        return outputText(node);
      case "loss":
        return [`loss${this.padding} ${nameBefore(node)}`, this.child("value")];
      case "metric": {
        const name = `${node.name.name}${blanks(this.alignment.namePadding)}`;
        return [`metric${this.padding} ${name} = `, this.child("call")];
      }
      case "let":
        return [`let ${node.name.name} = `, this.child("value")];
      case "weight": {
        const init = node.init ? [" init ", this.child("init")] : "";
        return [`parameter ${node.name.name}: `, this.child("type"), init];
      }
      case "share":
        return [`share ${node.name.name} `, this.body("members", true)];
      case "section":
        return [`${node.name.name} `, this.body("members", true)];
      case "repeat":
        return ["repeat ", this.child("count"), " ", this.body("members", true)];
      case "for": {
        const names = node.names.map(({ name }) => name).join(", ");
        const written = node.isTuple ? `(${names})` : names;
        return [`for ${written} in `, this.child("values"), " ", this.body("members", true)];
      }
      case "if": {
        const body = this.body("members", node.otherwise === undefined);
        const otherwise = node.otherwise ? [" else ", this.child("otherwise")] : "";
        return ["if ", this.child("condition"), " ", body, otherwise];
      }
      case "else":
        return this.body("members");
      case "split":
        return this.split(node.transforms.length > 0);
      default:
        return this.network(node);
    }
  }

  /** Chains and what they are made of. */
  private network(node: Node): Doc {
    if (!("kind" in node)) return this.argument();
    const alias = "alias" in node && node.alias ? ` as ${node.alias.name}` : "";
    switch (node.kind) {
      case "chain": {
        const elements = this.children("elements");
        const hasBodies = node.elements.some(
          ({ kind }) => kind === "residual" || kind === "concat",
        );
        if (hasBodies) return doc.builders.join(" -> ", elements);
        return printArrows(elements, this.padding);
      }
      case "from":
        return `from ${node.path.map(({ name }) => name).join(".")}`;
      case "residual": {
        const skip = node.skip.kind === "identity" ? "" : [" skip ", this.child("skip")];
        return [this.header("residual"), " ", this.body("members", true), skip, alias];
      }
      case "auto":
        return "auto";
      case "body":
        return this.body("members", true);
      case "concat":
        return [this.header("concat"), " ", this.body("branches", true), alias];
      case "branch":
        return [`branch ${node.name ? `${node.name.name} ` : ""}`, this.body("members", true)];
      default:
        return this.expression(node);
    }
  }

  private expression(node: Node): Doc {
    if (!("kind" in node)) return this.argument();
    switch (node.kind) {
      case "call":
        return printCall(this.path as AstPath<never>, this.child_);
      case "sequence":
        return printArrows(this.children("calls"));
      case "list":
        return filled(["[", "]"], this.children("elements"), node.elements);
      case "tuple":
        // Without its comma, a tuple of one would be a value in parentheses.
        if (node.elements.length === 1) return ["(", ...this.children("elements"), ",)"];
        return filled(["(", ")"], this.children("elements"), node.elements);
      case "range":
        return [this.child("from"), "..", this.child("to")];
      case "unary":
        return printUnary(this.path as AstPath<never>, this.child_);
      case "binary":
        return printBinary(this.path as AstPath<never>, this.child_);
      case "pattern":
        return node.segments.join(".");
      case "name":
        return node.name;
      case "number":
        return this.number(node.unit);
      case "string":
      case "boolean":
        return this.literal();
      default:
        throw new Error(`nothing prints ${node.kind}`);
    }
  }

  private number(unit: Identifier | undefined): Doc {
    return unit ? `${this.literal()} ${unit.name}` : this.literal();
  }

  /** As it is written, without parentheses around it, whose comments are printed elsewhere. */
  private literal(): string {
    const text = this.textOf(this.path.node as Node);
    const [written] = LITERAL.exec(text.replace(OPENING, ""))!;
    return written;
  }

  private argument(): Doc {
    const { name } = this.path.node as { readonly name?: { readonly name: string } };
    return [name ? `${name.name}=` : "", this.child("value")];
  }

  /** The keyword of a join with its arguments, if it has any. */
  private header(keyword: string): Doc {
    const { header } = this.path.node as Concat | Residual;
    return header ? this.child("header") : keyword;
  }

  private split(hasTransforms: boolean): Doc {
    const { name } = this.path.node as { readonly name: { readonly name: string } };
    const head = [`${name.name} `, this.child("source")];
    if (!hasTransforms) return head;
    const transforms = printArrows(this.children("transforms"));
    return [...head, " ", inBraces(transforms, { isOnLine: isOnLine(this.path.node as Node) })];
  }

  private parameters(parameters: readonly (ParameterDeclaration | FunctionParameter)[]): Doc {
    return parameters.length > 0 ? bracketed("(", this.children("parameters"), ")") : "";
  }

  // Children

  private readonly child_ = (child: AstPath): Doc => this.printChild(child);

  private child(key: string): Doc {
    return this.path.call(this.child_, key);
  }

  private children(key: string): Doc[] {
    return this.path.map(this.child_, key);
  }

  private joined(key: string): Doc {
    return doc.builders.join(", ", this.children(key));
  }

  private statements(key: string): Doc {
    return printStatements(this.path, key, this.options, this.printChild, { isSpec: true });
  }

  private body(key: string, mayStayOnLine = false): Doc {
    return printBody(this.path, key, this.options, this.printChild, { mayStayOnLine });
  }

  private get padding(): string {
    return blanks(this.alignment.padding);
  }

  private textOf({ span }: { readonly span: Node["span"] }): string {
    return this.options.originalText.slice(span.start.offset, span.end.offset);
  }
}

const noiseOf = ({ distribution }: InputDeclaration): string =>
  distribution ? ` of ${distribution.name}` : "";

const nameBefore = ({ name }: LossDeclaration): string => (name ? `${name.name} = ` : "");

/** `output logits, features.last`. */
function outputText({ values }: OutputDeclaration): string {
  const names = values.map(({ path }) => path.map(({ name }) => name).join("."));
  return `output ${names.join(", ")}`;
}
