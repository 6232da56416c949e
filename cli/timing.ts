/** How long a network's kernels take: what `netc time` shows. */
import type { Affine } from "../program/program.js";
import type { StepDraft } from "../compiler/lower/step-draft.js";
import type { WrittenProgram } from "../compiler/write/program.js";
import type { Network } from "../runtime/network.js";
import { profileSteps, type Profile, type ProfiledStep } from "../runtime/profile.js";
import type { Ceilings } from "../workbench/ceilings.js";
import { examplesFor, type Examples } from "../workbench/random-examples.js";

export type TimedList = "train" | "predict";

/**
 * A dispatch. Rates count its multiply-adds, two operations each, and the bytes that it binds
 * (`trafficOf`).
 */
export interface KernelTime {
  readonly list: TimedList;
  readonly name: string;
  /** The part of the spec that it works for, by name and line. */
  readonly layer: string;
  readonly line: number;
  readonly milliseconds: number;
  readonly gflops: number;
  readonly gbps: number;
  /** Of the ceilings; the larger one says what the kernel could be bound by. */
  readonly share: { readonly multiplyAdds: number; readonly memory: number };
}

export interface ListTime {
  /**
   * The step or the prediction as it runs, in this many submissions: one, unless it is split into
   * slices.
   */
  readonly milliseconds: number;
  readonly submissions: number;
  /** The kernels' own times together. */
  readonly kernels: number;
}

export interface NetworkTimes {
  readonly method: Profile["method"];
  readonly kernels: readonly KernelTime[];
  readonly train: ListTime | null;
  readonly predict: ListTime;
}

/** Profiles training and prediction of a network that was made from a compiled program. */
export async function timeNetwork(
  network: Network,
  { lists }: Pick<WrittenProgram, "lists">,
  examples: Examples,
  ceilings: Ceilings,
): Promise<NetworkTimes> {
  const timeList = async (list: TimedList) => {
    const profile = await profileSteps(network, list, examplesFor(list, examples));
    const kernels = profile.steps.map((profiled) => {
      const own = profiled.list as keyof typeof lists;
      const place = network.program.steps[own]!.indexOf(profiled.step);
      const draft = lists[own]!.steps[place]!;
      return timeOf(draft, { list, profiled, batch: network.batch, ceilings });
    });
    return { profile, kernels };
  };
  const train = lists.train && (await timeList("train"));
  const predict = await timeList("predict");
  return {
    method: predict.profile.method,
    kernels: [...(train?.kernels ?? []), ...predict.kernels],
    train: train ? listTime(train) : null,
    predict: listTime(predict),
  };
}

interface Measurement {
  readonly list: TimedList;
  readonly profiled: ProfiledStep;
  readonly batch: number;
  readonly ceilings: Ceilings;
}

function timeOf(draft: StepDraft, { list, profiled, batch, ceilings }: Measurement): KernelTime {
  const { milliseconds, times } = profiled;
  const at = ({ fixed, perImage }: Affine) => fixed * times + perImage * batch;
  const perMillisecond = (count: number) => (milliseconds > 0 ? count / milliseconds / 1e6 : 0);
  const gflops = perMillisecond(2 * draft.macs * batch);
  const gbps = perMillisecond(at(trafficOf(draft)));
  return {
    list,
    name: draft.label,
    layer: draft.origin.name,
    line: draft.origin.span.start.line,
    milliseconds,
    gflops,
    gbps,
    share: { multiplyAdds: gflops / ceilings.gflops, memory: gbps / ceilings.gbps },
  };
}

function listTime({
  profile,
  kernels,
}: {
  readonly profile: Profile;
  readonly kernels: readonly KernelTime[];
}): ListTime {
  const sum = kernels.reduce((total, { milliseconds }) => total + milliseconds, 0);
  const { milliseconds, submissions } = profile;
  return { milliseconds, submissions, kernels: sum };
}

/**
 * Bytes that a step moves, if each thing it binds is read or written once: what caches save on
 * reading the same again is as little counted as what they fail to save. What is changed in place
 * counts twice.
 */
function trafficOf({ kernel, storage }: StepDraft): Affine {
  const outlives = (index: number) => ["parameter", "state"].includes(storage[index]!.purpose);
  const passes = kernel.storage.map(({ access }, index) =>
    access === "read_write" && outlives(index) ? 2 : 1,
  );
  const sum = (part: keyof Affine) =>
    storage.reduce((total, { bytes }, index) => total + passes[index]! * bytes[part], 0);
  return { fixed: sum("fixed"), perImage: sum("perImage") };
}
