/** The values of a network's layers, and what its scores say of them. */
import type { InsideLayer, InsideProgram } from "../../program/inside.js";
import type { ProgramTensor } from "../../program/program.js";
import { sizeOf, tensorsOf } from "../../program/tensors.js";
import { describe } from "../describe.js";
import { InputError } from "../errors.js";
import { indexOfLargest, requireScores } from "../evaluation/probabilities.js";
import type { InspectionParts } from "../inspection.js";
import type { Network } from "../network.js";
import { assertKnown } from "../options.js";
import type { Given } from "../pictures/picture.js";
import { chooseProgram } from "../targets.js";
import { gradCam } from "./grad-cam.js";
import { findClass, findLayer } from "./names.js";
import { OnDevice } from "./on-device.js";
import type { Activation, Attribution, AttributionOptions } from "./inspectable.js";

const ATTRIBUTION_OPTIONS = { layer: true, class: true } as const;

export class Inside {
  private readonly programs: readonly InsideProgram[];
  private device: OnDevice | undefined;

  constructor(
    private readonly network: Network,
    programs: readonly InsideProgram[],
  ) {
    this.programs = programs;
  }

  /** See `Inspectable.activations`. */
  async activations(
    given: Given,
    names: readonly string[] = this.layers.map(({ name }) => name),
  ): Promise<Readonly<Record<string, Activation>>> {
    if (!Array.isArray(names)) {
      throw new InputError(`the layers of \`activations\` are a list, not ${describe(names)}`);
    }
    const wanted = [...new Set<string>(names)].map((name) => findLayer(name, this.layers));
    const places = wanted.map(({ activation }) => activation);
    const rows = await this.visit(given, async (device, image) => {
      await device.run("predict", image);
      return device.read(places);
    });
    const { tensors } = this.chosen.program;
    const made = wanted.map(({ name }, place): [string, Activation] => {
      const { shape } = tensors[places[place]!]!;
      return [
        name,
        joined(
          shape,
          rows.map((row) => row[place]!),
        ),
      ];
    });
    return Object.fromEntries(made);
  }

  /** See `Inspectable.attribution`. */
  async attribution(
    given: Given,
    options: AttributionOptions = {},
  ): Promise<Attribution | readonly Attribution[]> {
    assertKnown(options, ATTRIBUTION_OPTIONS, "attribution");
    requireScores(this.network.program);
    const layer = this.mapped(options.layer);
    const asked = options.class === undefined ? undefined : this.classOf(options.class);
    const maps = await this.visit(given, async (device, image) => {
      const index = asked ?? (await this.mostProbable(device, image));
      await device.run("evaluate", image, this.scoresOf(index));
      const [values, gradient] = await device.read(layer.attribution!);
      return this.attributionOf(layer, index, { values: values!, gradient: gradient! });
    });
    if (Array.isArray(given)) return maps;
    if (maps.length === 1) return maps[0]!;
    throw new InputError(
      `\`attribution\` takes one image as an array, not ${maps.length}: pass a list of pictures`,
    );
  }

  /** Frees its memory on the device; the parameters are the network's. */
  destroy(): void {
    this.device?.destroy();
    this.device = undefined;
  }

  /** The program for the network's adapter. */
  private get chosen(): InsideProgram {
    const { programs, network } = this;
    const program = chooseProgram(
      programs.map((each) => each.program),
      network.adapter,
    );
    return programs.find((each) => each.program === program)!;
  }

  private get layers(): readonly InsideLayer[] {
    return this.chosen.layers;
  }

  /** The layer to map, whose output must be an image. */
  private mapped(name: string | undefined): InsideLayer {
    const { layers, program } = this.chosen;
    const isMapped = ({ attribution }: InsideLayer) =>
      attribution !== undefined && program.tensors[attribution[0]]!.shape.length === 3;
    const maps = layers.filter(isMapped);
    const last = maps.filter(({ kind }) => kind === "conv").at(-1) ?? maps.at(-1);
    if (name === undefined) {
      if (last) return last;
      throw new InputError(`${program.model} has no layer whose output is an image`);
    }
    const found = findLayer(name, layers);
    if (isMapped(found)) return found;
    const shown = last ? `: the last convolution is \`${last.name}\`` : "";
    const isImage = program.tensors[found.activation]!.shape.length === 3;
    const why = isImage
      ? "does not lead to the scores in the compiled network"
      : "gives numbers without rows and columns";
    throw new InputError(`\`${name}\` ${why}, and Grad-CAM needs an image${shown}`);
  }

  private classOf(wanted: number | string): number {
    const { program, scores } = this.chosen;
    return findClass(wanted, sizeOf(program.tensors[scores]!.shape), this.network.classes);
  }

  private scoresOf(index: number): Float32Array {
    const { program, scores } = this.chosen;
    const values = new Float32Array(sizeOf(program.tensors[scores]!.shape));
    values[index] = 1;
    return values;
  }

  private async mostProbable(device: OnDevice, image: number): Promise<number> {
    await device.run("predict", image);
    const { tensors } = this.chosen.program;
    const [output] = tensorsOf({ tensors }, "prediction") as [ProgramTensor];
    const [scores] = await device.read([tensors.indexOf(output)]);
    return indexOfLargest(scores!);
  }

  private attributionOf(
    { name: layer, attribution }: InsideLayer,
    index: number,
    found: { readonly values: Float32Array; readonly gradient: Float32Array },
  ): Attribution {
    const { shape } = this.chosen.program.tensors[attribution![0]]!;
    const [channels, height, width] = shape as [number, number, number];
    const name = this.network.classes?.[index] ?? `class ${index}`;
    const values = gradCam({ ...found, channels });
    return { layer, index, name, height, width, values };
  }

  /** Calls `look` with each image of a call, in order, while other calls wait. */
  private visit<Seen>(
    given: Given,
    look: (device: OnDevice, image: number) => Promise<Seen>,
  ): Promise<readonly Seen[]> {
    return this.network.inspectCall("predict", { images: given }, async (runs) => {
      const seen: Seen[] = [];
      for (const run of runs) {
        const parts = await run.begin();
        const device = await this.onDevice(parts);
        for (let image = 0; image < parts.batch; image++) seen.push(await look(device, image));
      }
      return seen;
    });
  }

  /** Another device, or phase of training, has other memory. */
  private async onDevice(parts: InspectionParts): Promise<OnDevice> {
    if (this.device?.isFor(parts)) return this.device;
    this.destroy();
    this.device = await OnDevice.create(this.chosen, parts);
    return this.device;
  }
}

function joined(shape: readonly number[], rows: readonly Float32Array[]): Activation {
  const each = sizeOf(shape);
  const values = new Float32Array(each * rows.length);
  rows.forEach((row, index) => values.set(row, index * each));
  return { shape: [rows.length, ...shape], values };
}
