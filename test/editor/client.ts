/** An editor as the server sees it: the protocol through streams, with documents in memory. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createConnection } from "vscode-languageserver/node";
import {
  createProtocolConnection,
  type Diagnostic,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  type WorkspaceEdit,
} from "vscode-languageserver-protocol/node";
import type { SpecHost } from "../../editor/host.js";
import { startServer } from "../../editor/server.js";

export const specs = join(import.meta.dirname, "..", "..", "specs");
export const specText = (name: string): string => readFileSync(join(specs, name), "utf8");

/** Files of a test, by URI. */
export type Files = Record<string, string>;

export const FOLDER = "file:///work/";
export const uriOf = (name: string): string => `${FOLDER}${name}`;

export function hostOf(files: Files): SpecHost {
  return {
    read: (uri) => files[uri],
    listSpecs: (within) => Object.keys(files).filter((uri) => uri.startsWith(within)),
  };
}

/** A cursor in a text: where `|` is, which is removed. */
export function cursorIn(marked: string): { text: string; position: Position } {
  const offset = marked.indexOf("|");
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  return { text, position: positionOf(text, offset) };
}

export interface Position {
  line: number;
  character: number;
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length - 1, character: before.at(-1)!.length };
}

export class Client {
  private readonly published = new Map<string, PublishDiagnosticsParams>();
  private readonly waiting: (() => void)[] = [];
  private readonly texts = new Map<string, { text: string; version: number }>();

  private constructor(readonly connection: ProtocolConnection) {
    connection.onNotification(
      "textDocument/publishDiagnostics",
      (params: PublishDiagnosticsParams) => {
        this.published.set(params.uri, params);
        for (const wake of this.waiting.splice(0)) wake();
      },
    );
    connection.listen();
  }

  /** Connects to a server in this process. */
  static async start(files: Files = {}): Promise<Client> {
    const [toServer, toClient] = [new PassThrough(), new PassThrough()];
    startServer(createConnection(toServer, toClient), hostOf(files));
    return Client.on(createProtocolConnection(toClient, toServer));
  }

  static async on(connection: ProtocolConnection): Promise<Client> {
    const client = new Client(connection);
    await connection.sendRequest("initialize", {
      processId: null,
      rootUri: null,
      workspaceFolders: [{ uri: FOLDER, name: "work" }],
      capabilities: {
        textDocument: { completion: { completionItem: { snippetSupport: true } } },
      },
    });
    await connection.sendNotification("initialized", {});
    return client;
  }

  async open(name: string, text: string): Promise<string> {
    const uri = uriOf(name);
    this.texts.set(uri, { text, version: 1 });
    await this.connection.sendNotification("textDocument/didOpen", {
      textDocument: { uri, languageId: "net", version: 1, text },
    });
    return uri;
  }

  /** Replaces a piece of a document's text, as typing does. */
  async edit(uri: string, from: number, to: number, newText: string): Promise<void> {
    const { text, version } = this.texts.get(uri)!;
    const range = { start: positionOf(text, from), end: positionOf(text, to) };
    const changed = text.slice(0, from) + newText + text.slice(to);
    this.texts.set(uri, { text: changed, version: version + 1 });
    await this.connection.sendNotification("textDocument/didChange", {
      textDocument: { uri, version: version + 1 },
      contentChanges: [{ range, text: newText }],
    });
  }

  /** Diagnostics of a document in its newest version. */
  async diagnostics(uri: string): Promise<readonly Diagnostic[]> {
    for (;;) {
      const found = this.published.get(uri);
      if (found && found.version === this.texts.get(uri)?.version) return found.diagnostics;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Forgets what was published, to wait for it again. */
  forget(uri: string): void {
    this.published.delete(uri);
  }

  /** A request about a document. */
  ask<Result>(method: string, uri: string, params: object = {}): Promise<Result> {
    return this.connection.sendRequest(`textDocument/${method}`, {
      textDocument: { uri },
      ...params,
    });
  }

  /** A request about the n-th occurrence of a word. */
  askAt<Result>(
    method: string,
    uri: string,
    { word, nth = 1, ...params }: { word: string; nth?: number; [key: string]: unknown },
  ): Promise<Result> {
    const { text } = this.texts.get(uri)!;
    let offset = -1;
    for (let count = 0; count < nth; count++) offset = text.indexOf(word, offset + 1);
    if (offset < 0) throw new Error(`the text has no ${word}`);
    return this.ask(method, uri, { position: positionOf(text, offset + 1), ...params });
  }

  textOf(uri: string): string {
    return this.texts.get(uri)!.text;
  }

  /** A document's text with an edit of the workspace applied. */
  applied(uri: string, edit: WorkspaceEdit | null, text = this.textOf(uri)): string {
    const lines = text.split("\n");
    const offsetOf = ({ line, character }: Position) =>
      lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0) + character;
    return (edit?.changes?.[uri] ?? [])
      .toSorted((a, b) => offsetOf(b.range.start) - offsetOf(a.range.start))
      .reduce(
        (result, { range, newText }) =>
          result.slice(0, offsetOf(range.start)) + newText + result.slice(offsetOf(range.end)),
        text,
      );
  }

  stop(): void {
    this.connection.dispose();
  }
}
