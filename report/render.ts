/** report.html: one file with its data, its script and its style inside. */
import { isStep, type MetricsRecord } from "../runtime/training/records.js";
import type { ReportData } from "./data.js";

/** The page's script and style, as the build makes them. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** The page may not reach the network, but for the run that serves it. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; " +
  "connect-src 'self'";

/** More steps than this only make the file larger than any screen is wide. */
const MAX_STEPS = 4000;

/** The page's HTML. */
export function renderReport(data: ReportData, { script, style }: PageAssets): string {
  const thinned = { ...data, records: thinOut(data.records) };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeHtml(data.title)}</title>
<style>${style}</style>
</head>
<body>
<main id="report"></main>
<noscript>This page draws its curves with a script.</noscript>
<script type="application/json" id="data">${embedJson(thinned)}</script>
<script>${script.replaceAll("</script", "<\\\\/script")}</script>
</body>
</html>
`;
}

/**
 * Means of neighboring steps, so that no more than MAX_STEPS stay; other records stay as they are.
 */
export function thinOut(records: readonly MetricsRecord[]): MetricsRecord[] {
  const size = Math.ceil(records.filter(isStep).length / MAX_STEPS);
  if (size <= 1) return [...records];
  let group = { count: 0, loss: 0 };
  return records.flatMap((record): MetricsRecord[] => {
    if (!isStep(record)) return [record];
    group = { count: group.count + 1, loss: group.loss + record.loss };
    if (group.count < size) return [];
    const loss = group.loss / group.count;
    group = { count: 0, loss: 0 };
    return [{ ...record, loss }];
  });
}

/** JSON that cannot end the element it is in. */
function embedJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
