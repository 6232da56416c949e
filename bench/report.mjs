// Tables and the chart of what results/ holds: results/benchmark.md, results/benchmark.svg,
// results/schedules.md, results/rdna3.md, and the same tables in docs/performance.md.
// `node report.mjs` writes them again without measuring.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { CASES, PLAN, TITLES } from "./cases.mjs";
import { drawChart } from "./chart.mjs";
import { generatedCodeSection } from "./rdna3-report.mjs";
import { readResult, resultNames, saveText } from "./results.mjs";
import { schedulesSection } from "./schedules-report.mjs";
import { codeBlock, wrapped } from "./wrap.mjs";

const pathOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const BENCHMARKS = pathOf("docs/performance.md");
const SCHEDULES = pathOf("docs/performance-schedules.md");
const GENERATED_CODE = pathOf("docs/performance-generated-code.md");
const README = pathOf("README.md");

const seconds = (milliseconds) =>
  milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
const megabytes = (bytes) => (bytes ? `${(bytes / 1e6).toFixed(0)} MB` : "");
const titleOf = ({ name, version }) => [TITLES[name], version].filter(Boolean).join(" ");

function table(headings, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = headings.map((_, index) => (index === 0 ? "---" : "---:"));
  return [line(headings), line(rule), ...rows.map(line)].join("\n");
}

/** All results in the plan's order. */
async function readResults() {
  const results = [];
  for (const adapter of Object.keys(PLAN)) {
    for (const caseName of Object.keys(CASES)) {
      const result = await readResult(`${adapter}-${caseName}`);
      if (result) results.push(result);
    }
  }
  return results;
}

const HEADINGS = [
  "",
  "median",
  "fastest to slowest",
  "times netc's",
  "to the first finished step",
  "pipelines",
  "dispatches",
  "submits",
  "JavaScript",
  "buffers at peak",
];

function contenderRow(contender, base) {
  const { failure, javascript } = contender;
  if (failure) return [titleOf(contender), `failed: ${failure}`, ...Array(8).fill("")];
  return [
    titleOf(contender),
    seconds(contender.median),
    `${seconds(contender.fastest)} to ${seconds(contender.slowest)}`,
    base ? (contender.median / base).toFixed(2) : "",
    seconds(contender.first),
    contender.pipelines ?? "",
    contender.dispatches ?? "",
    contender.submits ?? "",
    javascript === undefined ? "" : `${javascript.toFixed(1)} ms`,
    megabytes(contender.peakBytes),
  ];
}

function agreement({ agreeing }) {
  if (agreeing < 2) return "the outputs were not compared with anything";
  return `the outputs of ${agreeing} agreed in every step`;
}

function caseSection(result) {
  const { date, adapterName, cores, processor, node, rounds, revision, command } = result;
  const base = result.contenders.find(({ name }) => name === "netc")?.median;
  return [
    `### ${CASES[result.case].title}, ${result.adapter}`,
    "",
    table(
      HEADINGS,
      result.contenders.map((contender) => contenderRow(contender, base)),
    ),
    "",
    wrapped(
      `${date}, ${adapterName}, ${cores} cores of ${processor}, Node ${node}, ` +
        `${rounds} steps each after the first, in turns; ${agreement(result)}. ` +
        `netc at ${revision}. Command:`,
    ),
    "",
    codeBlock(command),
  ].join("\n");
}

/** Each contender's median relative to netc's, for the chart. */
function ratios(results) {
  return results.flatMap((result) => {
    const base = result.contenders.find(({ name }) => name === "netc")?.median;
    return result.contenders
      .filter(({ median }) => base && median)
      .map(({ name, median }) => ({
        case: `${CASES[result.case].title}, ${result.adapter}`,
        contender: TITLES[name],
        ratio: median / base,
      }));
  });
}

