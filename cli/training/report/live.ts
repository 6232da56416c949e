/** `--open`: the report over HTTP on this machine alone, while the run goes on. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ReportData } from "../../../report/data.js";
import { renderReport, type PageAssets } from "../../../report/render.js";
import {
  epochRecord,
  stepRecord,
  type EpochReport,
  type MetricsRecord,
  type StepReport,
} from "../../../runtime/training/index.js";
import { say } from "../../terminal.js";
import type { MetricsFiles } from "../logs.js";
import type { RunObserver } from "../parts.js";
import { readPageAssets, type ReportBuilder } from "./build.js";
import type { ReportFile } from "./file.js";

const HOST = "127.0.0.1";
/** How long the end of a run waits for open pages to fetch it; they ask once a second. */
const FAREWELL_MILLISECONDS = 2500;

export class LiveReport implements RunObserver {
  private readonly server = createServer((request, response) => this.answer(request, response));
  private records: MetricsRecord[] = [];
  private assets?: PageAssets;
  private ended?: ReportData;
  private lastAsked = -Infinity;
  private onFetched = () => {};

  constructor(
    private readonly metrics: MetricsFiles,
    private readonly builder: ReportBuilder,
    private readonly file: ReportFile,
  ) {}

  async begin(): Promise<void> {
    this.assets = await readPageAssets();
    this.records = await this.metrics.records();
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject).listen(0, HOST, resolve);
    });
    // The run, not the server, decides when the process ends.
    this.server.unref();
    say(`live report: ${this.address}/`);
    await openBrowser(`${this.address}/`);
  }

  async restart(): Promise<void> {
    this.records = await this.metrics.records();
  }

  step(report: StepReport): void {
    this.records.push(stepRecord(report));
  }

  epoch(report: EpochReport): void {
    this.records.push(epochRecord(report));
  }

  /** Comes after the report's file: open pages get the same. */
  async finish(): Promise<void> {
    this.ended = this.file.data;
    if (performance.now() - this.lastAsked > FAREWELL_MILLISECONDS) return;
    await new Promise<void>((resolve) => {
      this.onFetched = resolve;
      setTimeout(resolve, FAREWELL_MILLISECONDS);
    });
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private get address(): string {
    return `http://${HOST}:${(this.server.address() as AddressInfo).port}`;
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    // A name that resolves to this machine is some page of the web that wants to read along.
    if (`http://${request.headers.host}` !== this.address) return end(response, 403, "");
    const { pathname, searchParams } = new URL(request.url ?? "/", this.address);
    this.lastAsked = performance.now();
    if (pathname === "/")
      return end(response, 200, renderReport(this.data(), this.assets!), "html");
    if (pathname !== "/state") return end(response, 404, "");
    const from = Number(searchParams.get("from")) || 0;
    response.once("finish", () => this.ended && this.onFetched());
    end(response, 200, JSON.stringify(this.data(from)), "json");
  }

  /** The report with the records from an index on. */
  private data(from = 0): ReportData {
    const records = this.records.slice(from);
    return this.ended ? { ...this.ended, records } : this.builder.outline("running", records);
  }
}

const types = { html: "text/html; charset=utf-8", json: "application/json" } as const;

function end(
  response: ServerResponse,
  status: number,
  body: string,
  type: keyof typeof types = "html",
): void {
  response.writeHead(status, { "content-type": types[type], "cache-control": "no-store" });
  response.end(body);
}

/** The user has the address already, where there is no browser or it does not start. */
async function openBrowser(address: string): Promise<void> {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform === "linux" && !DISPLAY && !WAYLAND_DISPLAY) return;
  try {
    const { default: open } = await import("open");
    (await open(address)).on("error", () => {});
  } catch {
    // Said above.
  }
}
