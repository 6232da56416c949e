import { createConnection } from "vscode-languageserver/node";
import { startServer } from "../server.js";
import { fileHost } from "./host.js";

/** Serves one editor through the standard streams, until it says that it is done or goes away. */
export function serve(): void {
  startServer(createConnection(process.stdin, process.stdout), fileHost);
}
