import { type Command } from "commander";
import { parse } from "../../grammar/index.js";
import { diagnosticFromSyntax } from "../../compiler/diagnostics/from-syntax.js";
import { ExitCode, Reported } from "../failure.js";
import { writeOutput } from "../files.js";
import { plural } from "../format.js";
import { openSpec, requireNoErrors } from "../spec.js";
import { print, say } from "../terminal.js";
import { describeCommand } from "./command.js";

interface FormatOptions {
  readonly check?: boolean;
}

export function fmtCommand(): Command {
  return describeCommand("fmt", "Format specs. Keeps comments.", [
    "fmt specs/alexnet.net",
    "fmt --check specs/*.net",
  ])
    .argument("<spec...>", "spec files")
    .option("--check", "write nothing; list the files that would change, and exit with 1 if any")
    .action(format);
}

/** A file that does not parse is left as it is, and its diagnostics are shown. */
async function format(paths: readonly string[], { check = false }: FormatOptions): Promise<void> {
  const { formatSpec } = await import("../../format/index.js");
  const changed: string[] = [];
  let failed = 0;
  for (const path of paths) {
    const spec = await openSpec(path);
    try {
      requireNoErrors(spec, parse(spec.text, spec.path).problems.map(diagnosticFromSyntax));
    } catch (error) {
      if (!(error instanceof Reported)) throw error;
      failed++;
      continue;
    }
    const formatted = await formatSpec(spec.text);
    if (formatted === spec.text) continue;
    changed.push(path);
    if (!check) await writeOutput(path, formatted);
  }
  for (const path of changed) print(path);
  say(summaryOf({ files: paths.length, changed: changed.length, failed, check }));
  if (failed > 0 || (check && changed.length > 0)) throw new Reported(ExitCode.wrongInput);
}

interface Counts {
  readonly files: number;
  readonly changed: number;
  readonly failed: number;
  readonly check: boolean;
}

function summaryOf({ files, changed, failed, check }: Counts): string {
  const verb = check ? "would change" : "changed";
  const rest = failed > 0 ? `, ${plural(failed, "file")} not read` : "";
  return changed === 0 && failed === 0
    ? `${plural(files, "file")} in the canonical layout`
    : `${plural(changed, "file")} ${verb}${rest}`;
}
