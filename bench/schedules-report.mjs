// The tables of the cost model's choices and the best measured candidates.
import { codeBlock, wrapped } from "./wrap.mjs";

/** What a choice may take of the best sum's time. */
const TOLERATED = 1.2;

const OPERATIONS = {
  pixels: "forward or input gradient",
  transposed: "input gradient",
  features: "input gradient",
  weights: "weight gradient",
};

const HEADINGS = [
  "layers",
  "contraction",
  "tile chosen",
  "ms",
  "best tile",
  "ms",
  "times the best",
  "times the best sum",
];

const line = (cells) => `| ${cells.join(" | ")} |`;

/** Rows by columns of results that a workgroup makes. */
function tileOf(form, { rowLanes, loads, columns, algorithm, splits = 1 }) {
  const rows = rowLanes * loads * (form === "weights" ? 4 : 1);
  const tile = `${rows} x ${form === "features" ? columns : 4 * columns}`;
  const parts = splits > 1 ? `, K in ${splits} parts` : "";
  return `${algorithm === "winograd" ? "Winograd, " : ""}${tile}${parts}`;
}

/** Layers of a section by their last part: `features.conv3, conv4`. */
function layersOf(names) {
  const short = (name, before) => {
    const section = name.slice(0, name.lastIndexOf(".") + 1);
    return before?.startsWith(section) ? name.slice(section.length) : name;
  };
  const distinct = [...new Set(names)];
  return distinct.map((name, index) => short(name, distinct[index - 1])).join(", ");
}

const ratio = (chosen, best) =>
  chosen && best ? (chosen.milliseconds / best.milliseconds).toFixed(2) : "";

function row({ problem, layers, chosen, best, bestSum }) {
  const [form] = problem.split(" ");
  const sizes = problem.slice(form.length + 1).replace(/ or .* tiles$/, "");
  const time = (each) => each?.milliseconds.toFixed(1) ?? "wrong";
  const tile = (each) => (each ? tileOf(form, each.schedule) : "");
  return [
    ...[layersOf(layers), `${OPERATIONS[form]}, ${sizes}`],
    ...[tile(chosen), time(chosen), tile(best), time(best)],
    ...[ratio(chosen, best), ratio(chosen, bestSum)],
  ];
}

const CLOCKS = {
  device: "the device's time",
  processor: "processor time, of all threads",
};

function section({ model, adapter, batch, clock, problems, date, machine, command }) {
  const rule = HEADINGS.map((_, index) =>
    ["ms"].includes(HEADINGS[index]) || index > 5 ? "---:" : "---",
  );
  const far = problems.filter(
    ({ chosen, bestSum }) => !chosen || chosen.milliseconds > TOLERATED * bestSum.milliseconds,
  );
  const sum = (of) => problems.reduce((total, each) => total + (of(each)?.milliseconds ?? 0), 0);
  const whole = sum(({ chosen }) => chosen) / sum(({ bestSum }) => bestSum);
  const within =
    `${problems.length - far.length} of ${problems.length} choices are within 20% of the best ` +
    "sum that was measured";
  return [
    `### ${model}, batch ${batch}`,
    "",
    [line(HEADINGS), line(rule), ...problems.map((problem) => line(row(problem)))].join("\n"),
    "",
    wrapped(
      `${within}; all of them together take ${whole.toFixed(2)} times what the best take. ` +
        `${date}, ${adapter}, ${machine}; ${CLOCKS[clock]}, the faster of two measurements. ` +
        "Command:",
    ),
    "",
    codeBlock(command),
  ].join("\n");
}

export function schedulesSection(results) {
  return results.map(section).join("\n\n");
}
