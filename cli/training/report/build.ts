/** Gathers what the report of a run shows. */
import type {
  Facts,
  KernelTiming,
  ReportData,
  ReportedBest,
  RunStatus,
  Timings,
} from "../../../report/data.js";
import { profileSteps } from "../../../runtime/profile.js";
import {
  objectiveOf,
  runLength,
  type Best,
  type MetricsRecord,
} from "../../../runtime/training/index.js";
import { formatCount, formatDuration } from "../../format.js";
import { version } from "../../package.js";
import { randomExamples } from "../../../workbench/random-examples.js";
import { BEST_WEIGHTS } from "../best.js";
import type { Hints } from "../hints/index.js";
import type { JudgedEpoch } from "../judge.js";
import type { GeneratedSamples } from "./generated.js";
import type { RunOptions, Stopwatch, TrainingParts } from "../parts.js";
import { examine, examineEpoch, type ExaminedRun } from "./examination.js";
import { examineBoxes, showBoxes } from "./boxes.js";
import { examineMasks, showMasks } from "./masks.js";
import { readFilters } from "./filters.js";
import { highlight } from "./highlight.js";
import { examineNumbers } from "./numbers.js";
import { examineTags } from "./tags.js";

/** A report with the predictions that it was made from. */
export interface CompleteReport {
  readonly data: ReportData;
  readonly predictions?: ExaminedRun["predictions"];
}

export class ReportBuilder {
  private readonly startedAt = new Date();

  constructor(
    private readonly parts: TrainingParts,
    private readonly options: RunOptions,
    private readonly stopwatch: Stopwatch,
    private readonly hints: Hints,
    private readonly generated: GeneratedSamples,
  ) {}

  /** What costs nothing to tell, at any time. */
  outline(status: RunStatus, records: readonly MetricsRecord[]): ReportData {
    const { recipe, compiled, dataset, network } = this.parts;
    const { spec } = compiled;
    return {
      title: `${recipe.model}, recipe ${recipe.name}`,
      status,
      steps: runLength(dataset.length, recipe, this.options.steps).steps,
      facts: this.facts(),
      recipe: recipeFacts(this.parts),
      spec: highlight(spec.text, spec.path),
      records,
      fractions: network.program.fractions,
      hints: this.hints.list,
    };
  }

  /** What a page shows while the run trains on, after an epoch. */
  async latest({ epoch, evaluation, judgment }: JudgedEpoch): Promise<Partial<ReportData>> {
    const examined = judgment && (await examineEpoch(this.parts, judgment));
    return {
      lookedAt: epoch,
      ...examined,
      segmentation: evaluation && (await showMasks(this.parts, evaluation)),
      generated: await this.generated.look(epoch),
      detection: evaluation && (await showBoxes(this.parts, evaluation)),
      filters: await readFilters(this.parts.network),
    };
  }

  /**
   * All of it: looks at examples once more, and times kernels. For the end of a run, when the
   * network has the best weights where there are such; the signal leaves out what takes time.
   */
  async complete(
    records: readonly MetricsRecord[],
    { signal, best }: { readonly signal: AbortSignal; readonly best: Best | undefined },
  ): Promise<CompleteReport> {
    const examined = await examine(this.parts, signal);
    this.hints.examine(examined?.reported);
    const segmentation = await examineMasks(this.parts, signal);
    const generated = await this.generated.look(best?.epoch ?? lastEpoch(records));
    const detection = await examineBoxes(this.parts, signal);
    const tags = await examineTags(this.parts, signal);
    const regression = await examineNumbers(this.parts, signal);
    const filters = await readFilters(this.parts.network);
    const timings = signal.aborted ? undefined : await this.timings();
    const data = {
      ...this.outline("completed", records),
      examination: examined?.reported,
      segmentation,
      generated,
      detection,
      tags,
      regression,
      filters,
      timings,
      best: best && this.describeBest(best),
    };
    return { data, predictions: examined?.predictions };
  }

  /** Of a run that was stopped: the user does not want to wait. */
  async stopped(records: readonly MetricsRecord[]): Promise<CompleteReport> {
    const generated = await this.generated.look(lastEpoch(records));
    const filters = await readFilters(this.parts.network);
    return { data: { ...this.outline("stopped", records), generated, filters } };
  }

  private describeBest({ epoch, step, metrics }: Best): ReportedBest {
    const { recipe, network } = this.parts;
    const { metric } = objectiveOf(recipe, network.program, metrics);
    return { epoch, step, metric: metric in metrics ? metric : "loss", file: BEST_WEIGHTS };
  }

