import {
  CodeActionKind,
  type Connection,
  type InitializeParams,
  type InitializeResult,
  LSPErrorCodes,
  type Position,
  ResponseError,
  TextDocuments,
  TextDocumentSyncKind,
} from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { SpecDocument } from "./document.js";
import { codeActions } from "./features/code-actions.js";
import { completion } from "./features/completion.js";
import { definition } from "./features/definition.js";
import { diagnostics } from "./features/diagnostics.js";
import { foldingRanges } from "./features/folding.js";
import { formatting } from "./features/formatting.js";
import { hover } from "./features/hover.js";
import { inlayHints } from "./features/inlay-hints.js";
import { highlights, references } from "./features/references.js";
import { prepareRename, rename, RenameRefused } from "./features/rename.js";
import { semanticTokens, semanticTokensLegend } from "./features/semantic-tokens.js";
import { symbols } from "./features/symbols.js";
import type { SpecHost } from "./host.js";
import { nameAt } from "./names.js";
import { Publisher } from "./publisher.js";
import { Workspace } from "./workspace.js";

/**
 * Starts the language server on a connection to an editor. It uses no module of Node: it runs in a
 * browser's worker as well.
 */
export function startServer(connection: Connection, host: SpecHost): void {
  new Server(connection, host).start();
}

/** Parameters of requests about a place in a document. */
interface PlaceParams {
  readonly textDocument: { readonly uri: string };
  readonly position: Position;
}

class Server {
  private readonly open = new TextDocuments(TextDocument);
  private readonly workspace: Workspace;
  private readonly publisher: Publisher;
  private hasSnippets = false;

  constructor(
    private readonly connection: Connection,
    host: SpecHost,
  ) {
    this.workspace = new Workspace(this.open, host);
    this.publisher = new Publisher(
      (uri) => this.publish(uri),
      (uri) => this.workspace.durationOf(uri),
    );
  }

  start(): void {
    this.connection.onInitialize((params) => this.initialize(params));
    this.followDocuments();
    this.answerAboutPlaces();
    this.answerAboutDocuments();
    this.open.listen(this.connection);
    this.connection.listen();
  }

  private initialize({ capabilities, workspaceFolders }: InitializeParams): InitializeResult {
    const { completionItem } = capabilities.textDocument?.completion ?? {};
    this.hasSnippets = completionItem?.snippetSupport ?? false;
    this.workspace.folders = workspaceFolders?.map(({ uri }) => uri) ?? [];
    return { serverInfo: { name: "netc" }, capabilities: serverCapabilities };
  }

  // Documents

  private followDocuments(): void {
    this.open.onDidChangeContent(({ document: { uri } }) => {
      this.publisher.schedule(uri);
      this.refreshDependents(uri);
    });
    this.open.onDidClose(({ document: { uri } }) => {
      this.publisher.cancel(uri);
      this.workspace.close(uri);
      this.refreshDependents(uri);
      void this.connection.sendDiagnostics({ uri, diagnostics: [] });
    });
    this.connection.onDidChangeWatchedFiles(({ changes }) => {
      for (const { uri } of changes) this.refreshDependents(uri);
    });
  }

  private refreshDependents(uri: string): void {
    for (const dependent of this.workspace.invalidate(uri)) this.publisher.schedule(dependent);
  }

  private publish(uri: string): void {
    const document = this.workspace.get(uri);
    if (!document) return;
    const { version } = document.source;
    void this.connection.sendDiagnostics({ uri, version, diagnostics: diagnostics(document) });
  }

  // Requests

  private answerAboutPlaces(): void {
    const { connection, workspace } = this;
    connection.onHover((params) => this.at(params, hover));
    connection.onDefinition((params) => this.at(params, definition));
    connection.onDocumentHighlight((params) => this.at(params, highlights));
    connection.onCompletion((params) =>
      this.at(params, (document, offset) =>
        completion(document, offset, { hasSnippets: this.hasSnippets }),
      ),
    );
    connection.onReferences((params) =>
      this.at(params, (document, offset) => {
        const documents = workspace.documentsWith(nameAt(document, offset)?.name ?? "");
        const { includeDeclaration } = params.context;
        return references(document, offset, { documents, includeDeclaration });
      }),
    );
    connection.onPrepareRename((params) => this.at(params, orRefuse(prepareRename)));
    connection.onRenameRequest((params) =>
      this.at(
        params,
        orRefuse((document, offset) => {
          const documents = workspace.documentsWith(nameAt(document, offset)?.name ?? "");
          const reread = workspace.reread.bind(workspace);
          return rename(document, offset, params.newName, { documents, reread });
        }),
      ),
    );
  }

  private answerAboutDocuments(): void {
    const { connection } = this;
    connection.onDocumentSymbol((params) => this.of(params, symbols) ?? []);
    connection.onDocumentFormatting((params) => this.of(params, formatting));
    connection.onFoldingRanges((params) => this.of(params, foldingRanges));
    connection.onCodeAction((params) =>
      this.of(params, (document) => codeActions(document, params.range)),
    );
    connection.languages.inlayHint.on((params) =>
      this.of(params, (document) => inlayHints(document, params.range)),
    );
    connection.languages.semanticTokens.on(
      (params) => this.of(params, semanticTokens) ?? { data: [] },
    );
  }

  private of<Result>(
    { textDocument }: Pick<PlaceParams, "textDocument">,
    feature: (document: SpecDocument) => Result,
  ): Result | null {
    const document = this.workspace.get(textDocument.uri);
    return document ? feature(document) : null;
  }

  private at<Result>(
    params: PlaceParams,
    feature: (document: SpecDocument, offset: number) => Result | undefined,
  ): Result | null {
    const found = this.of(params, (document) =>
      feature(document, document.source.offsetAt(params.position)),
    );
    return found ?? null;
  }
}

/** A refusal is an answer for the user, not a failure of the server. */
function orRefuse<Result>(
  feature: (document: SpecDocument, offset: number) => Result,
): (document: SpecDocument, offset: number) => Result {
  return (document, offset) => {
    try {
      return feature(document, offset);
    } catch (error) {
      if (!(error instanceof RenameRefused)) throw error;
      throw new ResponseError(LSPErrorCodes.RequestFailed, error.message);
    }
  };
}

const serverCapabilities: InitializeResult["capabilities"] = {
  textDocumentSync: TextDocumentSyncKind.Incremental,
  completionProvider: { triggerCharacters: ["(", ",", "=", ">", ":", " "] },
  hoverProvider: true,
  definitionProvider: true,
  referencesProvider: true,
  documentHighlightProvider: true,
  renameProvider: { prepareProvider: true },
  documentSymbolProvider: true,
  documentFormattingProvider: true,
  foldingRangeProvider: true,
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
  inlayHintProvider: true,
  semanticTokensProvider: { legend: semanticTokensLegend, full: true },
  workspace: { workspaceFolders: { supported: true } },
};
