/** Samples of a model that makes images of noise, as its report shows them. */
import { join } from "node:path";
import { tensorsOf } from "../../../program/tensors.js";
import type { ReportedGenerated, ReportedStrip } from "../../../report/data.js";
import { readText } from "../../../runtime/node/read-file.js";
import type { EpochReport, TrainingState } from "../../../runtime/training/index.js";
import { writeOutput } from "../../files.js";
import { drawSamples, makesSamples, samplesPng, transformsOf } from "../../samples.js";
import type { RunObserver, TrainingParts } from "../parts.js";
import { STRIPS_FILE } from "../run-file.js";
import { dataAddress } from "./example-pictures.js";

/** Of the noise, so that a page shows what `netc predict --samples` writes. */
const SEED = 0;
/** Samples of a strip, and of a row of the picture. */
const COLUMNS = 8;
const ROWS = 8;
/** More than these add little to a page but bytes. */
const MAX_PIXELS = 1 << 18;
/** Epochs that are shown. */
const MAX_STRIPS = 8;

interface Strip extends ReportedStrip {
  readonly step: number;
}

/** What the file holds. */
interface Kept {
  /** Epochs from one strip to the next. */
  readonly every: number;
  readonly strips: readonly Strip[];
}

/** Keeps samples of a few epochs, all of the same noise, in a file of the run's folder. */
export class GeneratedSamples implements RunObserver {
  private strips: readonly Strip[] = [];
  private every = 1;
  private readonly isOn: boolean;

  constructor(private readonly parts: Pick<TrainingParts, "network" | "recipe" | "folder">) {
    this.isOn = makesSamples(parts.network.program);
  }

  /** Takes over what a run that is resumed had drawn before the checkpoint. */
  async begin(start: TrainingState | undefined): Promise<void> {
    if (!this.isOn || !start) return;
    const { every, strips } = await this.read();
    this.every = every;
    this.strips = strips;
    this.restart(start);
  }

  async epoch({ epoch, step, continues }: EpochReport): Promise<void> {
    if (!this.isOn || continues || !this.isKept(epoch)) return;
    const picture = await this.draw(Math.min(COLUMNS, this.count));
    // A run that was stopped within the epoch has left samples of its middle.
    const others = this.strips.filter((strip) => strip.epoch !== epoch);
    this.strips = [...others, { epoch, step, picture }];
    if (this.strips.length > MAX_STRIPS) {
      this.every *= 2;
      this.strips = this.strips.filter((strip) => this.isKept(strip.epoch));
    }
    const { every, strips } = this;
    await writeOutput(this.file, JSON.stringify({ every, strips } satisfies Kept));
  }

  /** Steps that are done again leave other samples. */
  restart({ step }: TrainingState): void {
    this.strips = this.strips.filter((strip) => strip.step <= step);
  }

  /** Samples of the weights as they are, after an epoch; undefined for other models. */
  async look(epoch: number): Promise<ReportedGenerated | undefined> {
    if (!this.isOn) return undefined;
    const { count } = this;
    const strips = this.strips.map(({ epoch, picture }) => ({ epoch, picture }));
    return { epoch, count, seed: SEED, picture: await this.draw(count), strips };
  }

  /** The first epoch, and those that are evenly spread. */
  private isKept(epoch: number): boolean {
    return epoch === 1 || epoch % this.every === 0;
  }

  private get file(): string {
    return join(this.parts.folder, STRIPS_FILE);
  }

  /** None where the file is missing or damaged: the report then lacks pictures, and no figures. */
  private async read(): Promise<Kept> {
    try {
      const kept = JSON.parse(await readText(this.file)) as Partial<Kept>;
      const { every, strips } = kept;
      if (Number.isInteger(every) && Array.isArray(strips)) return { every: every!, strips };
    } catch {
      // As without the file.
    }
    return { every: 1, strips: [] };
  }

  private get count(): number {
    const [output] = tensorsOf(this.parts.network.program, "prediction");
    const [, height, width] = output!.shape as [number, number, number];
    const rows = Math.floor(MAX_PIXELS / (COLUMNS * height * width));
    return rows > 0 ? COLUMNS * Math.min(ROWS, rows) : 4;
  }

  private async draw(count: number): Promise<string> {
    const { network, recipe } = this.parts;
    const transforms = transformsOf(recipe);
    const columns = Math.min(COLUMNS, count);
    const picture = await drawSamples(network, { count, columns, seed: SEED, transforms });
    return dataAddress("png", await samplesPng(picture));
  }
}
