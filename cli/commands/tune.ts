import { Option, type Command } from "commander";
import { compileSpec } from "../compiled.js";
import { warn } from "../terminal.js";
import { adapterOption, jsonOption, positiveInteger, type AdapterOptions } from "../options.js";
import { renderTable, type Column } from "../table.js";
import { print, printJson, say, styled, widthOf } from "../terminal.js";
import { describeSchedule, type Measured } from "../../workbench/tune/measure.js";
import { mergeTuning, tunePathOf, type TunedProblem } from "../tuning/tune-file.js";
import { tune, type TunedProblemResult, type TuneResult } from "../tuning/tune.js";
import { describeCommand } from "./command.js";

interface TuneFlags extends AdapterOptions {
  readonly batch: number;
  readonly candidates: number;
  readonly all?: boolean;
  readonly clock: "device" | "processor";
  readonly model?: string;
  readonly train?: string;
  readonly json?: boolean;
}

/** What `tune --json` prints. */
interface TuneReport {
  readonly adapter: string;
  readonly model: string;
  readonly batch: number;
  readonly clock: TuneFlags["clock"];
  readonly file: string;
  readonly problems: readonly {
    readonly problem: string;
    readonly layers: readonly string[];
    /** Schedules that were tried; null where the results of one were wrong. */
    readonly tried: number;
    readonly chosen: Measured | null;
    readonly best: Measured | null;
    /** The best that does not use Winograd's algorithm. */
    readonly bestSum: Measured | null;
  }[];
}

export function tuneCommand(): Command {
  return describeCommand(
    "tune",
    "Measure schedules of the network's contractions " +
      "on this adapter and keep the best in NAME.tune.json.",
    ["tune specs/alexnet.net", "tune specs/vgg16.net --batch 2 --all"],
  )
    .argument("<spec>", "the spec file, NAME.net; writes NAME.tune.json next to it")
    .option("--batch <n>", "examples per step", positiveInteger, 8)
    .option("--candidates <n>", "schedules to try for each contraction", positiveInteger, 6)
    .option("--all", "try all schedules")
    .addOption(
      new Option(
        "--clock <name>",
        "what is measured: the device's time, or the processor's, " +
          "for a software adapter that is not alone",
      )
        .choices(["device", "processor"])
        .default("device"),
    )
    .option("--model <name>", "the model, if the spec has several")
    .option("--train <name>", "the recipe whose model and optimizer to use")
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(tuneSpec);
}

/** Milliseconds of all the threads of this process, a software adapter's among them. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function tuneSpec(path: string, flags: TuneFlags): Promise<void> {
  const { batch, adapter, model, train, clock } = flags;
  const compiled = await compileSpec(path, { model, train, usesTuning: false });
  const result = await tune(compiled, {
    batch,
    adapter,
    model,
    train,
    count: flags.all ? Infinity : flags.candidates,
    clock: clock === "processor" ? processorTime : undefined,
    onRound: (round, rounds) => say(`round ${round} of ${rounds}`),
    onWrong: ({ key, schedules }, candidate) =>
      warn(`${key}: wrong results with ${describeSchedule(schedules[candidate]!)}; left out`),
  });
  const file = tunePathOf(compiled.spec);
  await mergeTuning(file, {
    adapter: result.adapter,
    target: result.target,
    problems: chosenProblems(result, batch),
  });
  if (flags.json)
    return printJson(reportOf(result, { ...flags, model: compiled.model.name, file }));
  print(describeResult(result, { model: compiled.model.name, batch }));
  print(`wrote ${file}; train, time and the other commands use it on this adapter, and so does`);
  print(`  npx netc compile ${path} --target ${file}`);
}

function reportOf(
  { adapter, problems }: TuneResult,
  about: Pick<TuneReport, "model" | "batch" | "clock" | "file">,
): TuneReport {
  const { model, batch, clock, file } = about;
  return {
    adapter: adapter.name,
    model,
    batch,
    clock,
    file,
    problems: problems.map((problem) => ({
      problem: problem.key,
      layers: problem.layers,
      tried: problem.schedules.length,
      chosen: problem.measured[0] ?? null,
      best: bestOf(problem) ?? null,
      bestSum: bestOf(problem, isSum) ?? null,
    })),
  };
}

function chosenProblems(
  { problems }: TuneResult,
  batch: number,
): Readonly<Record<string, TunedProblem>> {
  const entries = problems.flatMap((problem) => {
    const best = bestOf(problem);
    return best ? [[problem.key, { ...best, batch }] as const] : [];
  });
  return Object.fromEntries(entries);
}

function bestOf(
  { measured }: TunedProblemResult,
  admits: (candidate: Measured) => boolean = () => true,
): Measured | undefined {
  const right = measured.filter((each) => each !== undefined).filter(admits);
  return right.sort((a, b) => a.milliseconds - b.milliseconds)[0];
}

// The table

const COLUMNS: readonly Column[] = [
  { title: "problem", align: "left", expendable: 0 },
  { title: "layers", align: "left", expendable: 3 },
  { title: "cost model's choice", align: "left", expendable: 2 },
  { title: "ms", align: "right", expendable: 0 },
  { title: "best of", align: "right", expendable: 4 },
  { title: "best", align: "left", expendable: 1 },
  { title: "ms", align: "right", expendable: 0 },
  { title: "ratio", align: "right", expendable: 0 },
  { title: "without Winograd", align: "right", expendable: 5 },
];

function describeResult(
  result: TuneResult,
  { model, batch }: { readonly model: string; readonly batch: number },
): string {
  const rows = result.problems.map(describeProblem);
  return [
    styled("bold", `${model}, batch ${batch}, on ${result.adapter.name}`, process.stdout),
    "",
    renderTable(COLUMNS, rows, widthOf(process.stdout)),
    "",
  ].join("\n");
}

function describeProblem(problem: TunedProblemResult): string[] {
  const { key, layers, schedules, measured } = problem;
  const [chosen] = measured;
  const best = bestOf(problem);
  const time = (each: Measured | undefined) => each?.milliseconds.toFixed(3) ?? "wrong";
  return [
    ...[key, layers.join(" "), describeSchedule(schedules[0]!), time(chosen)],
    ...[String(schedules.length), best ? describeSchedule(best.schedule) : "-", time(best)],
    ...[ratioOf(chosen, best), ratioOf(chosen, bestOf(problem, isSum))],
  ];
}

const ratioOf = (chosen: Measured | undefined, best: Measured | undefined) =>
  chosen && best ? (chosen.milliseconds / best.milliseconds).toFixed(2) : "-";

/** The cost model chooses among sums over the window only. */
const isSum = ({ schedule }: Measured) => schedule.algorithm === undefined;