/** What the README says of each contender next to its times. */
const FEATURES = {
  networks: {
    netc: "a spec file",
    "jax-js": "JavaScript, as in NumPy",
    tensorflow: "JavaScript, as in Keras",
    onnxruntime: "ONNX files",
  },
  training: { netc: "yes", "jax-js": "yes", tensorflow: "yes", onnxruntime: "no" },
  "shape mistakes are found": {
    netc: "before the run, with a fix",
    "jax-js": "when the code runs",
    tensorflow: "when the code runs",
    onnxruntime: "",
  },
  "recurrent layers": {
    netc: "no",
    "jax-js": "as array code",
    tensorflow: "yes",
    onnxruntime: "yes",
  },
  "without WebGPU": {
    netc: "no",
    "jax-js": "WebGL, WebAssembly",
    tensorflow: "WebGL, WebAssembly",
    onnxruntime: "WebGL, WebAssembly",
  },
};

/** The README's table: a column for each contender, a row for each feature and each case. */
function shortTable(results) {
  const shown = results.filter(({ adapter }) => adapter === "lavapipe");
  const find = (name, { contenders }) => contenders.find((each) => each.name === name);
  const known = Object.keys(TITLES)
    .filter((name) => name !== "prototype")
    .map((name) => shown.map((result) => find(name, result)).find(Boolean))
    .filter(Boolean);
  const features = Object.entries(FEATURES).map(([feature, values]) => {
    return [feature, ...known.map(({ name }) => values[name] ?? "")];
  });
  const times = shown.map((result) => {
    const medians = known.map(({ name }) => find(name, result)?.median);
    return [CASES[result.case].title, ...medians.map((each) => (each ? seconds(each) : ""))];
  });
  return table(["", ...known.map(titleOf)], [...features, ...times]);
}

/** Puts text between a document's markers. */
function replaceBlock(document, name, text) {
  const block = new RegExp(`(<!-- ${name} -->)[^]*?(<!-- end of ${name} -->)`);
  if (!block.test(document)) throw new Error(`a document lacks the markers of ${name}`);
  return document.replace(block, (_, begin, end) => `${begin}\n\n${text}\n\n${end}`);
}

async function rewrite(path, blocks) {
  let document = await readFile(path, "utf8");
  for (const [name, text] of Object.entries(blocks)) document = replaceBlock(document, name, text);
  await writeFile(path, await tidy(document, path));
}

async function tidy(markdown, path) {
  return format(markdown, { ...(await resolveConfig(path)), filepath: path });
}

async function writeSchedules() {
  const names = (await resultNames()).filter((name) => name.startsWith("schedules-")).sort();
  if (names.length === 0) return;
  const section = schedulesSection(await Promise.all(names.map(readResult)));
  const page = `# The cost model's choices and the best measured schedules\n\n${section}\n`;
  await saveText("schedules.md", await tidy(page, SCHEDULES));
  await rewrite(SCHEDULES, { schedules: section });
}

export async function writeReport() {
  await writeSchedules();
  const results = await readResults();
  const rdna3 = generatedCodeSection(await readResult("rdna3"));
  const rdna3Page = `# Generated code on RDNA3\n\n${rdna3}\n`;
  await saveText("rdna3.md", await tidy(rdna3Page, GENERATED_CODE));
  await rewrite(GENERATED_CODE, { "generated code": rdna3 });
  if (results.length === 0) return;
  const sections = results.map(caseSection).join("\n\n");
  const page = `# Benchmarks\n\n![times](benchmark.svg)\n\n${sections}\n`;
  await saveText("benchmark.md", await tidy(page, BENCHMARKS));
  await saveText("benchmark.svg", await drawChart(ratios(results)));
  const chart = "![Time of a step as a multiple of netc's](../bench/results/benchmark.svg)";
  await rewrite(BENCHMARKS, { benchmark: `${chart}\n\n${sections}` });
  const short = shortTable(results);
  if (results.some(({ adapter }) => adapter === "lavapipe"))
    await rewrite(README, { speed: short });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeReport();
