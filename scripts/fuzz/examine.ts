/** Sends one text through all that reads specs, and says what went wrong there. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { renderJson } from "../../compiler/diagnostics/render-json.js";
import { renderSarif } from "../../compiler/diagnostics/render-sarif.js";
import { renderText } from "../../compiler/diagnostics/render-text.js";
import { compile } from "../../compiler/index.js";
import { codeActions } from "../../editor/features/code-actions.js";
import { completion } from "../../editor/features/completion.js";
import { definition } from "../../editor/features/definition.js";
import { diagnostics } from "../../editor/features/diagnostics.js";
import { foldingRanges } from "../../editor/features/folding.js";
import { formatting } from "../../editor/features/formatting.js";
import { hover } from "../../editor/features/hover.js";
import { inlayHints } from "../../editor/features/inlay-hints.js";
import { highlights, references } from "../../editor/features/references.js";
import { prepareRename, rename, RenameRefused } from "../../editor/features/rename.js";
import { semanticTokens } from "../../editor/features/semantic-tokens.js";
import { symbols } from "../../editor/features/symbols.js";
import type { SpecDocument } from "../../editor/document.js";
import { Workspace } from "../../editor/workspace.js";
import { formatSpec } from "../../format/index.js";
import { createRandom } from "./random.js";

/** Something that must not happen. */
export interface Finding {
  /** What the text was sent through: "check", "compile", "fmt", "hover". */
  readonly stage: string;
  readonly what: string;
}

export interface Examination {
  readonly findings: readonly Finding[];
  /** Whether the spec has a network without errors. */
  readonly isValid: boolean;
  /** Whether it was compiled: a valid one, small enough. */
  readonly isCompiled: boolean;
  /** Milliseconds of the processor by stage: a busy machine makes no text slow. */
  readonly times: ReadonlyMap<string, number>;
}

export interface ExamineOptions {
  /** Networks of more layers than this are not compiled. */
  readonly mostLayers: number;
}

/** Places in a text that the language server is asked about. */
const MOST_PLACES = 6;

const SARIF = { version: "1.0.0" };

export async function examine(
  { file, text, offset }: { readonly file: string; readonly text: string; readonly offset: number },
  { mostLayers }: ExamineOptions,
): Promise<Examination> {
  const examiner = new Examiner();
  const document = await examiner.run("check", () => documentOf(file, text));
  if (!document) return examiner.result(false, false);
  const { diagnostics: found, selected, sources } = document.analysis;
  await examiner.run("render", () => render(found, sources, text));
  const hasErrors = found.some(({ severity }) => severity === "error");
  const isValid = !hasErrors && selected?.model.graph !== undefined;
  const isCompiled = isValid && selected.model.layers.length <= mostLayers;
  if (isCompiled) await examiner.run("compile", () => compileText(file, text));
  await examiner.run("fmt", () => format(text, document));
  for (const [name, ask] of requests(document, offset)) await examiner.run(name, ask);
  return examiner.result(isValid, isCompiled);
}

class Examiner {
  private readonly findings: Finding[] = [];
  private readonly times = new Map<string, number>();

  /** What a stage gives; undefined where it throws, which is a finding. */
  async run<Result>(
    stage: string,
    act: () => Result | Promise<Result>,
  ): Promise<Result | undefined> {
    const start = process.cpuUsage();
    try {
      return await act();
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.findings.push({ stage, what });
      return undefined;
    } finally {
      this.times.set(stage, (this.times.get(stage) ?? 0) + millisecondsSince(start));
    }
  }

  result(isValid: boolean, isCompiled: boolean): Examination {
    return { findings: this.findings, isValid, isCompiled, times: this.times };
  }
}

function millisecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

// Check

function documentOf(file: string, text: string): SpecDocument {
  const source = TextDocument.create(pathToFileURL(file).href, "net", 1, text);
  const open = { get: () => source, all: () => [source] };
  const host = { read: readUri, listSpecs: () => [] };
  return new Workspace(open, host).get(source.uri)!;
}

/** Texts of imported files: read once. */
const imported = new Map<string, string | undefined>();

