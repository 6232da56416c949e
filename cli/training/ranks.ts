/** `netc train` as one of several ranks that a launcher started: they train together. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { TrainRecipe } from "../../program/recipe.js";
import { normalizesByBatch } from "../../program/statistics.js";
import { exampleNoun } from "../../program/tensors.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { InputError } from "../../runtime/errors.js";
import type { Network } from "../../runtime/network.js";
import { contentsOf } from "../../runtime/node/data/contents.js";
import {
  endProcess,
  LateRanksError,
  launchOf,
  type MpiCollective,
} from "../../runtime/node/mpi/index.js";
import {
  parseState,
  PeerFailedError,
  Ranks,
  serializeState,
  SilentRankError,
  type TrainingState,
  type WireKind,
} from "../../runtime/training/index.js";
import type { CompiledSpec } from "../compiled.js";
import { ExitCode, Reported } from "../failure.js";
import { plural } from "../format.js";
import { version } from "../package.js";
import { describeError, reportError } from "../report.js";
import { adapterOfRank, checkDevices, startDevices } from "./devices.js";
import { say, sayWhatWasMuted, speakAsRank, warn } from "../terminal.js";

export interface RanksOptions {
  /** Seconds without a sign of life after which a rank ends the run; 60 unless given. */
  readonly timeout?: number;
  /** Ranks to start on this machine, unless a launcher has started some. */
  readonly devices?: number | undefined;
  /** What the user says of the adapter. */
  readonly adapter?: string | undefined;
}

const DEFAULT_TIMEOUT = 60;

/** What ranks must have in common before they train. */
export interface RankInputs {
  readonly compiled: CompiledSpec;
  readonly recipe: TrainRecipe;
  readonly dataset: Dataset;
  readonly evaluation: Dataset | undefined;
  readonly steps?: number | undefined;
  readonly wire?: WireKind | undefined;
}

/** The ranks of a run, from the point of view of one. */
export class TrainingRanks extends Ranks {
  constructor(
    override readonly collective: MpiCollective,
    /** The adapter that is this rank's, where the user has not named one. */
    readonly adapter: string | undefined,
  ) {
    super(collective);
  }

  get size(): number {
    return this.collective.size;
  }

  /** Rank 0 speaks, writes and saves; the others only train. */
  get isFirst(): boolean {
    return this.rank === 0;
  }

  /** Throws InputError where a rank would train on something else than the others. */
  async compare(inputs: RankInputs): Promise<void> {
    const own = describeInputs(inputs);
    const all = await this.meet<typeof own>(own);
    const [first] = all as [typeof own];
    for (const name of Object.keys(own) as (keyof typeof own)[]) {
      const other = all.findIndex((each) => each[name] !== first[name]);
      if (other < 0) continue;
      const rank = this.nameOf(other);
      const found = DIGESTED.has(name)
        ? `${rank} does not have ${name} of rank 0`
        : `rank 0 has ${name} ${first[name]}, and ${rank} has ${all[other]![name]}`;
      throw new InputError(`${found}: all ranks must have the same spec, data and flags`);
    }
  }

  /** Says how a batch is divided, and what that changes. */
  announce({ batch, syncBatchnorm }: TrainRecipe, { program }: Network): void {
    const each = this.partOfBatch(batch);
    const share = each * this.size === batch ? `${each}` : `up to ${each}`;
    say(`${plural(batch, exampleNoun(program))} a step, ${share} on each of ${this.size} ranks`);
    if (syncBatchnorm || !normalizesByBatch(program.parameters)) return;
    warn(
      "in training, batch normalization takes the statistics of each rank's examples; " +
        "the running statistics are averaged (`sync_batchnorm = true` takes those of all examples)",
    );
  }

  /** The most examples that a rank has of a batch. */
  partOfBatch(batch: number): number {
    return Math.ceil(batch / this.size);
  }

  /** Gives all ranks the weights of rank 0, and the state with which it begins. */
  async share(
    network: Network,
    start: TrainingState | undefined,
  ): Promise<TrainingState | undefined> {
    const own = this.isFirst ? await network.save({ optimizer: true }) : undefined;
    const { length, state } = await this.ofRank0({
      length: own?.length ?? 0,
      state: start ? serializeState(start) : undefined,
    });
    const bytes = own ?? new Uint8Array(length);
    await this.collective.broadcast(bytes, 0);
    if (!own) await network.load(bytes);
    return state === undefined ? undefined : parseState(state);
  }

