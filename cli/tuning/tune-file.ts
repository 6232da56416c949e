/** NAME.tune.json: schedules that `netc tune` measured, by adapter and problem. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TunedAdapter } from "../../compiler/index.js";
import type { ContractionSchedule } from "../../compiler/schedules/schedule.js";
import { isSameAdapter } from "../../runtime/targets.js";
import { warn } from "../terminal.js";
import { wrongInput } from "../failure.js";
import { readBytes, writeOutput } from "../files.js";
import { version } from "../package.js";
import type { SpecFile } from "../spec.js";

const FORMAT = 1;

interface TuneEntry extends Omit<TunedAdapter, "schedules"> {
  readonly problems: Readonly<Record<string, TunedProblem>>;
}

/** The best schedule of a problem, and how long a dispatch with it took. */
export interface TunedProblem {
  readonly schedule: ContractionSchedule;
  readonly milliseconds: number;
  /** Images, where it was measured. */
  readonly batch: number;
}

interface TuneFile {
  readonly format: typeof FORMAT;
  /** The version of netc whose kernels were measured. */
  readonly netc: string;
  readonly adapters: readonly TuneEntry[];
}

export const tunePathOf = ({ folder, name }: Pick<SpecFile, "folder" | "name">): string =>
  join(folder, `${name}.tune.json`);

/**
 * Adapters with their schedules. Fails on other files; what another version measured is
 * left out, with a warning.
 */
export async function readTuning(path: string): Promise<readonly TunedAdapter[]> {
  return (await readEntries(path)).map(({ problems, ...adapter }) => ({
    ...adapter,
    schedules: Object.fromEntries(
      Object.entries(problems).map(([key, { schedule }]) => [key, schedule]),
    ),
  }));
}

/** The tuning next to a spec; empty if there is none. */
export async function tuningBeside(spec: SpecFile): Promise<readonly TunedAdapter[]> {
  const path = tunePathOf(spec);
  return existsSync(path) ? readTuning(path) : [];
}

/**
 * Adds an adapter's problems to a file, in the place of those that it held of the same adapter
 * under the same keys.
 */
export async function mergeTuning(path: string, entry: TuneEntry): Promise<void> {
  const before = existsSync(path) ? await readEntries(path) : [];
  const isOwn = ({ adapter, target }: TuneEntry) =>
    target === entry.target && isSameAdapter(adapter, entry.adapter);
  const problems = { ...before.find(isOwn)?.problems, ...entry.problems };
  const others = before.filter((other) => !isOwn(other));
  const adapters = [...others, { ...entry, problems }];
  const file: TuneFile = { format: FORMAT, netc: version(), adapters };
  await writeOutput(path, `${JSON.stringify(file, undefined, 2)}\n`);
}

async function readEntries(path: string): Promise<readonly TuneEntry[]> {
  const file = parse(path, new TextDecoder().decode(await readBytes(path, "tune")));
  if (file.netc === version()) return file.adapters;
  warn(`${path} was measured by netc ${file.netc}, not ${version()}: run \`netc tune\` again`);
  return [];
}

function parse(path: string, text: string): TuneFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrongInput(`${path} is not valid JSON: ${(error as Error).message}`, TUNE_AGAIN);
  }
  const { format, netc, adapters } = (value ?? {}) as Partial<TuneFile>;
  if (format !== FORMAT || typeof netc !== "string" || !Array.isArray(adapters)) {
    throw wrongInput(`${path} was not written by \`netc tune\` (format ${FORMAT})`, TUNE_AGAIN);
  }
  if (!adapters.every(isEntry)) throw wrongInput(`${path} is damaged`, TUNE_AGAIN);
  return { format, netc, adapters };
}

const TUNE_AGAIN = "delete it and run `netc tune SPEC`";

function isEntry(value: unknown): value is TuneEntry {
  const { adapter, target, problems } = (value ?? {}) as Partial<TuneEntry>;
  const isText = (text: unknown) => typeof text === "string";
  return (
    isText(adapter?.name) &&
    isText(adapter?.vendor) &&
    isText(adapter?.architecture) &&
    ["gpu", "lanes8", "lanes4"].includes(target ?? "") &&
    Object.values(problems ?? {}).every(({ schedule }) => isText(schedule?.exchange))
  );
}
