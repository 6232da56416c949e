/** What a long run shows: a live bar on a terminal, plain lines elsewhere. Both go to stderr. */
import { MultiBar, SingleBar } from "cli-progress";
import { formatCount, formatDuration, formatNumber, formatPercent } from "./format.js";
import { say, wantsColor } from "./terminal.js";

export interface ProgressState {
  /** Steps done, of `steps` in the whole run. */
  readonly step: number;
  readonly steps: number;
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  /** `top1 87.5%`, of the step; empty where the model measures no shares. */
  readonly accuracy: string;
  /** Share of the time that steps wait for their data, where it is known. */
  readonly dataWait?: number | undefined;
  readonly learningRate: number;
  readonly examplesPerSecond: number;
  readonly secondsLeft: number;
}

export interface Progress {
  update(state: ProgressState): void;
  /** A line that stays: the result of an epoch. */
  note(line: string): void;
  stop(): void;
}

/** A bar where stderr is a terminal, else a line every few seconds. */
export function createProgress(): Progress {
  return process.stderr.isTTY ? new BarProgress() : new LineProgress();
}

const NARROW = 100;

class BarProgress implements Progress {
  private bars?: MultiBar;
  private bar?: SingleBar;

  update(state: ProgressState): void {
    this.bar ??= this.start(state);
    this.bar.update(state.step, { text: describe(state) });
  }

  note(line: string): void {
    if (this.bars) this.bars.log(`${line}\n`);
    else say(line);
  }

  stop(): void {
    this.bars?.stop();
    this.bars = undefined;
    this.bar = undefined;
  }

  private start(state: ProgressState): SingleBar {
    const narrow = (process.stderr.columns || 80) < NARROW;
    this.bars = new MultiBar({
      format: `${colored("{bar}")} {text}`,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: narrow ? 10 : 24,
      stream: process.stderr,
      hideCursor: true,
      // Interrupts are the command's: it saves first.
      gracefulExit: false,
      fps: 10,
      forceRedraw: true,
    });
    return this.bars.create(state.steps, state.step, { text: describe(state) });
  }
}

/** Seconds between two plain lines. */
const LINE_INTERVAL = 5;

class LineProgress implements Progress {
  private last = performance.now();

  update(state: ProgressState): void {
    const now = performance.now();
    if (now - this.last < LINE_INTERVAL * 1000) return;
    this.last = now;
    say(`step ${state.step}/${state.steps}  ${describe(state)}`);
  }

  note(line: string): void {
    say(line);
  }

  stop(): void {}
}

function describe(state: ProgressState): string {
  return [
    `epoch ${state.epoch}/${state.epochs}`,
    `loss ${state.loss.toFixed(4)}`,
    ...(state.accuracy === "" ? [] : [state.accuracy]),
    `lr ${formatNumber(state.learningRate)}`,
    `${formatRate(state.examplesPerSecond)} images/s`,
    ...(state.dataWait === undefined ? [] : [`data wait ${formatPercent(state.dataWait)}`]),
    `${formatDuration(state.secondsLeft)} left`,
  ].join("  ");
}

function formatRate(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate));
}

function colored(bar: string): string {
  return wantsColor(process.stderr) ? `\u001b[36m${bar}\u001b[0m` : bar;
}

/** How far a pass over examples has come. */
export interface Counter {
  update(done: number): void;
  stop(): void;
}

/** Shows `VERB 1,200/10,000` on a terminal; a pipe hears nothing until there is a result. */
export function createCounter(total: number, verb: string): Counter {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} };
  const bar = new SingleBar({
    format: `${colored("{bar}")} ${verb} {value}/{total}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
  });
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

/** The pace of a run, steady enough to read. */
export class Pace {
  private origin?: { readonly step: number; readonly time: number };

  /**
   * Seconds left after `step` of `steps`, by the pace since the first, which compiles kernels.
   * Infinite until known.
   */
  secondsLeft(step: number, steps: number): number {
    const time = performance.now();
    this.origin ??= { step, time };
    const done = step - this.origin.step;
    if (done === 0) return step < steps ? Infinity : 0;
    return ((time - this.origin.time) / 1000 / done) * (steps - step);
  }
}
