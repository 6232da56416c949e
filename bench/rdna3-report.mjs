// The table of what RDNA3's compiler makes of kernels.
import { TITLES } from "./cases.mjs";

/** A Radeon RX 7900 XTX. */
const COMPUTE_UNITS = 96;

const HEADINGS = [
  "",
  "operation",
  "multiply-adds per instruction",
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
  if (row.failure) return [layer, row.operation, row.failure, ...Array(7).fill("")];
  const few = row.workgroups < COMPUTE_UNITS ? " (fewer than compute units)" : "";
  return [
    layer,
    row.operation,
    row.perInstruction ?? "",
    row.share ? `${(100 * row.share).toFixed(0)}%` : "",
    row.waves,
    row.vgpr,
    row.spill,
    row.lds,
    row.wave,
    `${row.workgroups}${few}`,
  ];
}

function contenderSection({ name, rows, perInstruction, failure }) {
  if (failure) return `### ${TITLES[name]}\n\nFailed: ${failure}`;
  const whole = `**${perInstruction.toFixed(2)} useful multiply-adds per instruction** over all of these contractions`;
  const rule = HEADINGS.map((_, index) => (index < 2 ? "---" : "---:"));
  const table = [line(HEADINGS), line(rule), ...rows.map((row) => line(rowCells(row)))].join("\n");
  return `### ${TITLES[name]}: generated code\n\n${whole}, weighted by their multiply-adds.\n\n${table}`;
}

/** Markdown of rdna3.mjs's result; a word if there is none. */
export function generatedCodeSection(result) {
  if (!result) return "Not measured yet.";
  const heading = `${result.date}, AlexNet at batch 8, family ${result.family}. \`${result.command}\``;
  return [heading, ...result.contenders.map(contenderSection)].join("\n\n");
}
