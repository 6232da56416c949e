/** Draws a run's report from its data, and again during the run that serves it. */
import { isStep, type EpochRecord } from "../../runtime/training/records.js";
import type { Facts, HighlightedText, ReportData, Timings } from "../data.js";
import { drawCharts, lossNames } from "./charts.js";
import { calibrationSection, curvesSection } from "./calibration.js";
import { boxesSection, precisionsSection } from "./boxes.js";
import { classesSection, confusionSection } from "./confusion.js";
import { compact, grouped, h, percent, section, table } from "./elements.js";
import { masksSection, overlapsSection } from "./masks.js";
import { numbersSection } from "./numbers.js";
import { filtersSection, generatedSection, mistakesSection, samplesSection } from "./pictures.js";
import { tagsSection } from "./tags.js";

const POLL_MILLISECONDS = 1000;

let data = JSON.parse(document.getElementById("data")!.textContent) as ReportData;
const root = document.getElementById("report")!;
const charts = h("div.charts");
/** What changes during a run once an epoch. */
const hints = h("div.group");
const details = h("div.group");

function draw(): void {
  root.replaceChildren(
    header(),
    tiles(),
    ...weightsNote(),
    hints,
    h("section.card", charts),
    details,
    h(
      "div.pair",
      section("Recipe", "", factsTable(data.recipe)),
      section("Run", "", factsTable(data.facts)),
    ),
    specSection(data.spec),
  );
  redrawDetails();
  redrawCharts();
}

function redrawDetails(): void {
  const { examination, segmentation, detection, generated, filters, timings, samples = [] } = data;
  const { tags, regression } = data;
  hints.replaceChildren(...hintsSection());
  details.replaceChildren(
    ...(generated ? [generatedSection(generated)] : []),
    ...(samples.length > 0 ? [samplesSection(samples, data.lookedAt)] : []),
    ...(segmentation ? [masksSection(segmentation), overlapsSection(segmentation)] : []),
    ...(detection ? [boxesSection(detection), precisionsSection(detection)] : []),
    ...(tags ? [tagsSection(tags)] : []),
    ...(regression ? [numbersSection(regression)] : []),
    ...(examination ? [confusionSection(examination)] : []),
    ...(examination && examination.mistakes.length > 0 ? [mistakesSection(examination)] : []),
    ...(examination ? [classesSection(examination), ...curvesSection(examination)] : []),
    ...(examination?.calibration ? [calibrationSection(examination.calibration)] : []),
    ...(filters ? [filtersSection(filters)] : []),
    ...(timings ? [timingsSection(timings)] : []),
  );
}

/** During a run, only what changes is drawn again: pages that jump are hard to read. */
function redrawRunning(): void {
  root.querySelector(".head")!.replaceWith(header());
  root.querySelector(".tiles")!.replaceWith(tiles());
  redrawCharts();
}

function redrawCharts(): void {
  drawCharts(charts, data.records, data.fractions);
}

function header(): HTMLElement {
  return h("header.head", h("h1", data.title), h(`span.status.${data.status}`, data.status));
}

function tiles(): HTMLElement {
  const last = data.records.filter(isStep).at(-1);
  const shown = shownEpoch();
  const losses = lossNames(data.records.filter(isStep));
  const trained = (losses.length > 0 ? losses : ["loss"]).flatMap((name): [string, string][] => {
    const value = shown?.train?.[name] ?? meanLoss(name);
    return value === undefined ? [] : [[`train ${name}`, compact(value)]];
  });
  const hidden = losses.length > 0 ? "loss" : undefined;
  const entries: [string, string][] = [
    ...bestTile(),
    ...Object.entries(shown?.eval ?? {}).flatMap(([name, value]): [string, string][] => {
      const text = data.fractions.includes(name) ? percent(value, 2) : compact(value);
      return name === hidden ? [] : [[`eval ${name}`, text]];
    }),
    ...trained,
    ["steps", `${grouped(last?.step ?? 0)} / ${grouped(data.steps)}`],
    ...(last ? [["examples a second", compact(last.examplesPerSecond)] as [string, string]] : []),
    ...(last?.dataWait === undefined
      ? []
      : [["waiting for data", percent(last.dataWait)] as [string, string]]),
  ];
  return h(
    "div.tiles",
    ...entries.map(([name, value]) => h("div.tile", h("span.note", name), h("b", value))),
  );
}

