import { TextDocument } from "vscode-languageserver-textdocument";
import type { ReadImport } from "../compiler/semantics/index.js";
import { SpecDocument } from "./document.js";
import type { SpecHost } from "./host.js";
import { keyOf, nameBeside, uriBeside } from "./uris.js";

/** The open documents of an editor. */
export interface OpenDocuments {
  get(uri: string): TextDocument | undefined;
  all(): readonly TextDocument[];
}

/** A document with the files that its meaning depends on, whether they exist or not. */
interface Analyzed {
  readonly document: SpecDocument;
  readonly version: number;
  readonly dependencies: ReadonlySet<string>;
  /** Milliseconds that it took. */
  readonly duration: number;
}

/** Texts in place of those that are open or on disk, by URI. */
type Texts = ReadonlyMap<string, string>;

/**
 * The specs that an editor works on: each analyzed once for each version, imports read from what is
 * open first.
 */
export class Workspace {
  private readonly analyzed = new Map<string, Analyzed>();
  /** URIs of the folders that the editor has open. */
  folders: readonly string[] = [];

  constructor(
    private readonly open: OpenDocuments,
    private readonly host: SpecHost,
  ) {}

  /** An open document as it is now. */
  get(uri: string): SpecDocument | undefined {
    const source = this.open.get(uri);
    if (!source) return undefined;
    const known = this.analyzed.get(uri);
    if (known?.version === source.version) return known.document;
    const analyzed = this.analyze(source, new Map());
    this.analyzed.set(uri, analyzed);
    return analyzed.document;
  }

  /** How long the last analysis of a document took, in milliseconds. */
  durationOf(uri: string): number {
    return this.analyzed.get(uri)?.duration ?? 0;
  }

  /** Forgets what depended on a file, and says which open documents those are. */
  invalidate(changed: string): readonly string[] {
    const dependents = [...this.analyzed].filter(([, { dependencies }]) =>
      dependencies.has(keyOf(changed)),
    );
    for (const [uri] of dependents) this.analyzed.delete(uri);
    return dependents.map(([uri]) => uri);
  }

  close(uri: string): void {
    this.analyzed.delete(uri);
  }

  /**
   * Every spec that may speak of a name: those that are open, and those in the editor's folders.
   */
  documentsWith(name: string): readonly SpecDocument[] {
    const open = this.open.all().map(({ uri }) => uri);
    const known = new Set(open.map(keyOf));
    const closed = this.folders
      .flatMap((folder) => this.host.listSpecs(folder))
      .filter((uri) => !known.has(keyOf(uri)));
    return [
      ...open.flatMap((uri) => this.get(uri) ?? []),
      ...[...new Set(closed)].flatMap((uri) => this.read(uri) ?? []),
    ].filter(({ text }) => text.includes(name));
  }

  /** A document as it would be with other texts. */
  reread({ source }: SpecDocument, texts: Texts): SpecDocument {
    const text = texts.get(source.uri) ?? source.getText();
    const changed = TextDocument.create(source.uri, source.languageId, source.version, text);
    return this.analyze(changed, texts).document;
  }

  private read(uri: string): SpecDocument | undefined {
    const text = this.host.read(uri);
    if (text === undefined) return undefined;
    return this.analyze(TextDocument.create(uri, "net", 0, text), new Map()).document;
  }

  private analyze(source: TextDocument, texts: Texts): Analyzed {
    const dependencies = new Set<string>();
    const readImport: ReadImport = (path, importer) => {
      const file = nameBeside(importer, path);
      const uri = uriBeside(source.uri, file);
      if (uri === undefined) return undefined;
      dependencies.add(keyOf(uri));
      const text = this.textOf(uri, texts);
      return text === undefined ? undefined : { file, text };
    };
    const start = performance.now();
    const document = new SpecDocument(source, readImport);
    const duration = performance.now() - start;
    return { document, version: source.version, dependencies, duration };
  }

  private textOf(uri: string, texts: Texts): string | undefined {
    const key = keyOf(uri);
    const changed = [...texts].find(([each]) => keyOf(each) === key)?.[1];
    const open = this.open.all().find((document) => keyOf(document.uri) === key);
    return changed ?? open?.getText() ?? this.host.read(uri);
  }
}
