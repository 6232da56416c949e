import { type DocumentSymbol, SymbolKind } from "vscode-languageserver";
import type {
  BodyMember,
  ChainElement,
  Declaration,
  Identifier,
  ModelMember,
  Section,
  Share,
  Span,
} from "../../grammar/ast.js";
import { membersWithin, settingsWithin } from "../../grammar/ast.js";
import { lspRange } from "../../compiler/diagnostics/render-lsp.js";
import type { SpecDocument } from "../document.js";

/** The outline: declarations, and in them sections, layers, splits and settings. */
export function symbols(document: SpecDocument): DocumentSymbol[] {
  return new Outline(document).symbols();
}

interface Named {
  readonly name: string;
  readonly kind: SymbolKind;
  /** What an editor jumps to. */
  readonly at: Span;
  readonly span: Span;
  readonly detail?: string | undefined;
  readonly children?: readonly DocumentSymbol[];
}

class Outline {
  constructor(private readonly document: SpecDocument) {}

  symbols(): DocumentSymbol[] {
    return this.document.spec.declarations.flatMap((declaration) => this.declaration(declaration));
  }

  private declaration(declaration: Declaration): readonly DocumentSymbol[] {
    if (declaration.kind === "import") return [];
    const { name, span } = declaration;
    return [
      symbolOf({
        name: name.name,
        at: name.span,
        span,
        kind: kinds[declaration.kind],
        detail: this.detail(declaration),
        children: this.children(declaration),
      }),
    ];
  }

  private detail(declaration: Declaration): string | undefined {
    switch (declaration.kind) {
      case "const":
      case "fn":
        return this.document.textOf(declaration.value.span);
      case "train":
        return `of ${declaration.model.callee.name}`;
      case "data":
        return declaration.model && `for ${declaration.model.name}`;
      default:
        return undefined;
    }
  }

  private children(declaration: Declaration): readonly DocumentSymbol[] {
    switch (declaration.kind) {
      case "model":
      case "block":
        return declaration.members.flatMap((member) => this.member(member));
      case "data":
        return declaration.splits.map(({ name, span }) =>
          namedSymbol(name, span, SymbolKind.Field),
        );
      case "train":
        return settingsWithin(declaration).map(({ name, span, value }) =>
          namedSymbol(name, span, SymbolKind.Property, this.document.textOf(value.span)),
        );
      default:
        return [];
    }
  }

  private member(member: ModelMember): readonly DocumentSymbol[] {
    switch (member.kind) {
      case "input":
      case "target":
        return [
          namedSymbol(
            member.name,
            member.span,
            SymbolKind.Field,
            this.document.textOf(member.type.span),
          ),
        ];
      case "metric":
        return [namedSymbol(member.name, member.span, SymbolKind.Event, "metric")];
      case "output":
      case "loss":
        return [];
      case "share":
        return [this.group(member)];
      default:
        return this.body(member);
    }
  }

  private body(member: BodyMember): readonly DocumentSymbol[] {
    const { span } = member;
    if (member.kind === "weight") {
      return [namedSymbol(member.name, span, SymbolKind.Variable, "parameter")];
    }
    if (member.kind === "let") return [namedSymbol(member.name, span, SymbolKind.Variable, "let")];
    if (member.kind === "chain") return member.elements.flatMap((each) => this.element(each));
    if (member.kind === "section") return [this.group(member)];
    const children = membersWithin(member).flatMap((each) => this.body(each));
    const [head = ""] = this.document.textOf(span).split("{");
    return [symbolOf({ name: head.trim(), kind: SymbolKind.Array, at: span, span, children })];
  }

  /** Layers with a name for all of them. */
  private group({ name: { name, span: at }, members, span }: Section | Share): DocumentSymbol {
    const children = members.flatMap((each) => this.body(each));
    return symbolOf({ name, kind: SymbolKind.Namespace, at, span, children });
  }

  private element(element: ChainElement): readonly DocumentSymbol[] {
    if (element.kind === "from") return [];
    const { alias, span } = element;
    const at = alias?.span ?? span;
    if (element.kind === "call") {
      const name = alias?.name ?? element.callee.name;
      const detail = this.layerDetail(element.callee.span, alias && element.callee.name);
      return [symbolOf({ name, kind: SymbolKind.Function, at, span, detail })];
    }
    const parts = element.kind === "residual" ? [element] : element.branches;
    const skip = element.kind === "residual" && element.skip.kind === "body" ? [element.skip] : [];
    const children = [...parts, ...skip].flatMap(({ members }) =>
      members.flatMap((each) => this.body(each)),
    );
    const name = alias?.name ?? element.header?.callee.name ?? element.kind;
    return [symbolOf({ name, kind: SymbolKind.Struct, at, span, children })];
  }

  /** `conv 64x55x55`: the kind where the name does not say it, and the shape. */
  private layerDetail(callee: Span, kind: string | undefined): string {
    const shapes = this.document.facts.at(callee).map(({ output }) => output?.join("x"));
    const shape = new Set(shapes).size === 1 ? shapes[0] : undefined;
    return [kind, shape].filter(Boolean).join(" ");
  }
}

const kinds = {
  const: SymbolKind.Constant,
  fn: SymbolKind.Function,
  block: SymbolKind.Class,
  model: SymbolKind.Class,
  data: SymbolKind.Object,
  train: SymbolKind.Object,
} as const;

function namedSymbol(
  { name, span: at }: Identifier,
  span: Span,
  kind: SymbolKind,
  detail?: string,
): DocumentSymbol {
  return symbolOf({ name, at, span, kind, detail });
}

function symbolOf({ name, kind, at, span, detail, children = [] }: Named): DocumentSymbol {
  return {
    name: name || "?",
    kind,
    range: lspRange(span),
    selectionRange: lspRange(at),
    detail: detail || undefined,
    children: [...children],
  };
}