function readUri(uri: string): string | undefined {
  if (!imported.has(uri)) imported.set(uri, readIfThere(uri));
  return imported.get(uri);
}

function readIfThere(uri: string): string | undefined {
  try {
    return readFileSync(fileURLToPath(uri), "utf8");
  } catch {
    return undefined; // an import of a missing file, or of no file
  }
}

function render(
  found: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  text: string,
): void {
  for (const each of found) {
    if (each.code.startsWith("NET9")) throw new Error(`${each.code}: ${each.message}`);
    renderText(each, sources.get(each.primary.span.file) ?? text);
    checkSpans(each, sources);
  }
  renderJson(found);
  renderSarif(found, SARIF);
}

/** Spans and edits lie in the text that they are about. */
function checkSpans(
  { code, primary, related, fixes }: Diagnostic,
  sources: ReadonlyMap<string, string>,
): void {
  const edits = fixes.flatMap((fix) => fix.edits);
  for (const { span } of [primary, ...related, ...edits]) {
    const { start, end, file } = span;
    const length = sources.get(file)?.length ?? Infinity;
    const isInside = start.offset >= 0 && start.offset <= end.offset && end.offset <= length;
    if (!isInside)
      throw new Error(`${code} has a span outside of its text: ${JSON.stringify(span)}`);
  }
}

// Compile and format

function compileText(file: string, text: string): void {
  const readImport = (path: string, importer: string) => {
    const name = join(dirname(importer), path);
    const found = readUri(pathToFileURL(name).href);
    return found === undefined ? undefined : { file: name, text: found };
  };
  const { module, diagnostics: found } = compile(text, { file, target: "gpu", readImport });
  const internal = found.find(({ code }) => code.startsWith("NET9"));
  if (internal) throw new Error(`${internal.code}: ${internal.message}`);
  if (module === "") throw new Error("the spec is right and gives no module");
}

/** A text that parses has a canonical layout, which is its own. */
async function format(text: string, { analysis }: SpecDocument): Promise<void> {
  const hasSyntaxErrors = analysis.diagnostics.some(({ code }) => code.startsWith("NET00"));
  try {
    const once = await formatSpec(text);
    if ((await formatSpec(once)) !== once) throw new Error("the layout is not stable");
  } catch (error) {
    if (!hasSyntaxErrors || !(error instanceof SyntaxError)) throw error;
  }
}

// The language server

type Request = readonly [name: string, ask: () => unknown];

function requests(document: SpecDocument, changed: number): readonly Request[] {
  const start = { line: 0, character: 0 };
  const range = { start, end: document.source.positionAt(document.text.length) };
  return [
    ["diagnostics", () => diagnostics(document)],
    ["symbols", () => symbols(document)],
    ["formatting", () => formatting(document)],
    ["folding", () => foldingRanges(document)],
    ["codeAction", () => codeActions(document, range)],
    ["inlayHint", () => inlayHints(document, range)],
    ["semanticTokens", () => semanticTokens(document)],
    ...placesIn(document, changed).flatMap((offset) => requestsAt(document, offset)),
  ];
}

function requestsAt(document: SpecDocument, offset: number): readonly Request[] {
  const documents = [document];
  return [
    ["hover", () => hover(document, offset)],
    ["definition", () => definition(document, offset)],
    ["highlights", () => highlights(document, offset)],
    ["completion", () => completion(document, offset, { hasSnippets: true })],
    ["references", () => references(document, offset, { documents, includeDeclaration: true })],
    ["prepareRename", () => orRefused(() => prepareRename(document, offset))],
    [
      "rename",
      () =>
        orRefused(() => {
          const reread = () => document;
          return rename(document, offset, "renamed", { documents, reread });
        }),
    ],
  ];
}

function orRefused<Result>(ask: () => Result): Result | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof RenameRefused) return undefined;
    throw error;
  }
}

/** Where the text was changed, its ends, and a few places in between. */
function placesIn({ text }: SpecDocument, changed: number): readonly number[] {
  const random = createRandom(text.length);
  const others = Array.from({ length: MOST_PLACES - 3 }, () => random(text.length + 1));
  return [changed, changed + 1, text.length, ...others].filter((place) => place <= text.length);
}
