/** Small line charts as SVG text, for pages and pictures without scripts. */
import { escapeXml } from "../picture/text.js";

export type ChartPoint = readonly [x: number, y: number];

export interface ChartLine {
  readonly color: string;
  readonly points: readonly ChartPoint[];
  /** A thin line, for values that a second line smooths. */
  readonly isFaint?: boolean;
}

export interface LineChart {
  readonly lines: readonly ChartLine[];
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  /** Whether x is drawn by its logarithm. */
  readonly isLogarithmic?: boolean;
  /** A vertical line with a label. */
  readonly mark?: { readonly x: number; readonly label: string };
}

const WIDTH = 480;
const HEIGHT = 220;
const MARGINS = { left: 54, right: 14, top: 12, bottom: 24 } as const;
/** Gray that can be read on white and on black. */
const GRAY = "#7d8694";

/** An `<svg>` of 480 x 220 units. */
export function drawLineChart(chart: LineChart): string {
  const scales = scalesOf(chart);
  const content = [
    ...gridOf(chart, scales),
    ...chart.lines.map((line) => polyline(line, scales)),
    ...markOf(chart, scales),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" ` +
    `viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">` +
    `${content.join("")}</svg>`
  );
}

interface Scale {
  readonly low: number;
  readonly high: number;
  /** The place of a value in the chart. */
  readonly place: (value: number) => number;
}

interface Scales {
  readonly x: Scale;
  readonly y: Scale;
}

function scalesOf({ lines, isLogarithmic }: LineChart): Scales {
  const points = lines.flatMap(({ points: each }) => each).filter((each) => each.every(isFinite));
  const along = (axis: 0 | 1) => points.map((point) => point[axis]);
  const { left, right, top, bottom } = MARGINS;
  const identity = (value: number) => value;
  return {
    x: scale(along(0), [left, WIDTH - right], isLogarithmic ? Math.log : identity),
    y: scale(along(1), [HEIGHT - bottom, top], identity),
  };
}

function scale(
  values: readonly number[],
  [from, to]: readonly [number, number],
  transform: (value: number) => number,
): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [start, end] = [transform(low), transform(high)];
  const place = (value: number) => {
    const share = end > start ? (transform(value) - start) / (end - start) : 0.5;
    return Math.round(10 * (from + share * (to - from))) / 10;
  };
  return { low, high, place };
}

function gridOf({ formatX, formatY }: LineChart, { x, y }: Scales): readonly string[] {
  const { left, right, bottom } = MARGINS;
  const rows = y.high > y.low ? [y.low, (y.low + y.high) / 2, y.high] : [y.low];
  const columns = x.high > x.low ? [x.low, x.high] : [x.low];
  return [
    ...rows.map((value) => {
      const at = y.place(value);
      const line = `<line x1="${left}" x2="${WIDTH - right}" y1="${at}" y2="${at}" `;
      return (
        `${line}stroke="${GRAY}" stroke-opacity="0.3"/>` +
        text(formatY(value), { x: left - 6, y: at + 4, anchor: "end" })
      );
    }),
    ...columns.map((value, index) => {
      const anchor = index === 0 ? "start" : "end";
      return text(formatX(value), { x: x.place(value), y: HEIGHT - bottom + 16, anchor });
    }),
  ];
}

function text(content: string, at: { x: number; y: number; anchor: string }): string {
  return (
    `<text x="${at.x}" y="${at.y}" text-anchor="${at.anchor}" fill="${GRAY}">` +
    `${escapeXml(content)}</text>`
  );
}

function polyline({ points, color, isFaint }: ChartLine, { x, y }: Scales): string {
  const places = points
    .filter((point) => point.every(isFinite))
    .map(([across, up]) => `${x.place(across)},${y.place(up)}`);
  // A run of one epoch has no line.
  if (places.length === 1) {
    const [cx, cy] = places[0]!.split(",");
    return `<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`;
  }
  const width = isFaint ? `1" stroke-opacity="0.4` : "2";
  return (
    `<polyline points="${places.join(" ")}" fill="none" stroke="${color}" ` +
    `stroke-width="${width}"/>`
  );
}

function markOf({ mark }: LineChart, { x }: Scales): readonly string[] {
  if (!mark) return [];
  const at = x.place(mark.x);
  const [top, bottom] = [MARGINS.top, HEIGHT - MARGINS.bottom];
  const isRight = at > WIDTH / 2;
  return [
    `<line x1="${at}" x2="${at}" y1="${top}" y2="${bottom}" stroke="${GRAY}" ` +
      `stroke-dasharray="4 3"/>`,
    text(mark.label, {
      x: at + (isRight ? -6 : 6),
      y: top + 10,
      anchor: isRight ? "end" : "start",
    }),
  ];
}
