/** HTTP for browsers on this machine. No request and no failing connection ends the process. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const HOST = "127.0.0.1";

const TYPES = { html: "text/html; charset=utf-8", json: "application/json" } as const;

export interface Page {
  readonly body: string;
  readonly type: keyof typeof TYPES;
  /** Called once the whole page was sent. */
  readonly onSent?: () => void;
}

/** Gives the page of a path, such as `/state`; undefined where there is none. */
export type FindPage = (path: string, query: URLSearchParams) => Page | undefined;

export class LocalServer {
  private readonly server = createServer((request, response) => this.answer(request, response));

  private constructor(private readonly find: FindPage) {}

  /** Starts a server on a free port. Rejects where the system allows none. */
  static async listen(find: FindPage): Promise<LocalServer> {
    const local = new LocalServer(find);
    const { server } = local;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, HOST, resolve);
    });
    // Connections that cannot be accepted, for instance because too many files are open.
    server.on("error", () => {});
    // The server does not keep the process running.
    server.unref();
    return local;
  }

  get address(): string {
    return `http://${HOST}:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    // Browsers close connections at any time.
    response.on("error", () => {});
    request.on("error", () => {});
    try {
      this.send(request, response);
    } catch {
      if (response.headersSent) response.destroy();
      else sendStatus(response, 500);
    }
  }

  private send({ method, headers, url = "/" }: IncomingMessage, response: ServerResponse): void {
    // Another name that resolves to this machine belongs to a web page that wants to read along.
    if (`http://${headers.host}` !== this.address) return sendStatus(response, 403);
    if (method !== "GET" && method !== "HEAD") return sendStatus(response, 405);
    // Split by hand: `new URL` refuses paths such as `//`.
    const [path = "", query] = url.split("?", 2);
    const page = this.find(path, new URLSearchParams(query));
    if (page === undefined) return sendStatus(response, 404);
    const { body, type, onSent } = page;
    if (onSent) response.once("finish", onSent);
    response.writeHead(200, { "content-type": TYPES[type], "cache-control": "no-store" });
    response.end(body);
  }
}

function sendStatus(response: ServerResponse, status: number): void {
  response.writeHead(status, { "cache-control": "no-store" });
  response.end();
}
