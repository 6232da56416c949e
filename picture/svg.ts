import {
  countParameters,
  type AnalyzedLayer,
  type AnalyzedModel,
} from "../compiler/semantics/index.js";
import {
  formatDimensions,
  sameDimensions,
  shapeOf,
  type Box,
  type Diagram,
  type DiagramInput,
} from "./diagram.js";
import type { Layout, Point, Rectangle } from "./layout.js";
import { FONT_SIZE, shortCount, type Line } from "./measure.js";
import { drawOutlines } from "./outlines.js";
import { escapeXml, textWidth } from "./text.js";

/** Of the name and the totals. */
const TITLE_HEIGHT = 44;
const LEGEND_HEIGHT = 22;
const LEGEND = "one kernel in prediction";

const FONTS = [
  ...["system-ui", "-apple-system", '"Segoe UI"', '"DejaVu Sans"'],
  ...["Helvetica", "Arial", "sans-serif"],
].join(", ");

const STYLE = `
  svg { background: #ffffff; font-family: ${FONTS}; }
  text { fill: #1d2733; dominant-baseline: central; }
  .title { font-size: ${FONT_SIZE.title}px; font-weight: 600; }
  .totals, .call, .cost, .wire-shape { fill: #5a6775; }
  .name { font-size: ${FONT_SIZE.name}px; font-weight: 600; }
  .totals, .call { font-size: ${FONT_SIZE.call}px; }
  .cost { font-size: ${FONT_SIZE.cost}px; }
  .frame { fill: #44607e0d; stroke: #b4c0cc; }
  .frame-label { font-size: ${FONT_SIZE.frame}px; fill: #44607e; }
  .box { fill: #ffffff; stroke: #8b98a5; }
  .rule { stroke: #dde3e9; }
  .weights { stroke: #2f6db3; fill: #eef5fc; }
  .resize { stroke: #b8742a; fill: #fdf5ea; }
  .join { stroke: #7a52ab; fill: #f5effc; }
  .end { stroke: #3c8d5a; fill: #edf8f1; }
  .wire { fill: none; stroke: #66727e; stroke-width: 1.3; }
  .arrow { fill: #66727e; }
  .wire-shape { font-size: ${FONT_SIZE.wire}px; }
  .frame-label, .wire-shape { paint-order: stroke; stroke: #f4f6f8; stroke-width: 4px; }
  .frame-label, .wire-shape { stroke-linejoin: round; }
  .outline-edge { stroke: #d0521b; fill: #d0521b; }
  .outline-inside { stroke: #fff1e8; fill: #fff1e8; }
  .legend { fill: #fff1e8; stroke: #d0521b; stroke-width: 1.3; }
  .outline-edge, .outline-inside { stroke-linejoin: round; stroke-linecap: round; }
  @media (prefers-color-scheme: dark) {
    svg { background: #14191f; }
    text { fill: #e3e9ef; }
    .totals, .call, .cost, .wire-shape { fill: #9eabb8; }
    .frame { fill: #9fc0e60d; stroke: #46525f; }
    .frame-label { fill: #9fc0e6; }
    .frame-label, .wire-shape { stroke: #191f26; }
    .box { fill: #1c232b; stroke: #64717e; }
    .rule { stroke: #333d48; }
    .weights { stroke: #5b9ee0; fill: #18283a; }
    .resize { stroke: #d39a55; fill: #2e2519; }
    .join { stroke: #a885d6; fill: #271e33; }
    .end { stroke: #62b584; fill: #182b20; }
    .wire { stroke: #93a0ad; }
    .arrow { fill: #93a0ad; }
    .outline-edge { stroke: #f0824f; fill: #f0824f; }
    .outline-inside { stroke: #33211a; fill: #33211a; }
    .legend { stroke: #f0824f; fill: #33211a; }
  }`;

/**
 * The finished picture. `kernels` are the indices of layers that one kernel computes, for outlines
 * around them.
 */