  private facts(): Facts {
    const { network, dataset, evaluation, notices, folder, ranks } = this.parts;
    const { name, software } = network.adapter;
    return [
      ["command", `netc ${process.argv.slice(2).join(" ")}`],
      ["adapter", software ? `${name} (software)` : name],
      ["time", formatDuration(this.stopwatch.seconds)],
      ["started", `${this.startedAt.toISOString().slice(0, 19).replace("T", " ")} UTC`],
      ["trained on", `${dataset.name}: ${formatCount(dataset.length)} examples`],
      ...(evaluation
        ? [["evaluated on", `${evaluation.name}: ${formatCount(evaluation.length)}`] as const]
        : []),
      ...notices.map((notice) => ["data", notice] as const),
      ...(ranks ? [["ranks", formatCount(ranks.size)] as const] : []),
      ["parameters", formatCount(parameterCount(this.parts))],
      ["folder", folder],
      ["versions", `netc ${version()}, Node ${process.versions.node}`],
    ];
  }

  private async timings(): Promise<Timings> {
    const { network, recipe, ranks } = this.parts;
    // Of several ranks, this one's part of a step.
    const { batch } = network;
    const examples = randomExamples(network.program, batch);
    const accumulate = recipe.accumulate && Math.ceil(recipe.accumulate / (ranks?.size ?? 1));
    const step = { ...examples, accumulate };
    const seconds = Math.min(LONGEST_TIMING, this.stopwatch.seconds / 10);
    const rounds = seconds < LONGEST_TIMING ? 1 : 3;
    const profile = await profileSteps(network, "train", step, { rounds, seconds });
    const clock = profile.method === "timestamps" ? "the device's clock" : "repeated submissions";
    const kernels = profile.steps.map(({ step, milliseconds }): KernelTiming => {
      const operations = 2 * step.macs * batch;
      const gflops = operations / (Math.max(milliseconds, 1e-6) * 1e6);
      const timing = { name: step.label, line: step.location.line, milliseconds };
      return operations > 0 ? { ...timing, gflops } : timing;
    });
    const whole = `${profile.milliseconds.toFixed(1)} ms`;
    const slices = Math.max(...profile.steps.map(({ times }) => times));
    const examplesOf = slices > 1 ? `${batch} examples in ${slices} slices` : `${batch} examples`;
    const note =
      `A training step of ${examplesOf}, dispatch by dispatch, timed by ${clock} after the run; ` +
      `${whole} in all. \`netc time\` measures more closely.`;
    return { note, kernels };
  }
}

/** Seconds that kernels are timed for; of a short run, a tenth of it. */
const LONGEST_TIMING = 2;

const lastEpoch = (records: readonly MetricsRecord[]): number => records.at(-1)?.epoch ?? 0;

function parameterCount({ network }: TrainingParts): number {
  const sizes = network.parameters.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  return sizes.reduce((a, b) => a + b, 0);
}

/** The recipe with what the flags changed. */
function recipeFacts({ recipe }: TrainingParts): Facts {
  const { data, freeze, ...rest } = recipe;
  const transforms = (split: "train" | "eval") =>
    data?.[split] ? [[`${split} data`, pipeline(data[split])] as const] : [];
  return [
    ...Object.entries(rest)
      .filter(([name, value]) => value !== undefined && !ELSEWHERE.includes(name))
      .map(([name, value]) => [name, describeSetting(value)] as const),
    ...(freeze && freeze.length > 0 ? [["freeze", freeze.join(", ")] as const] : []),
    ...transforms("train"),
    ...transforms("eval"),
  ];
}

/** What the page's title says, and the recipe's place in the spec. */
const ELSEWHERE: readonly string[] = ["name", "model", "location"];

type Split = NonNullable<NonNullable<TrainingParts["recipe"]["data"]>["train"]>;

function pipeline({ source, transforms }: Split): string {
  const { kind, path } = source;
  return [`${kind}("${path}")`, ...transforms.map(describeSetting)].join(" → ");
}

/** Plain data as a spec would write it: `sgd(learningRate=0.1, momentum=0.9)`. */
function describeSetting(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  if (Array.isArray(value)) return `[${value.map(describeSetting).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const { kind, ...fields } = value as { readonly kind?: string };
  if ("count" in fields && "unit" in fields)
    return `${fields.count as number} ${fields.unit as string}`;
  if ("rises" in fields && "metric" in fields)
    return `${fields.rises ? "max" : "min"}(${fields.metric as string})`;
  const told = Object.entries(fields).filter(([name]) => name !== "location");
  const settings = told.map(([name, of]) => `${name}=${describeSetting(of)}`);
  if (kind === undefined) return settings.join(", ");
  return settings.length === 0 ? kind : `${kind}(${settings.join(", ")})`;
}
