/** Two runs compared, as one HTML file without scripts and network. */
import { escapeXml } from "../../picture/text.js";
import { drawLineChart } from "../line-chart.js";
import type { Comparison, Curve } from "./comparison.js";
import { describeSignificance, formatValue } from "./text.js";

/** Of the first and of the second run: to be told apart on white and on black. */
const COLORS = ["#3f7fe0", "#d9622b"] as const;

const STYLE = `
:root { color-scheme: light dark; --line: #8884; }
body { font: 14px/1.5 system-ui, sans-serif; max-width: 1060px;
  margin: 28px auto; padding: 0 20px; }
h1 { font-size: 24px; } h2 { font-size: 16px; margin: 28px 0 8px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 18px 4px 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; } td:first-child { white-space: nowrap; }
.first { color: ${COLORS[0]}; } .second { color: ${COLORS[1]}; }
.charts { display: grid; gap: 18px; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); }
figure { margin: 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; display: block; }
pre { font: 12.5px/1.5 ui-monospace, monospace; overflow-x: auto; }
`;

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** The page's HTML. */
export function comparisonPage(comparison: Comparison): string {
  const [first, second] = comparison.names.map(escapeXml);
  const significance = describeSignificance(comparison).split("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${first} and ${second}</title>
<style>${STYLE}</style>
</head>
<body>
<h1><span class="first">${first}</span> and <span class="second">${second}</span></h1>
<h2>Best evaluation</h2>
${metricTable(comparison)}
<h2>Significance</h2>
${significance.map((line) => `<p>${escapeXml(line)}</p>`).join("\n")}
<h2>Curves</h2>
<div class="charts">${comparison.curves.map(chart).join("\n")}</div>
<h2>Recipe</h2>
${settingTable(comparison)}
<h2>Spec</h2>
${specLines(comparison)}
</body>
</html>
`;
}

const row = (tag: "td" | "th", cells: readonly string[]) =>
  `<tr>${cells.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join("")}</tr>`;

const table = (titles: readonly string[], rows: readonly (readonly string[])[]) =>
  `<table>${row("th", titles)}${rows.map((cells) => row("td", cells)).join("")}</table>`;

function metricTable({ metrics, names }: Comparison): string {
  const rows = metrics.map(({ name, values, isShare }) => [
    name,
    ...values.map((value) => formatValue(value, isShare)),
  ]);
  return table(["metric", ...names], rows);
}

function settingTable({ settings, names }: Comparison): string {
  if (settings.length === 0) return "<p>No differences.</p>";
  const rows = settings.map(({ name, values }) => [name, ...values.map((each) => each ?? "-")]);
  return table(["setting", ...names], rows);
}

function specLines({ spec }: Comparison): string {
  if (spec.length === 0) return "<p>No differences.</p>";
  const lines = spec.map(({ side, line, text }) => {
    const sign = side === "first" ? "-" : "+";
    return `<span class="${side}">${String(line).padStart(4)} ${sign} ${escapeXml(text)}</span>`;
  });
  return `<pre>${lines.join("\n")}</pre>`;
}

function chart({ name, runs, isShare }: Curve): string {
  const drawing = drawLineChart({
    lines: runs.map((points, index) => ({ color: COLORS[index]!, points })),
    formatX: (epoch) => `epoch ${epoch}`,
    formatY: (value) => formatValue(value, isShare),
  });
  return `<figure><figcaption>${escapeXml(name)}</figcaption>${drawing}</figure>`;
}