  /** Waits until all ranks are done. */
  async finish(): Promise<void> {
    await this.meet(null);
  }
}

const SPEC = "the spec";
const RECIPE = "the recipe";
const CONTENTS = "(labels, names of files, numbers or boxes, and their order)";
const TRAINING = `the training data ${CONTENTS}`;
const EVALUATION = `the evaluation data ${CONTENTS}`;
const COLUMNS = "the columns of the table";

/** What is compared by digests, which say nothing to readers. */
const DIGESTED: ReadonlySet<string> = new Set([SPEC, RECIPE, TRAINING, EVALUATION, COLUMNS]);

function describeInputs({ compiled, recipe, dataset, evaluation, steps, wire }: RankInputs) {
  return {
    netc: version(),
    [SPEC]: compiled.compilation.programs[0]!.source.hash,
    [RECIPE]: hashOf(JSON.stringify(recipe)),
    "training images": String(dataset.length),
    "evaluation images": String(evaluation?.length ?? 0),
    classes: dataset.classes.join(", "),
    [TRAINING]: contentsOf(dataset),
    [EVALUATION]: evaluation ? contentsOf(evaluation) : "none",
    [COLUMNS]: hashOf(JSON.stringify(dataset.table ?? {})),
    steps: String(steps ?? "of the recipe"),
    "--wire": wire ?? "f32",
  };
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** Whether a launcher started this process, even as the only one. */
export const isLaunched = (): boolean => launchOf() !== undefined;

/**
 * Does a command's work as one of the ranks that a launcher started, or alone where it started no
 * other. An error of one rank ends all; rank 0 tells the user of it, and the rank itself.
 */
export async function onRanks(
  { timeout = DEFAULT_TIMEOUT, devices, adapter }: RanksOptions,
  work: (ranks?: TrainingRanks) => Promise<void>,
): Promise<void> {
  const launch = launchOf();
  if (!launch && devices !== undefined && devices > 1) return startDevices(devices);
  if (launch) checkDevices(devices, launch);
  if (!launch || launch.size === 1) return work();
  if (launch.rank > 0) speakAsRank(`rank ${launch.rank}`);
  const collective = await join(launch, timeout).catch(endIfLate);
  const isChosen = adapter !== undefined || process.env["NETC_ADAPTER"] !== undefined;
  const own = devices === undefined || isChosen ? undefined : await adapterOfRank(launch);
  const ranks = new TrainingRanks(collective, own);
  const exitCode = await endOf(ranks, work);
  await ranks.collective.close(exitCode).catch(endIfLate);
  if (exitCode !== ExitCode.done) throw new Reported(exitCode);
}

async function join(
  launch: NonNullable<ReturnType<typeof launchOf>>,
  timeout: number,
): Promise<MpiCollective> {
  const { joinRanks } = await import("../../runtime/node/mpi/index.js");
  const onWait = ([rank]: readonly number[], seconds: number) =>
    say(`still waiting for rank ${rank}, which is alive, after ${seconds} s`);
  try {
    const collective = await joinRanks(launch, { timeout, onWait });
    if (launch.rank > 0) speakAsRank(`rank ${launch.rank} (${collective.hosts![launch.rank]})`);
    return collective;
  } catch (error) {
    if (error instanceof LateRanksError) throw error;
    // All ranks meet the same, and rank 0 says so.
    throw launch.rank === 0 ? error : new Reported(describeError(error).exitCode);
  }
}

/** Milliseconds in which a launcher passes on what a rank has said: it ends all when one ends. */
const UNTIL_HEARD = 250;

/** Ends this process, which a call of MPI would keep for ever; the launcher ends the others. */
async function endIfLate(error: unknown): Promise<never> {
  if (!(error instanceof LateRanksError)) throw error;
  const exitCode = reportError(error);
  await sleep(UNTIL_HEARD);
  return endProcess(exitCode);
}

/** Rank 0 says what ended another rank, unless it is rank 0 that is silent. */
const isToldByFirst = (error: unknown): boolean =>
  error instanceof PeerFailedError && !(error instanceof SilentRankError);

async function endOf(
  ranks: TrainingRanks,
  work: (ranks: TrainingRanks) => Promise<void>,
): Promise<ExitCode> {
  try {
    await ranks.guarding(async () => {
      await work(ranks);
      await ranks.finish();
    });
    return ExitCode.done;
  } catch (error) {
    if (!ranks.isFirst && isToldByFirst(error)) return ExitCode.runFailed;
    if (error instanceof Reported) sayWhatWasMuted();
    return reportError(error);
  }
}
