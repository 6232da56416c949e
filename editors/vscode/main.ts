import { existsSync } from "node:fs";
import { commands, type ExtensionContext, window, workspace } from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  type ServerOptions,
  TransportKind,
} from "vscode-languageclient/node";
import { PicturePanels } from "./picture-panels.js";
import { locateServer, type ServerLocation } from "./server-location.js";

const LANGUAGE = "netc";

let server: Server | undefined;

/** Called by VS Code when the first spec is opened. */
export async function activate(context: ExtensionContext): Promise<void> {
  server = new Server(context.asAbsolutePath("server.js"));
  const pictures = new PicturePanels(context.asAbsolutePath("picture-worker.js"));
  context.subscriptions.push(
    pictures,
    commands.registerCommand("netc.restart", () => server?.restart()),
    commands.registerCommand("netc.showNetwork", () => showNetwork(pictures)),
    workspace.onDidGrantWorkspaceTrust(() => server?.restart()),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("netc.server.path")) void server?.restart();
    }),
  );
  await server.start();
}

/** Called by VS Code before it ends the extension. */
export async function deactivate(): Promise<void> {
  await server?.stop();
}

async function showNetwork(pictures: PicturePanels): Promise<void> {
  const document = window.activeTextEditor?.document;
  if (document?.languageId === LANGUAGE) await pictures.show(document);
}

/** The language server, wherever it was found last. */
class Server {
  private client: LanguageClient | undefined;

  /** @param bundled path of the server that comes with the extension */
  constructor(private readonly bundled: string) {}

  async start(): Promise<void> {
    const location = locateServer({
      configured: workspace.getConfiguration("netc").get("server.path", "").trim(),
      folders: workspace.workspaceFolders?.map(({ uri }) => uri.fsPath) ?? [],
      isTrusted: workspace.isTrusted,
      bundled: this.bundled,
      exists: existsSync,
    });
    // The client's name is that of its settings: it reads `netc.trace.server` itself.
    this.client = new LanguageClient("netc", "netc", serverOptions(location), clientOptions());
    this.client.info(`netc of ${location.path}`);
    await this.client.start();
  }

  async stop(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.dispose();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}

function serverOptions(location: ServerLocation): ServerOptions {
  const args = [...location.arguments];
  const transport = TransportKind.stdio;
  return location.kind === "module"
    ? { module: location.path, args, transport }
    : { command: location.path, args, transport };
}

function clientOptions(): LanguageClientOptions {
  return {
    documentSelector: [
      { language: LANGUAGE, scheme: "file" },
      { language: LANGUAGE, scheme: "untitled" },
    ],
    // A spec that another imports may change outside the editor.
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.net") },
  };
}