/** Which epoch the figures are of, before them. */
function bestTile(): [string, string][] {
  const { best } = data;
  if (!best) return [];
  const epochs = Math.max(0, ...data.records.slice(-1).map(({ epoch }) => epoch));
  return [["best epoch", `${grouped(best.epoch)} of ${grouped(Math.max(epochs, best.epoch))}`]];
}

/** The epoch that the figures are of: the best one, or the last while there is no best. */
function shownEpoch(): EpochRecord | undefined {
  const epochs = data.records.filter((record): record is EpochRecord => !isStep(record));
  return epochs.find(({ step }) => step === data.best?.step) ?? epochs.at(-1);
}

/** Over the steps so far, in a run without a whole epoch. */
function meanLoss(name: string): number | undefined {
  const steps = data.records.filter(isStep);
  if (steps.length === 0) return undefined;
  const sum = steps.reduce((sum, { loss, losses }) => sum + (losses?.[name] ?? loss), 0);
  return sum / steps.length;
}

/** Says which weights the page describes. */
function weightsNote(): HTMLElement[] {
  const { best } = data;
  if (!best) return [];
  const { epoch, metric, file } = best;
  const text =
    `Figures, examples and filters are of epoch ${epoch}, ` + `the best by ${metric}: ${file}.`;
  return [h("p.note.weights", text)];
}

function hintsSection(): HTMLElement[] {
  const { hints = [] } = data;
  if (hints.length === 0) return [];
  const rows = hints.flatMap(({ name, text, advice }) => [
    h("dt", name),
    h("dd", text, h("p.note", advice)),
  ]);
  return [section("Hints", "What looked wrong during the run, and what to try.", h("dl", ...rows))];
}

function factsTable(facts: Facts): HTMLElement {
  return h("dl", ...facts.flatMap(([name, value]) => [h("dt", name), h("dd", value)]));
}

function timingsSection({ note, kernels }: Timings): HTMLElement {
  const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rows = [...kernels]
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .map(({ name, line, milliseconds, gflops }) => {
      const bar = h("i.bar");
      bar.style.width = `${(100 * milliseconds) / Math.max(total, 1e-9)}%`;
      const share = h(
        "span.share",
        h("span.track", bar),
        percent(milliseconds / Math.max(total, 1e-9)),
      );
      return [
        name,
        String(line),
        milliseconds.toFixed(3),
        share,
        gflops === undefined ? "" : compact(gflops),
      ];
    });
  return section("Kernels", note, table(["dispatch", "line", "ms", "share", "GFLOP/s"], rows));
}

function specSection({ path, pieces }: HighlightedText): HTMLElement {
  const code = h(
    "code",
    ...pieces.map(([text, kind]) => (kind === "plain" ? text : h(`span.${kind}`, text))),
  );
  return section("Spec", path, h("pre", code));
}

// A run that serves its own report

async function poll(): Promise<void> {
  const response = await fetch(`state?from=${data.records.length}`);
  const next = (await response.json()) as ReportData;
  const records = [...data.records, ...next.records];
  if (next.status !== "running") {
    data = { ...next, records };
    return draw();
  }
  data = { ...data, ...next, records };
  redrawRunning();
  if (next.lookedAt !== undefined) redrawDetails();
}

/** Continues until the run has ended or its process has. */
async function follow(): Promise<void> {
  while (data.status === "running") {
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    try {
      await poll();
    } catch {
      data = { ...data, status: "stopped" };
      redrawRunning();
    }
  }
}

draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  redrawCharts();
});
if (data.status === "running" && location.protocol !== "file:") void follow();
