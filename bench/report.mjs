// Tables and the chart of what results/ holds: results/benchmark.md, results/benchmark.svg,
// results/schedules.md, results/rdna3.md, and the same tables in docs/performance.md.
// `node report.mjs` makes them anew without measuring.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { CASES, PLAN, TITLES } from "./cases.mjs";
import { drawChart } from "./chart.mjs";
import { generatedCodeSection } from "./rdna3-report.mjs";
import { readResult, resultNames, saveText } from "./results.mjs";
import { schedulesSection } from "./schedules-report.mjs";

const DOCUMENT = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
const README = fileURLToPath(new URL("../README.md", import.meta.url));

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
    `${date}, ${adapterName}, ${cores} cores of ${processor}, Node ${node}, ${rounds} steps ` +
      "each after the first, in turns; " +
      `${agreement(result)}. netc at ${revision}. \`${command}\``,
  ].join("\n");
}

/** What netc's figures are beside its peers', for the chart. */
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

/**
 * The README's table: medians on lavapipe, a row for each contender that was timed and a column for
 * each case.
 */
function shortTable(results) {
  const shown = results.filter(({ adapter }) => adapter === "lavapipe");
  const names = Object.keys(TITLES).filter((name) => name !== "prototype");
  const rows = names.flatMap((name) => {
    const found = shown.map(({ contenders }) => contenders.find((each) => each.name === name));
    const known = found.find((contender) => contender);
    if (!known) return [];
    return [[titleOf(known), ...found.map((each) => (each?.median ? seconds(each.median) : ""))]];
  });
  return table(["", ...shown.map((result) => CASES[result.case].title)], rows);
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
  const page = `# The cost model's choices beside the best measured\n\n${section}\n`;
  await saveText("schedules.md", await tidy(page, DOCUMENT));
  await rewrite(DOCUMENT, { schedules: section });
}

export async function writeReport() {
  await writeSchedules();
  const results = await readResults();
  const rdna3 = generatedCodeSection(await readResult("rdna3"));
  const rdna3Page = `# Generated code on RDNA3\n\n${rdna3}\n`;
  await saveText("rdna3.md", await tidy(rdna3Page, DOCUMENT));
  await rewrite(DOCUMENT, { "generated code": rdna3 });
  if (results.length === 0) return;
  const sections = results.map(caseSection).join("\n\n");
  const page = `# netc beside its peers\n\n![times](benchmark.svg)\n\n${sections}\n`;
  await saveText("benchmark.md", await tidy(page, DOCUMENT));
  await saveText("benchmark.svg", await drawChart(ratios(results)));
  const chart = "![Time of a step as a multiple of netc's](../bench/results/benchmark.svg)";
  await rewrite(DOCUMENT, { benchmark: `${chart}\n\n${sections}` });
  const short = shortTable(results);
  if (results.some(({ adapter }) => adapter === "lavapipe"))
    await rewrite(README, { speed: short });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeReport();
