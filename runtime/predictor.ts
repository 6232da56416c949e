/** A module that was compiled to predict alone, on a device: no training, no evaluation. */
import type { Program, ProgramParameter } from "../program/program.js";
import { bindableBytes } from "../program/limits.js";
import { largestSlice } from "../program/slices.js";
import { tensorsOf } from "../program/tensors.js";
import {
  DEFAULT_BATCH,
  type ClassifyOptions,
  type DownloadOptions,
  type Metadata,
  type NetworkOptions,
  type ParameterInfo,
  type WeightsSource,
} from "./calls.js";
import { type Copies, ownSource } from "./copies.js";
import type { Images } from "./data/dataset.js";
import type { AdapterSummary, Device } from "./device.js";
import { InputError } from "./errors.js";
import {
  checkInputs,
  rowsOf,
  type Checkable,
  type CheckedInputs,
  type Inputs,
  type TensorData,
} from "./examples.js";
import { Loaded } from "./loaded.js";
import type { MemoryUse } from "./memory.js";
import { assertKnown, type OptionNames } from "./options.js";
import type { Classification } from "./pictures/classify.js";
import type { Given, Picture, Pictures } from "./pictures/picture.js";
import { Queue } from "./queue.js";
import { joinSlices, partOfRun, slicesOf, type Slice } from "./slices.js";

/** What a network that only predicts is created with. */
export type PredictorOptions = Pick<
  NetworkOptions,
  "adapter" | "batch" | "classes" | "device" | "onCompile" | "onWarning"
>;

export const PREDICTOR_OPTIONS: OptionNames<PredictorOptions> = {
  adapter: true,
  batch: true,
  classes: true,
  device: true,
  onCompile: true,
  onWarning: true,
};

const DOWNLOAD_OPTIONS: OptionNames<DownloadOptions> = {
  onProgress: true,
  cache: true,
  signal: true,
};

/** What reads weights, loaded with the first file. */
const importFile = () => import("./predictor-file.js");

/**
 * A network that only predicts. Calls run in the order they are made, each on its arguments as they
 * were when it was made. Every method but `destroy` rejects with InputError for wrong arguments and
 * after `destroy`, and with DeviceLostError once the device is lost.
 */
export class Predictor<
  Name extends string = string,
  Input extends Inputs = Images,
  /** What `predict` returns: by name where the model has several outputs. */
  Output = Float32Array,
  /** Names of the classes. */
  Class extends string = string,
