/** The settings of a recipe that are about the run as a whole. */
import type { DataDeclaration, Setting } from "../../../grammar/ast.js";
import type {
  BestRule,
  EarlyStopping,
  Schedule,
  StochasticAverage,
  TrainRecipe,
  WeightAverage,
} from "../../../program/recipe.js";
import { fractionsOf, isFormula } from "../../network/facts.js";
import { isTupleKind, RECALL_METRIC } from "../../../program/tuples.js";
import type { AnalyzedModel } from "../analysis.js";
import type { Environment } from "../../calls/environment.js";
import { didYouMean, listNames } from "../../calls/suggestion.js";
import { readCall, type Registry, type Resolved } from "./definition.js";
import { boolean, interval } from "../../calls/argument-types.js";
import { checkSampling } from "./check-sampling.js";
import { averages, bests, precisions, samplings, stops } from "./policies.js";
import { batchStatistics, singleExampleProblem, type KeptStatistics } from "./slice-statistics.js";
import { count, readSetting } from "./settings.js";

interface Parts {
  readonly settings: ReadonlyMap<string, Setting>;
  readonly model: AnalyzedModel;
  readonly batch: number | undefined;
  readonly schedule: Schedule | undefined;
  readonly data: DataDeclaration | undefined;
  readonly kept: KeptStatistics;
}

type RunSettings = Pick<
  TrainRecipe,
  | "accumulate"
  | "syncBatchnorm"
  | "average"
  | "stop"
  | "best"
  | "precision"
  | "dropLast"
  | "sampling"
  | "evaluateEvery"
>;

export function readRunSettings(parts: Parts, environment: Environment): RunSettings {
  const read = <Result>(name: string, registry: Registry<Result>) => {
    const setting = parts.settings.get(name);
    return setting && readCall(setting, registry, environment);
  };
  const accumulate = readAccumulate(parts, environment);
  warnOfSingleExamples(parts, accumulate, environment);
  const average = read("average", averages);
  const stop = read("stop", stops);
  if (average?.result.kind === "swa") checkStochastic(average, average.result, parts, environment);
  const precision = read("precision", precisions);
  const syncBatchnorm = readSync(parts, environment);
  if (stop) checkMetric(stop, parts, environment);
  const best = read("best", bests);
  if (best && checkMetric(best, parts, environment)) checkDirection(best, parts, environment);
  const isClear = best && (!stop || stop.result.metric === best.result.metric);
  // A wrong `best` is reported.
  if (!isClear && parts.settings.has("best") === (best !== undefined)) {
    warnOfDirection(parts, { stop: stop?.result, best: best?.result }, environment);
  }
  const sampling = read("sampling", samplings);
  if (sampling) checkSampling(sampling, parts, environment);
  warnOfNoEvaluation(parts, environment);
  return {
    dropLast: readSetting(parts.settings.get("drop_last"), boolean(), environment),
    sampling: sampling?.result,
    evaluateEvery: readSetting(parts.settings.get("evaluate_every"), interval(), environment),
    accumulate,
    syncBatchnorm,
    average: average?.result,
    stop: stop?.result,
    best: best?.result,
    precision: precision?.result,
  };
}

function readAccumulate({ settings, batch }: Parts, environment: Environment): number | undefined {
  const setting = settings.get("accumulate");
  const accumulate = readSetting(setting, count, environment);
  if (accumulate === undefined || batch === undefined || accumulate <= batch) return accumulate;
  return environment.reporter.report("NET3058", {
    message: `a batch of ${batch} cannot be trained in ${accumulate} slices`,
    span: setting!.value.span,
    notes: ["`batch` counts the images of an update, with `accumulate` and without"],
  });
}

/** What the mean of weights does not go with. */
function checkStochastic(
  { call, bound }: Resolved<WeightAverage>,
  { learningRate, anneal, batches }: StochasticAverage,
  { model: { graph, name }, settings, kept }: Parts,
  { reporter }: Environment,
): void {
  if (batches !== undefined && graph && batchStatistics(graph, kept).length === 0) {
    const isKept = batchStatistics(graph, {}).length > 0;
    const why = isKept ? "keeps its statistics" : "has none";
    reporter.report("NET3073", {
      message:
        "`batches` counts training batches on which `batchnorm` is measured, " +
        `but model \`${name}\` ${why}`,
      span: bound.spans.get("batches") ?? call.span,
      notes: ["leave it out: averaged weights need no pass over training data then"],
    });
  }
  const stop = settings.get("stop");
  if (stop) {
    reporter.report("NET3073", {
      message: "`stop` may end the run before `swa` has averaged enough",
      span: stop.value.span,
      related: [{ span: call.span, message: "averages up to the end" }],
      notes: ["leave `stop` out: `best.safetensors` has the weights of the best evaluation"],
    });
  }
  if (anneal === 0 || learningRate !== undefined) return;
  reporter.report("NET3073", {
    message: "`anneal` leads to the learning rate `lr` of `swa`, which is left out",
    span: bound.spans.get("anneal") ?? call.span,
    notes: ["add it, for instance `lr=0.005`, or leave `anneal` out"],
  });
}

function readSync(
  { settings, model: { graph, name }, kept }: Parts,
  environment: Environment,
): boolean | undefined {
  const setting = settings.get("sync_batchnorm");
  const isWanted = readSetting(setting, boolean(), environment);
  if (!isWanted || !graph || batchStatistics(graph, kept).length > 0) return isWanted;
  const isKept = batchStatistics(graph, {}).length > 0;
  const reason = isKept
    ? `no \`batchnorm\` of model \`${name}\` is trained by the statistics of a batch`
    : `model \`${name}\` has no \`batchnorm\``;
  environment.reporter.report("NET3069", {
    message: `\`sync_batchnorm\` has no effect: ${reason}`,
    span: setting!.name.span,
    notes: ["leave it out: all other layers compute each image separately"],
  });
  return isWanted;
}

