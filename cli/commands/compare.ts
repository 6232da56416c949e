import type { Command } from "commander";
import { extname } from "node:path";
import { compareRuns } from "../compare/comparison.js";
import { comparisonPage } from "../compare/page.js";
import { readRun } from "../compare/read-run.js";
import { describeComparison } from "../compare/text.js";
import { wrongUsage } from "../failure.js";
import { writeOutput } from "../files.js";
import { jsonOption } from "../options.js";
import { print, printJson, say, widthOf } from "../terminal.js";
import { describeCommand } from "./command.js";

interface CompareOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export function compareCommand(): Command {
  return describeCommand(
    "compare",
    "Compare two runs: metrics, significance, recipes, specs, curves. Needs no GPU.",
    ["compare runs/small runs/large", "compare runs/small runs/large -o comparison.html"],
  )
    .argument("<run>", "the folder of a run of `netc train`")
    .argument("<other>", "the folder of another run, evaluated on the same data")
    .option("-o, --output <file>", "also write a page (.html) that draws the curves")
    .addOption(jsonOption())
    .action(compare);
}

async function compare(run: string, other: string, options: CompareOptions): Promise<void> {
  const { output, json } = options;
  if (output !== undefined && extname(output).toLowerCase() !== ".html") {
    throw wrongUsage(`${output} does not end in .html, the format of comparisons`);
  }
  const comparison = compareRuns([await readRun(run), await readRun(other)]);
  if (output !== undefined) {
    await writeOutput(output, comparisonPage(comparison));
    say(`wrote ${output}`);
  }
  if (json) printJson(comparison);
  else print(describeComparison(comparison, widthOf(process.stdout)));
}
