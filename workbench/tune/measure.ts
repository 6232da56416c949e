/** Candidates of every contraction problem of a network, measured on the adapter in use. */
import type { AnyNode } from "../../compiler/ir/graph.js";
import type { ContractionSchedule } from "../../compiler/schedules/schedule.js";
import {
  bindsPartialSums,
  candidates,
  chooseSchedule,
  estimate,
  keyOf,
  type TunedSchedules,
} from "../../compiler/schedules/index.js";
import { problemOf, type ContractionPlan } from "../../compiler/plan/contractions.js";
import { isContraction } from "../../compiler/layout/geometry.js";
import type { ContractionChoice } from "../../compiler/plan/problem.js";
import type { WrittenList, WrittenNode } from "../../compiler/write/lists.js";
import type { WrittenProgram } from "../../compiler/write/program.js";
import type { ProgramStep, Target } from "../../program/program.js";
import type { Network } from "../../runtime/network.js";
import { timeSteps, type ProfileOptions } from "../../runtime/profile.js";
import { examplesFor, randomExamples } from "../random-examples.js";
import { verifyList } from "../verify/verify-list.js";

/** A problem with the schedules to try, the cost model's choice first. */
export interface TunedCandidates {
  readonly key: string;
  /** The parts of the spec that pose it. */
  readonly layers: readonly string[];
  readonly schedules: readonly ContractionSchedule[];
}

export interface Measured {
  readonly schedule: ContractionSchedule;
  /** Of all the steps that the problem becomes, in the first layer that poses it. */
  readonly milliseconds: number;
}

type List = "train" | "predict";

/** The list that poses every problem: training, where there is any. */
const listOf = ({ lists }: Pick<WrittenProgram, "lists">): List =>
  lists.train ? "train" : "predict";

/** The nodes whose schedule matters at a batch: some kernels for few images take none. */
function problemsOf(
  { lists }: WrittenProgram,
  batch: number,
): { readonly written: WrittenNode; readonly choice: ContractionChoice }[] {
  const { plan, nodes } = lists[listOf({ lists })]!;
  return nodes.flatMap((written) => {
    const choice = choiceOf(plan, written.node);
    const { atLeast = 1, atMost = Infinity } = choice?.batches ?? {};
    return choice && atLeast <= batch && batch <= atMost ? [{ written, choice }] : [];
  });
}

const choiceOf = ({ choices }: WrittenList["plan"], node: AnyNode) =>
  isContraction(node) ? problemOf(choices.get(node) as ContractionPlan) : undefined;

/** The problems of a network, each with its best `count` candidates by the cost model. */
export function candidatesOf(
  written: WrittenProgram,
  target: Target,
  { batch, count }: { readonly batch: number; readonly count: number },
): readonly TunedCandidates[] {
  const byKey = new Map<string, { choice: ContractionChoice; layers: string[] }>();
  for (const { written: node, choice } of problemsOf(written, batch)) {
    const known = byKey.get(keyOf(choice.problem));
    const { name } = node.node.origin;
    if (known) known.layers.push(name);
    else byKey.set(keyOf(choice.problem), { choice, layers: [name] });
  }
  return [...byKey].map(([key, { choice, layers }]) => {
    const { problem, sums } = choice;
    const chosen = chooseSchedule(problem, target, { ...sums, tuned: undefined });
    const cost = (schedule: ContractionSchedule) => estimate(problem, schedule, target, batch);
    const others = candidates(problem, target, batch)
      .filter((schedule) => bindsPartialSums(schedule, sums))
      .filter((schedule) => JSON.stringify(schedule) !== JSON.stringify(chosen))
      .sort((a, b) => cost(a) - cost(b));
    return { key, layers, schedules: [chosen, ...others].slice(0, count) };
  });
}

/**
 * The schedules of a round: of every problem the candidate of that number, or the first where there
 * are fewer.
 */
export function roundOf(problems: readonly TunedCandidates[], round: number): TunedSchedules {
  return Object.fromEntries(
    problems.map(({ key, schedules }) => [key, schedules[round] ?? schedules[0]!]),
  );
}

/**
 * Milliseconds of the problems of those keys in a network that was made with a round's schedules.
 * Those whose results are wrong are left out, and named.
 */
export async function measureRound(
  network: Network,
  written: WrittenProgram,
  wanted: ReadonlySet<string>,
  { known, ...options }: ProfileOptions & { readonly known: Set<string> },
): Promise<{ readonly times: ReadonlyMap<string, number>; readonly wrong: readonly string[] }> {
  const list = listOf(written);
  const posing = new Map<string, WrittenNode>();
  for (const { written: node, choice } of problemsOf(written, network.slice)) {
    const key = keyOf(choice.problem);
    if (wanted.has(key) && !posing.has(key)) posing.set(key, node);
  }
  const keys = new Map([...posing].map(([key, node]) => [node, key]));
  const examples = examplesFor(list, randomExamples(network.program, network.slice));
  const wrong = new Set<string>();
  await verifyList(network, written, list, examples, {
    known,
    only: (node) => keys.has(node),
    onDivergence: (node) => wrong.add(keys.get(node)!) !== undefined,
  });
  const right = [...posing].filter(([key]) => !wrong.has(key));
  const stepsOf = ({ first, end }: WrittenNode) => network.program.steps[list].slice(first, end);
  const timed = new Set(right.flatMap(([, node]) => stepsOf(node)));
  const only = (step: ProgramStep) => timed.has(step);
  const steps = await timeSteps(network, list, examples, { rounds: 3, ...options, only });
  const timeOf = new Map(steps.map(({ step, milliseconds }) => [step, milliseconds]));
  const times = right.map(([key, node]) => {
    const all = stepsOf(node).map((step) => timeOf.get(step) ?? 0);
    return [key, all.reduce((total, each) => total + each, 0)] as const;
  });
  return { times: new Map(times), wrong: [...wrong] };
}

/** `broadcast, rowLanes 8, loads 3, columns 8`. */
export function describeSchedule({ exchange, ...rest }: ContractionSchedule): string {
  return [exchange, ...Object.entries(rest).map(([name, value]) => `${name} ${value}`)].join(", ");
}
