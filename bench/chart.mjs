// Bars of how many times longer than netc each contender takes.
import { parse, View } from "vega";
import { compile } from "vega-lite";

const WIDTH = 420;
const BAR_HEIGHT = 18;

const BARS = {
  mark: "bar",
  encoding: { color: { field: "contender", type: "nominal", legend: null, sort: null } },
};
const LABELS = {
  mark: { type: "text", align: "left", dx: 4 },
  encoding: { text: { field: "ratio", format: ".1f" } },
};

/** The bars of one case; all cases have one scale, `longest` its end. */
function caseView(title, values, longest) {
  const x = {
    field: "ratio",
    type: "quantitative",
    scale: { domain: [0, longest] },
    axis: { title: null, tickCount: 6 },
  };
  const y = { field: "contender", type: "nominal", title: null, sort: null };
  return {
    title: { text: title, anchor: "start", frame: "group", fontSize: 11 },
    width: WIDTH,
    height: { step: BAR_HEIGHT },
    data: { values },
    encoding: { x, y },
    layer: [BARS, LABELS],
  };
}

function specification(rows) {
  const longest = Math.ceil(1.1 * Math.max(1, ...rows.map(({ ratio }) => ratio)));
  const titles = [...new Set(rows.map(({ case: title }) => title))];
  const rowsOf = (title) => rows.filter((row) => row.case === title);
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: { text: "Time, as a multiple of netc's", anchor: "start" },
    background: "white",
    vconcat: titles.map((title) => caseView(title, rowsOf(title), longest)),
  };
}

/** SVG of rows of `{ case, contender, ratio }`, netc's own among them. */
export async function drawChart(rows) {
  const view = new View(parse(compile(specification(rows)).spec), { renderer: "none" });
  return (await view.toSVG()) + "\n";
}
