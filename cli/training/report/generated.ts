/** Samples of a model that makes images of noise, as its report shows them. */
import { tensorsOf } from "../../../program/tensors.js";
import type { ReportedGenerated, ReportedStrip } from "../../../report/data.js";
import type { EpochReport, TrainingState } from "../../../runtime/training/index.js";
import { drawSamples, makesSamples, samplesPng, transformsOf } from "../../samples.js";
import type { RunObserver, TrainingParts } from "../parts.js";
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

/** Keeps samples of a few epochs, all of the same noise. A resumed run begins with none. */
export class GeneratedSamples implements RunObserver {
  private strips: readonly Strip[] = [];
  private every = 1;
  private readonly isOn: boolean;

  constructor(private readonly parts: Pick<TrainingParts, "network" | "recipe">) {
    this.isOn = makesSamples(parts.network.program);
  }

  async epoch({ epoch, step, continues }: EpochReport): Promise<void> {
    if (!this.isOn || continues || !this.isKept(epoch)) return;
    const picture = await this.draw(Math.min(COLUMNS, this.count));
    this.strips = [...this.strips, { epoch, step, picture }];
    if (this.strips.length <= MAX_STRIPS) return;
    this.every *= 2;
    this.strips = this.strips.filter((strip) => this.isKept(strip.epoch));
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