export function drawSvg(
  model: AnalyzedModel,
  diagram: Diagram,
  layout: Layout,
  kernels: readonly (readonly number[])[] = [],
): string {
  const title = titleOf(model, kernels.length > 0);
  const width = Math.ceil(Math.max(layout.width, title.width + 32));
  const height = Math.ceil(layout.height + title.height);
  const indent = Math.max(0, (width - layout.width) / 2);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"` +
      ` viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(model.name)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"` +
      ` markerHeight="7" orient="auto"><path class="arrow" d="M0 0.5L8 4L0 7.5z"/></marker></defs>`,
    ...title.lines,
    `<g transform="translate(${number(indent)} ${title.height})">`,
    ...diagram.frames.map(({ id }) => drawFrame(layout.frames.get(id)!)),
    ...drawOutlines(diagram, layout, kernels),
    ...diagram.wires.map(({ id }) => drawWire(layout.wires.get(id)!.points)),
    // Text comes after all lines, which it interrupts where they cross it.
    ...diagram.frames.map(({ id, label }) => drawFrameLabel(layout.frames.get(id)!, label)),
    ...diagram.wires.map(({ id, shape }) => drawShape(layout.wires.get(id)!.label, shape)),
    ...diagram.inputs.map((input) => drawInput(layout.boxes.get(input.id)!, input)),
    ...diagram.boxes.map((box) => drawBox(box, layout, model)),
    "</g>",
    "</svg>",
  ].join("\n")}\n`;
}

function titleOf({ name, layers }: AnalyzedModel, hasLegend: boolean) {
  const parameters = shortCount(countParameters(layers));
  const macs = shortCount(layers.reduce((total, layer) => total + layer.macs, 0));
  const totals = `${parameters} parameters, ${macs} MACs per image`;
  const lines = [
    `<text class="title" x="16" y="18">${escapeXml(name)}</text>`,
    `<text class="totals" x="16" y="38">${totals}</text>`,
    ...(hasLegend ? drawLegend() : []),
  ];
  const width = Math.max(
    textWidth(name, FONT_SIZE.title, "bold"),
    textWidth(totals, FONT_SIZE.call),
  );
  return { lines, width, height: TITLE_HEIGHT + (hasLegend ? LEGEND_HEIGHT : 0) };
}

/** What the outlines are, below the totals. */
function drawLegend(): readonly string[] {
  return [
    '<rect class="legend" rx="4" x="16" y="51" width="22" height="12"/>',
    `<text class="totals" x="44" y="57">${LEGEND}</text>`,
  ];
}

const number = (value: number) => String(Math.round(value * 10) / 10);

const attributes = ({ x, y, width, height }: Rectangle) =>
  `x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"`;

function drawFrame(place: Rectangle): string {
  return `<rect class="frame" rx="8" ${attributes(place)}/>`;
}

function drawFrameLabel({ x, y }: Point, label: string): string {
  return (
    `<text class="frame-label" x="${number(x + 10)}" ` +
    `y="${number(y + 14)}">${escapeXml(label)}</text>`
  );
}

function drawWire(points: readonly Point[]): string {
  const path = points.map(({ x, y }, at) => `${at ? "L" : "M"}${number(x)} ${number(y)}`).join("");
  return `<path class="wire" marker-end="url(#arrow)" d="${path}"/>`;
}

function drawShape(place: Point | undefined, shape: string | undefined): string {
  if (!place || !shape) return "";
  return (
    `<text class="wire-shape" x="${number(place.x + 3)}" ` +
    `y="${number(place.y + 7)}">${shape}</text>`
  );
}

function drawInput(place: Rectangle, { name, shape }: DiagramInput): string {
  const [x, y] = [place.x + place.width / 2, place.y + 15].map(number);
  return [
    "<g>",
    `<title>input ${escapeXml(name)}: ${formatDimensions(shape) ?? "unknown"}</title>`,
    `<rect class="box end" rx="15" ${attributes(place)}/>`,
    `<text class="name" text-anchor="middle" x="${x}" y="${y}">${escapeXml(name)}</text>`,
    "</g>",
  ].join("");
}

function drawBox({ id, rows }: Box, layout: Layout, model: AnalyzedModel): string {
  const place = layout.boxes.get(id)!;
  const rules = place.lines.filter(({ startsLayer }) => startsLayer).slice(1);
  const tip = rows.map((row) => tooltip(row.layer)).join("\n");
  return [
    `<g><title>${escapeXml(tip)}</title>`,
    `<rect class="box ${classOf(rows[0].layer, model)}" rx="5" ${attributes(place)}/>`,
    ...rules.map(({ top }) => drawRule(place, top)),
    ...place.lines.map((line) => drawLine(place, line)),
    "</g>",
  ].join("");
}

function drawRule({ x, y, width }: Rectangle, top: number): string {
  return `<path class="rule" d="M${number(x + 1)} ${number(y + top)}h${number(width - 2)}"/>`;
}

function drawLine({ x, y, width }: Rectangle, { text, style, middle }: Line): string {
  return (
    `<text class="${style}" text-anchor="middle" x="${number(x + width / 2)}" ` +
    `y="${number(y + middle)}">${escapeXml(text)}</text>`
  );
}

function tooltip({ name, call, line, output, parameters, macs }: AnalyzedLayer): string {
  const costs = [
    `output ${formatDimensions(output) ?? "unknown"}`,
    ...(parameters ? [`${parameters.toLocaleString("en-US")} parameters`] : []),
    ...(macs ? [`${macs.toLocaleString("en-US")} MACs`] : []),
  ];
  return `${name}: ${call}, line ${line}\n${costs.join(", ")}`;
}

/**
 * Boxes are colored by what they do to values, which holds for any layer, today's and tomorrow's.
 */
function classOf({ inputs, macs, output }: AnalyzedLayer, model: AnalyzedModel): string {
  if (inputs.length > 1) return "join";
  if (macs > 0) return "weights";
  const [from = -1] = inputs;
  return sameDimensions(shapeOf(model, from), output) ? "" : "resize";
}
