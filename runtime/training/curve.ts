/** Curves of a run as SVG, without a library: they are lines over steps, and a report should open anywhere. */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Faint, for noise behind a smoothed line. */
  readonly faint?: boolean;
  /** Dots, for values that come once an epoch. */
  readonly dots?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly series: readonly Series[];
  /** The last x; the first is 0. */
  readonly end: number;
  /** Bounds of y; from the data unless given. */
  readonly bounds?: readonly [number, number];
  readonly format: (value: number) => string;
}

const WIDTH = 720;
const HEIGHT = 240;
const MARGIN = { left: 60, right: 12, top: 34, bottom: 30 } as const;
/** Okabe and Ito's colours, which colour-blind readers tell apart. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"] as const;
/** More points than pixels only make the file larger. */
const MAXIMUM_POINTS = 1000;

/** Charts below each other in one SVG image. */
export function renderCharts(charts: readonly Chart[]): string {
  const height = charts.length * HEIGHT;
  const body = charts.map(
    (chart, index) => `<g transform="translate(0 ${index * HEIGHT})">${renderChart(chart)}</g>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    ...body,
    "</svg>",
    "",
  ].join("\n");
}

/** From data to pixels. */
interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly xRange: readonly [number, number];
  readonly yRange: readonly [number, number];
}

function renderChart(chart: Chart): string {
  const scales = makeScales(chart);
  const parts = [
    `<text x="${MARGIN.left}" y="18" font-weight="600" fill="#222">${escapeXml(chart.title)}</text>`,
    ...renderTicks(chart, scales),
    ...chart.series.map((series, index) => renderSeries(series, colour(index), scales)),
    renderLegend(chart.series),
  ];
  return parts.join("\n");
}

function makeScales({ series, end, bounds }: Chart): Scales {
  const points = series.flatMap((one) => one.points);
  const xRange = [0, Math.max(end, 1)] as const;
  const yRange = bounds ?? rangeOf(points.map(([, y]) => y));
  const [left, right] = [MARGIN.left, WIDTH - MARGIN.right];
  const [bottom, top] = [HEIGHT - MARGIN.bottom, MARGIN.top];
  return {
    x: (value) => left + ((value - xRange[0]) / (xRange[1] - xRange[0])) * (right - left),
    y: (value) => bottom + ((value - yRange[0]) / (yRange[1] - yRange[0])) * (top - bottom),
    xRange,
    yRange,
  };
}

/** The least range that holds the values and is not empty. */
function rangeOf(values: readonly number[]): [number, number] {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (low > high) return [0, 1];
  if (low < high) return [low, high];
  // A constant stands in the middle between 0 and its double, whatever its size.
  return low === 0 ? [-0.5, 0.5] : [Math.min(0, 2 * low), Math.max(0, 2 * high)];
}

function renderTicks(chart: Chart, { x, y, xRange, yRange }: Scales): string[] {
  const bottom = HEIGHT - MARGIN.bottom;
  const horizontal = roundNumbers(yRange).map((value) => {
    const at = y(value).toFixed(1);
    return `<path d="M${MARGIN.left} ${at}H${WIDTH - MARGIN.right}" stroke="#ddd"/><text x="${MARGIN.left - 6}" y="${at}" dy="4" text-anchor="end" fill="#555">${chart.format(value)}</text>`;
  });
  const vertical = roundNumbers(xRange)
    .filter(Number.isInteger)
    .map((value) => {
      const at = x(value).toFixed(1);
      return `<text x="${at}" y="${bottom + 18}" text-anchor="middle" fill="#555">${value}</text>`;
    });
  return [...horizontal, ...vertical];
}

/** About five multiples of 1, 2 or 5 times a power of ten within a range. */
function roundNumbers([low, high]: readonly [number, number]): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Multiplying by a rounded count keeps 0.30000000000000004 away.
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

function renderSeries(series: Series, stroke: string, { x, y }: Scales): string {
  const points = thinOut(series.points).map(
    ([px, py]) => [x(px).toFixed(1), y(py).toFixed(1)] as const,
  );
  if (points.length === 0) return "";
  const path = points.map(([px, py]) => `${px} ${py}`).join("L");
  const style = series.faint ? 'stroke-width="1" opacity="0.3"' : 'stroke-width="1.8"';
  const line = `<path d="M${path}" fill="none" stroke="${stroke}" ${style} stroke-linejoin="round"/>`;
  if (!series.dots) return line;
  return (
    line +
    points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="2.5" fill="${stroke}"/>`).join("")
  );
}

/** Means of neighbours, so that no more than MAXIMUM_POINTS stay. */
function thinOut(points: Series["points"]): Series["points"] {
  const size = Math.ceil(points.length / MAXIMUM_POINTS);
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const group = points.slice(index * size, (index + 1) * size);
    const mean = (axis: 0 | 1) => group.reduce((sum, point) => sum + point[axis], 0) / group.length;
    return [mean(0), mean(1)] as const;
  });
}

function renderLegend(series: readonly Series[]): string {
  let right = WIDTH - MARGIN.right;
  const entries = series.map((one, index) => {
    const entry = `<text x="${right}" y="18" text-anchor="end" fill="${colour(index)}">${escapeXml(one.name)}</text>`;
    right -= one.name.length * 7 + 16;
    return entry;
  });
  return entries.join("");
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

export function escapeXml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