> {
  readonly adapter: AdapterSummary;
  readonly program: Program;
  /** The most images of one call. */
  readonly batch: number;
  private readonly queue: Queue;
  private readonly loaded: Loaded;
  private readonly copies: Copies;
  private readonly onWarning: NonNullable<NetworkOptions["onWarning"]>;
  private names: readonly string[] | undefined;
  private hasWeights = false;
  /** Whether an array was looked at. */
  private isWatched = false;

  constructor(
    program: Program,
    device: Device,
    { batch = DEFAULT_BATCH, classes, onCompile, onWarning, copies }: PredictorParts,
  ) {
    this.program = program;
    this.adapter = device.summary;
    this.batch = batch;
    this.names = classes ?? program.classes;
    this.onWarning = onWarning ?? console.warn;
    this.queue = new Queue(device, undefined);
    this.copies = copies;
    const { gpu } = device;
    const most = Math.min(batch, program.slice ?? batch);
    // Where not even one image fits, the allocation says so.
    const slice = largestSlice(program.buffers, most, bindableBytes(gpu.limits)) || most;
    this.loaded = new Loaded({ gpu, program, slice, onCompile, layout: importFile });
  }

  get parameters(): readonly ParameterInfo<Name>[] {
    return this.program.parameters as readonly (ProgramParameter & { name: Name })[];
  }

  /** Names of the classes, in the order of the outputs, where weights or module name them. */
  get classes(): readonly Class[] | undefined {
    return this.names as readonly Class[] | undefined;
  }

  /** Bytes on the device. */
  get memory(): MemoryUse {
    return this.loaded.memory.use;
  }

  /**
   * Loads a safetensors file of weights, of f32 or smaller forms. Resolves to its metadata. Throws
   * WeightsError, and changes nothing, if the file is broken, cannot be had, belongs to another
   * network, or is a checkpoint.
   */
  async load(source: WeightsSource, options: DownloadOptions = {}): Promise<Metadata> {
    assertKnown(options, DOWNLOAD_OPTIONS, "load");
    const file = { ...options, source: ownSource(source) };
    const { metadata, warning } = await this.queue.enqueue(async () => {
      const { load } = await importFile();
      const read = await load(this.loaded, this.names, file);
      this.names = read.classes ?? this.names;
      this.hasWeights = true;
      return read;
    });
    if (warning) await this.onWarning(warning);
    return metadata;
  }

  /** The model's outputs for 1 to `batch` images: images x values, row-major. */
  async predict(images: Input | Pictures): Promise<Output> {
    return this.copies.keeping(images, false, (own) => this.run(own)) as Promise<Output>;
  }

  /** The most probable classes of a picture, or of each of a list; as `Network.classify`. */
  classify(
    picture: Picture | Float32Array,
    options?: ClassifyOptions,
  ): Promise<readonly Classification<Class>[]>;
  classify(
    pictures: readonly Picture[],
    options?: ClassifyOptions,
  ): Promise<readonly (readonly Classification<Class>[])[]>;
  async classify(given: Given, options: ClassifyOptions = {}): Promise<unknown> {
    // Together: a prediction that fails while the file loads must not be an unhandled rejection.
    const [output, { rank }] = await Promise.all([
      this.predict(given as Input),
      import("./pictures/classify.js"),
    ]);
    return rank(this, { given, output, options });
  }

  /** Frees the device's memory. Calls under way reject. */
  destroy(): void {
    if (this.queue.isDestroyed) return;
    this.loaded.memory.destroy();
    this.queue.destroy();
  }

  private async run(images: Checkable): Promise<unknown> {
    const checked = checkInputs(this.program, images, this.batch);
    const { data } = checked;
    const count = rowsOf(this.program, checked);
    this.watch(data[0]);
    const submitted = await this.queue.enqueue(async () => {
      if (!this.hasWeights) {
        throw new InputError("this network has no weights yet: call `load` before `predict`");
      }
      const ready = await this.prepared(data, count);
      await this.fold();
      const results: (Slice & { readonly result: Promise<readonly Float32Array[]> })[] = [];
      for (const slice of slicesOf(count, { most: this.loaded.memory.batch })) {
        const own = partOfRun(ready, { list: "predict", slice }, count);
        const work = { ...own, frame: frameOf(slice, this.program), collects: true };
        results.push({ ...slice, ...(await this.loaded.runner.run("predict", work)) });
      }
      return results;
    });
    const read = submitted.map(async ({ result, ...slice }) => ({
      ...slice,
      values: await result,
    }));
    const parts = await this.queue.explain(Promise.all(read));
    const outputs = tensorsOf(this.program, "prediction").map((tensor, place) => {
      const slices = parts.map((part) => ({ ...part, values: part.values[place]! }));
      return [tensor.name, joinSlices(tensor, slices, count)] as const;
    });
    const values = outputs.length > 1 ? Object.fromEntries(outputs) : outputs[0]![1];
    if (count === checked.count) return values;
    const { averageViews } = await import("./evaluation/average-views.js");
    return averageViews(values, count / checked.count, this.program);
  }

  /** What is uploaded, once pictures are prepared. */
  private async prepared({ pictures, ...data }: CheckedInputs["data"], rows: number) {
    return pictures ? { ...data, ...(await pictures.prepare(this.loaded, rows)) } : data;
  }

  /** Folds parameters again after a file was loaded. */
  private async fold(): Promise<void> {
    const { loaded, program } = this;
    if (!loaded.isFolded && program.steps.fold.length > 0) {
      const frame = frameOf({ first: 0, count: 1 }, program);
      await loaded.runner.run("fold", { frame, collects: false });
    }
    loaded.isFolded = true;
  }

  /** Looks at the first array that is not all zeros. */
  private watch(values: TensorData[number] | undefined): void {
    if (this.isWatched || !values?.some(Boolean)) return;
    this.isWatched = true;
    const first = values.slice(0, 4096) as Float32Array;
    void import("./misuse.js").then((misuse) =>
      misuse.warnOfMisuse(this.program, first, this.onWarning),
    );
  }
}

/** What other modules have, some of it with `--inspect`. */
for (const name of ["activations", "attribution", "step", "evaluate"]) {
  const missing = async function (this: Predictor): Promise<never> {
    throw (await import("./not-inspectable.js")).notInspectable(this.program, name);
  };
  Object.assign(Predictor.prototype, { [name]: missing });
}

interface PredictorParts extends PredictorOptions {
  readonly copies: Copies;
}

/** Nothing that predicts reads more of a frame than the count of images. */
const frameOf = ({ first, count }: Slice, { optimizer }: Program) => ({
  batch: count,
  first,
  images: count,
  isFirst: true,
  isLast: true,
  step: 0,
  seed: 0,
  training: false,
  optimizer,
});
