/** report.html: one file with its data, its script and its style inside. */
import { dataElement, renderDocument, scriptElement, type PageAssets } from "./document.js";
import { isStep, type MetricsRecord, type StepRecord } from "../runtime/training/records.js";
import type { ReportData } from "./data.js";

/** The page may not reach the network, but for the run that serves it. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; " +
  "connect-src 'self'";

/** More steps than this only make the file larger than any screen is wide. */
const MAX_STEPS = 4000;

/** The page's HTML. */
export function renderReport(data: ReportData, { script, style }: PageAssets): string {
  const thinned = { ...data, records: thinOut(data.records) };
  const body = `<main id="report"></main>
<noscript>This page draws its curves with a script.</noscript>
${dataElement("data", thinned)}
${scriptElement(script)}`;
  return renderDocument({ title: data.title, policy: POLICY, style, body });
}

/**
 * Means of neighboring steps, so that no more than MAX_STEPS stay; other records stay as they are.
 */
export function thinOut(records: readonly MetricsRecord[]): MetricsRecord[] {
  const size = Math.ceil(records.filter(isStep).length / MAX_STEPS);
  if (size <= 1) return [...records];
  let group: StepRecord[] = [];
  return records.flatMap((record): MetricsRecord[] => {
    if (!isStep(record)) return [record];
    group.push(record);
    if (group.length < size) return [];
    const mean = meanOf(group);
    group = [];
    return [mean];
  });
}

/** The last of some steps, with the means of their losses. */
function meanOf(steps: readonly StepRecord[]): StepRecord {
  const last = steps.at(-1)!;
  const mean = (of: (step: StepRecord) => number) =>
    steps.reduce((sum, step) => sum + of(step), 0) / steps.length;
  const names = Object.keys(last.losses ?? {});
  const losses = names.map((name) => [name, mean(({ losses }) => losses?.[name] ?? NaN)] as const);
  const own = losses.length > 0 ? { losses: Object.fromEntries(losses) } : {};
  return { ...last, loss: mean(({ loss }) => loss), ...own };
}
