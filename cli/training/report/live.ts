/** `--open`: the report over HTTP on this machine alone, during the run. */
import type { ReportData } from "../../../report/data.js";
import type { PageAssets } from "../../../report/document.js";
import { renderReport } from "../../../report/render.js";
import { isStep, type MetricsRecord, type StepReport } from "../../../runtime/training/index.js";
import { warn } from "../../terminal.js";
import { say } from "../../terminal.js";
import { judgedRecord, type JudgedEpoch } from "../judge.js";
import type { MetricsFiles } from "../logs.js";
import type { RunObserver } from "../parts.js";
import { readPageAssets } from "../../package.js";
import type { ReportBuilder } from "./build.js";
import type { ReportFile } from "./file.js";
import { LocalServer, type Page } from "./local-server.js";

/** How long the end of a run waits for open pages to fetch it; they ask once a second. */
const FAREWELL_MILLISECONDS = 2500;

export class LiveReport implements RunObserver {
  private server?: LocalServer;
  private records: MetricsRecord[] = [];
  private assets?: PageAssets;
  /** What was made after the last epoch. */
  private latest: Partial<ReportData> = {};
  private ended?: ReportData;
  private lastAsked = -Infinity;
  private onFetched = () => {};

  constructor(
    private readonly metrics: MetricsFiles,
    private readonly builder: ReportBuilder,
    private readonly file: ReportFile,
  ) {}

  async begin(): Promise<void> {
    this.assets = await readPageAssets("report");
    this.records = await this.metrics.records();
    try {
      this.server = await LocalServer.listen((path, query) => this.find(path, query));
    } catch (error) {
      return warn(`the live report cannot be served: ${(error as Error).message}`);
    }
    const { address } = this.server;
    say(`live report: ${address}/`);
    await openBrowser(`${address}/`);
  }

  async restart(): Promise<void> {
    this.records = await this.metrics.records();
  }

  step(report: StepReport): void {
    this.records.push(this.metrics.recordOf(report));
  }

  async epoch(report: JudgedEpoch): Promise<void> {
    try {
      this.latest = await this.builder.latest(report);
    } catch (error) {
      warn(`the live report does not show epoch ${report.epoch}: ${(error as Error).message}`);
    }
    this.records.push(judgedRecord(report));
  }

  /** Comes after the report's file: open pages get the same. */
  async finish(): Promise<void> {
    this.ended = this.file.data;
    if (performance.now() - this.lastAsked > FAREWELL_MILLISECONDS) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.onFetched = resolve;
      timer = setTimeout(resolve, FAREWELL_MILLISECONDS);
    });
    clearTimeout(timer);
  }

  close(): void {
    this.server?.close();
  }

  private find(path: string, query: URLSearchParams): Page | undefined {
    this.lastAsked = performance.now();
    if (path === "/") return { body: renderReport(this.data(), this.assets!), type: "html" };
    if (path !== "/state") return undefined;
    const body = JSON.stringify(this.data(Number(query.get("from")) || 0));
    return { body, type: "json", onSent: () => this.ended && this.onFetched() };
  }

  /** The report with the records from an index on, and with pictures where there are new ones. */
  private data(from = 0): ReportData {
    const records = this.records.slice(from);
    if (this.ended) return { ...this.ended, records };
    const hasEpoch = from === 0 || records.some((record) => !isStep(record));
    const latest = hasEpoch ? this.latest : {};
    return { ...this.builder.outline("running", records), ...latest };
  }
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
