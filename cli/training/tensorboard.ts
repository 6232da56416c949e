/** `--tensorboard`: the run's curves, and its first filters, as TensorBoard reads them. */
import { hostname } from "node:os";
import { join } from "node:path";
import type { Filters } from "../../report/data.js";
import { encodeRecord, type TensorBoardEvent } from "../../runtime/node/event-file.js";
import { AppendFile } from "../../runtime/node/append-file.js";
import type {
  EpochReport,
  FitResult,
  StepReport,
  TrainingState,
} from "../../runtime/training/index.js";
import { makeFolder } from "../files.js";
import { say, warn } from "../terminal.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { RunObserver, TrainingParts } from "./parts.js";
import { readFilters } from "./report/filters.js";

export class TensorBoardLog implements RunObserver {
  private readonly folder: string;
  private file: AppendFile | undefined;

  /** @param folder where event files go; `tensorboard` in the run's folder unless given */
  constructor(
    private readonly parts: TrainingParts,
    folder: string | undefined,
  ) {
    this.folder = folder ?? join(parts.folder, "tensorboard");
  }

  async begin(start: TrainingState | undefined): Promise<void> {
    await makeFolder(this.folder);
    const seconds = Math.floor(Date.now() / 1000);
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.0`;
    this.file = AppendFile.open(join(this.folder, name), warn);
    this.write(0, { kind: "version" });
    if (start !== undefined) this.write(start.step + 1, { kind: "restart" });
    say(`TensorBoard: tensorboard --logdir ${this.folder}`);
  }

  /** Readers drop what they have of the steps that come again. */
  restart({ step }: TrainingState): void {
    this.write(step + 1, { kind: "restart" });
  }

  step({ step, metrics, learningRate, examplesPerSecond, dataWait }: StepReport): void {
    this.scalars(step, {
      ...named("step", metrics),
      "step/learning_rate": learningRate,
      "step/examples_per_second": examplesPerSecond,
      ...withoutUndefined({ "step/data_wait": dataWait }),
    });
  }

  epoch({ step, training, evaluation }: EpochReport): void {
    this.scalars(step, {
      ...named("train", training),
      ...named("eval", evaluation?.metrics ?? {}),
    });
  }

  async finish({ state }: FitResult): Promise<void> {
    const filters = await readFilters(this.parts.network);
    if (filters === undefined) return;
    const image = await filterSheet(filters);
    this.write(state.step, { kind: "image", tag: `filters/${filters.name}`, image });
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }

  private scalars(step: number, values: Readonly<Record<string, number>>): void {
    this.write(step, { kind: "scalars", values });
  }

  /** The event is in the file when the call returns. */
  private write(step: number, content: TensorBoardEvent["content"]): void {
    this.file!.write(encodeRecord({ wallTime: Date.now() / 1000, step, content }));
  }
}

function named(
  prefix: string,
  metrics: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [`${prefix}/${name}`, value]),
  );
}

/** All filters side by side in one picture, a pixel of space between them. */
async function filterSheet({ width, height, channels, count, pixels }: Filters) {
  const { default: sharp } = await import("sharp");
  const bytes = Buffer.from(pixels, "base64");
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const size = { width: columns * (width + 1), height: rows * (height + 1) };
  const length = width * height * channels;
  const tiles = Array.from({ length: count }, (_, index) => ({
    input: bytes.subarray(index * length, (index + 1) * length),
    raw: { width, height, channels: channels as 1 | 3 },
    left: (index % columns) * (width + 1),
    top: Math.floor(index / columns) * (height + 1),
  }));
  const sheet = sharp({ create: { ...size, channels: 3, background: "#000000" } });
  return { ...size, channels: 3, png: await sheet.composite(tiles).png().toBuffer() };
}