function warnOfSingleExamples(
  { settings, batch, model, kept }: Parts,
  slices = 1,
  { reporter }: Environment,
): void {
  const setting = (slices > 1 && settings.get("accumulate")) || settings.get("batch");
  if (batch === undefined || !setting) return;
  const problem = singleExampleProblem(
    { batch, slices },
    batchStatistics(model.graph, kept),
    setting.value.span,
  );
  if (problem) reporter.report("NET3065", problem);
}

/** Whether the model measures it. */
function checkMetric(
  { call, result: { metric }, bound }: Resolved<EarlyStopping | BestRule>,
  { model: { graph, network, name }, data }: Pick<Parts, "model" | "data">,
  { reporter }: Environment,
): boolean {
  const declared = graph?.metrics.map((each) => each.name) ?? [metric];
  const isDrawn = data?.splits.some(({ source }) => isTupleKind(source.callee.name));
  const measured = network ? fractionsOf(network) : [];
  // Recall is measured on what `triplets` and `siamese` draw.
  const known = [...new Set([...declared, ...measured])].filter(
    (each) => isDrawn || each !== RECALL_METRIC || declared.includes(each),
  );
  if (known.includes(metric)) return true;
  reporter.report("NET3059", {
    message: `model \`${name}\` measures no \`${metric}\`${didYouMean(metric, known)}`,
    span: bound.spans.get("metric") ?? call.span,
    notes: [`it measures ${listNames(known)}`],
  });
  return false;
}

/** Of all values but formulas, netc knows whether larger ones are better. */
function checkDirection(
  { call, result: { metric, rises } }: Resolved<BestRule>,
  { model: { network } }: Pick<Parts, "model">,
  { reporter }: Environment,
): void {
  const judged = network?.metrics.find(({ name }) => name === metric);
  if (!network || (judged && isFormula(judged))) return;
  const isShare = fractionsOf(network).includes(metric);
  if (rises === isShare) return;
  const [asked, meant] = isShare ? ["smallest", "max"] : ["largest", "min"];
  const what = isShare ? "is better when it is larger" : "is better when it is smaller";
  reporter.report("NET3084", {
    message: `the ${asked} \`${metric}\` is the worst one`,
    span: call.span,
    notes: [`\`${metric}\` ${what}: \`best.safetensors\` would hold the worst weights`],
    fixes: [
      {
        title: `write \`${meant}(${metric})\``,
        edits: [{ span: call.callee.span, newText: meant }],
      },
    ],
  });
}

/** Of a formula, netc cannot tell which values are good: without `best`, smaller ones are. */
function warnOfDirection(
  { model: { network }, data }: Pick<Parts, "model" | "data">,
  { stop, best }: { readonly stop: EarlyStopping | undefined; readonly best: BestRule | undefined },
  { reporter }: Environment,
): void {
  if (!network || !data?.splits.some(({ name }) => name.name === "eval")) return;
  const isOfTriplets = data.splits.some(({ source }) => isTupleKind(source.callee.name));
  if (!stop && isOfTriplets && fractionsOf(network).includes(RECALL_METRIC)) return;
  const { metrics } = network;
  const judged = stop ? metrics.find(({ name }) => name === stop.metric) : metrics[0];
  if (!judged || !isFormula(judged)) return;
  const { name, origin } = judged;
  reporter.report("NET3083", {
    message: `\`${name}\` is a formula, of which smaller values count as better`,
    span: origin.span,
    notes: best
      ? [
          `\`best\` is of \`${best.metric}\`, so that nothing says which values \`stop\` waits for`,
          `\`best = max(${name})\` in its place says that larger ones are better; ` +
            `or let \`stop\` watch \`${best.metric}\``,
        ]
      : [
          `if larger values are better, add \`best = max(${name})\` to the recipe, ` +
            `or else \`best = min(${name})\``,
          "`best.safetensors` has the weights of the best evaluation" +
            (stop ? ", and `stop` waits for a better one" : ""),
        ],
  });
}

/**
 * Rules that look at evaluations look at the training loss where nothing is evaluated, which hides
 * overfitting.
 */
function warnOfNoEvaluation({ settings, schedule, data }: Parts, { reporter }: Environment): void {
  if (!data || data.splits.some(({ name }) => name.name === "eval")) return;
  const interval = settings.get("evaluate_every");
  if (interval) {
    reporter.report("NET3060", {
      message: `\`evaluate_every\` has no effect: data \`${data.name.name}\` has no \`eval\` split`,
      span: interval.name.span,
      related: [{ span: data.name.span, message: "has no `eval` split" }],
      notes: ["leave it out, or add an `eval` split"],
    });
  }
  const plateau = schedule?.kind === "reduce_on_plateau" ? settings.get("schedule") : undefined;
  for (const setting of [plateau, settings.get("stop")]) {
    if (!setting) continue;
    reporter.report("NET3060", {
      message:
        `\`${setting.name.name}\` looks at evaluations, ` +
        `but data \`${data.name.name}\` has no \`eval\` split`,
      span: setting.value.span,
      related: [{ span: data.name.span, message: "has no `eval` split" }],
      notes: ["it watches the training loss instead"],
    });
  }
}
