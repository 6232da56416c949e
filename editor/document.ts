import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Span, Spec } from "../grammar/ast.js";
import { classify, type ClassifiedToken, parse } from "../grammar/index.js";
import { type LspRange, lspRange } from "../compiler/diagnostics/render-lsp.js";
import {
  analyze,
  type Analysis,
  type AnalyzedModel,
  type ReadImport,
} from "../compiler/semantics/index.js";
import { callsIn, type PlacedCall } from "./calls.js";
import { Facts } from "./facts.js";
import { nameBeside, nameOf, uriBeside } from "./uris.js";

/**
 * A spec in one version of its text, with all that is known about it. What features ask for is
 * computed once.
 */
export class SpecDocument {
  /** Its name in spans. */
  readonly file: string;
  readonly analysis: Analysis;
  private lexed: readonly ClassifiedToken[] | undefined;
  private placed: readonly PlacedCall[] | undefined;
  private known: Facts | undefined;
  private readonly parsed = new Map<string, Spec>();

  /** @param readImport reads files by their names relative to the document */
  constructor(
    readonly source: TextDocument,
    readImport: ReadImport,
  ) {
    this.file = nameOf(source.uri);
    this.analysis = analyze(this.text, this.file, { readImport });
  }

  get text(): string {
    return this.source.getText();
  }

  get spec(): Spec {
    return this.analysis.syntax;
  }

  get tokens(): readonly ClassifiedToken[] {
    return (this.lexed ??= classify(this.text, this.file));
  }

  /** The URI of a file by its name in spans. */
  uriOf(file: string): string {
    return file === this.file ? this.source.uri : (uriBeside(this.source.uri, file) ?? file);
  }

  /** The name in spans of a file that the spec imports. */
  importedName(path: string): string {
    return nameBeside(this.file, path);
  }

  /** The syntax tree of the spec or of a file that it imports. */
  specOf(file: string): Spec | undefined {
    if (file === this.file) return this.spec;
    const text = this.analysis.sources.get(file);
    if (text === undefined) return undefined;
    const spec = this.parsed.get(file) ?? parse(text, file).spec;
    this.parsed.set(file, spec);
    return spec;
  }

  textOf({ file, start, end }: Span): string {
    return (this.analysis.sources.get(file) ?? "").slice(start.offset, end.offset);
  }

  /** All calls in the text, with what they may be of. */
  get calls(): readonly PlacedCall[] {
    return (this.placed ??= callsIn(this.spec));
  }

  /** What places in the text are in the networks. */
  get facts(): Facts {
    return (this.known ??= new Facts(this.models, this.file));
  }

  /** All models with their parameters bound: at their defaults, or as a recipe binds them. */
  get models(): readonly AnalyzedModel[] {
    const { models, selected } = this.analysis;
    const isListed = !selected || models.some(({ name }) => name === selected.model.name);
    return isListed ? models : [...models, selected.model];
  }

  location(span: Span): { uri: string; range: LspRange } {
    return { uri: this.uriOf(span.file), range: lspRange(span) };
  }
}
