// The table of what RDNA3's compiler makes of kernels.
import { TITLES } from "./cases.mjs";
import { codeBlock } from "./wrap.mjs";

/** A Radeon RX 7900 XTX. */
const COMPUTE_UNITS = 96;

/**
 * Lanes that begin a multiply-add in a cycle of a SIMD: one instruction of 64 lanes, or two of 32
 * at once.
 */
const PEAK_LANES = 64;

/** The share of the fp32 peak that a kernel's instructions allow, whatever memory does. */
export const peakShare = ({ perInstruction, wave }) => (perInstruction * wave) / PEAK_LANES;

const percent = (share) => `${(100 * share).toFixed(0)}%`;

const HEADINGS = [
  "",
  "operation",
  "multiply-adds per instruction",
  "of the peak",
  "of them useful",
  "waves per SIMD, of 16",
  "registers",
  "spilled",
  "workgroup memory",
  "lanes a wave",
  "workgroups",
];

const line = (cells) => `| ${cells.join(" | ")} |`;

function rowCells(row) {
  const name = row.label?.match(/\(\d of \d\)/)?.[0];
  const layer = [row.layer, name].filter(Boolean).join(" ");
  if (row.failure) return [layer, row.operation, row.failure, ...Array(8).fill("")];
  const few = row.workgroups < COMPUTE_UNITS ? " (fewer than compute units)" : "";
  return [
    layer,
    row.operation,
    row.perInstruction,
    percent(peakShare(row)),
    row.share ? percent(row.share) : "",
    row.waves,
    row.vgpr,
    row.spill,
    row.lds,
    row.wave,
    `${row.workgroups}${few}`,
  ];
}

function contenderSection({ name, rows, failure }) {
  if (failure) return `### ${TITLES[name]}\n\nFailed: ${failure}`;
  const rule = HEADINGS.map((_, index) => (index < 2 ? "---" : "---:"));
  const table = [line(HEADINGS), line(rule), ...rows.map((row) => line(rowCells(row)))].join("\n");
  return `### ${TITLES[name]}: generated code\n\n${table}`;
}

/** A line for each contender: its contractions together, and the worst of each figure. */
function summary(contenders) {
  const headings = [
    "",
    "useful multiply-adds per instruction",
    "of the peak",
    "least and most of a kernel",
    "fewest waves per SIMD",
    "registers spilled",
  ];
  const rows = contenders.map(({ name, rows: measured = [], perInstruction, ofPeak, failure }) => {
    const known = measured.filter((row) => row.perInstruction);
    if (failure || known.length === 0) return [TITLES[name], "failed", "", "", "", ""];
    const all = (key) => known.map((row) => row[key]);
    const range = `${Math.min(...all("perInstruction"))} to ${Math.max(...all("perInstruction"))}`;
    const worst = [Math.min(...all("waves")), Math.max(...all("spill"))];
    const onlyForward = known.every(({ operation }) => operation === "forward");
    const title = onlyForward ? `${TITLES[name]}, forward` : TITLES[name];
    return [title, perInstruction.toFixed(2), percent(ofPeak), range, ...worst];
  });
  const rule = headings.map((_, index) => (index === 0 ? "---" : "---:"));
  return [line(headings), line(rule), ...rows.map(line)].join("\n");
}

/** Markdown of rdna3.mjs's result; a word if there is none. */
export function generatedCodeSection(result) {
  if (!result) return "Not measured yet.";
  const heading =
    `${result.date}, AlexNet at batch 8, family ${result.family}.\n` +
    `\n${codeBlock(result.command)}`;
  const { contenders } = result;
  return [heading, summary(contenders), ...contenders.map(contenderSection)].join("\n\n");
}
