/** Opens networks: finds a device, chooses the program that suits it, checks the options. */
import { PROGRAM_FORMAT, type Program } from "../program/program.js";
import { DEFAULT_BATCH, NETWORK_OPTIONS, type NetworkOptions } from "./calls.js";
import { Device, type AdapterProvider } from "./device.js";
import { InputError } from "./errors.js";
import type { Images } from "./data/dataset.js";
import type { Inputs, Labels, Targets } from "./examples.js";
import { Network } from "./network.js";
import { assertInteger, assertKnown } from "./options.js";
import type { Capture } from "./pictures/picture.js";
import { chooseProgram } from "./targets.js";

/** Where the runtime runs: what differs between Node and browsers. */
export interface Platform {
  readonly findAdapter: AdapterProvider;
  readonly capture: Capture;
}

/** The feature that programs of 16 bits need. */
const HALF = "shader-f16" as const;

/**
 * Opens a device and puts on it the one of the programs that suits it best. Throws NoAdapterError
 * without a usable GPU, DeviceLimitError or BatchTooLargeError if the network does not fit,
 * InputError for wrong options.
 */
export async function openNetwork<
  Metric extends string,
  Name extends string,
  Target extends Targets = Labels,
  Input extends Inputs = Images,
  Output = Float32Array,
  Class extends string = string,
>(
  programs: readonly Program[],
  options: NetworkOptions,
  { findAdapter, capture }: Platform,
): Promise<Network<Metric, Name, Target, Input, Output, Class>> {
  checkOptions(programs, options);
  const features = programs.some(({ precision }) => precision) ? [HALF] : ([] as const);
  const openDevice = async () => Device.open(await findAdapter(options.adapter), features);
  const device = await (options.device ? Device.borrow(options.device) : openDevice());
  const again = options.device ? undefined : openDevice;
  try {
    const program = chooseProgram(programs, device.summary);
    if (features.length > 0 && !program.precision) {
      const warn: NonNullable<NetworkOptions["onWarning"]> = options.onWarning ?? console.warn;
      await warn(`${device.summary.name} has no \`${HALF}\`: this network runs in f32, not f16`);
    }
    return await Network.create(program, device, { ...options, capture }, again);
  } catch (error) {
    device.release();
    throw error;
  }
}

function checkOptions(programs: readonly Program[], options: NetworkOptions): void {
  assertKnown(options, NETWORK_OPTIONS, "createNetwork");
  assertInteger(options.batch ?? DEFAULT_BATCH, 1, "`batch`");
  assertInteger(options.accumulate ?? 1, 1, "`accumulate`");
  assertInteger(options.seed ?? 0, 0, "`seed`");
  if (programs.length === 0) {
    throw new InputError(
      "there are no programs: what `compile` found wrong is in its `diagnostics`",
    );
  }
  for (const { format } of programs as readonly { readonly format: number }[]) {
    if (format !== PROGRAM_FORMAT) {
      throw new InputError(
        `this module has format ${format}, and this runtime reads ${PROGRAM_FORMAT}: ` +
          "compile it again",
      );
    }
  }
}
