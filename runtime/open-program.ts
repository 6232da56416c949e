/** Opens a device for a module: finds it, chooses the program that suits it, checks the options. */
import { PROGRAM_FORMAT, type Program } from "../program/program.js";
import { DEFAULT_BATCH, type NetworkOptions } from "./calls.js";
import { Copies } from "./copies.js";
import { Device, type AdapterProvider } from "./device.js";
import { assertInteger, assertKnown, type OptionNames } from "./options.js";
import type { Capture } from "./pictures/picture.js";
import { chooseProgram } from "./targets.js";

/** Where the runtime runs: what differs between Node and browsers. */
export interface Platform {
  readonly findAdapter: AdapterProvider;
  readonly capture: Capture;
}

/** What is made of a program on a device. */
export type Create<Result> = (
  program: Program,
  device: Device,
  copies: Copies,
  /** Opens another device like the first; absent where the device is the user's own. */
  openDevice: (() => Promise<Device>) | undefined,
) => Promise<Result>;

/** The feature that programs of 16 bits need. */
const HALF = "shader-f16" as const;

/**
 * Opens a device for the one of the programs that suits it best. Throws NoAdapterError without a
 * usable GPU, DeviceLimitError or BatchTooLargeError if the network does not fit, InputError for
 * wrong options.
 */
export async function openProgram<Result, Options extends NetworkOptions>(
  programs: readonly Program[],
  { options, known }: { readonly options: Options; readonly known: OptionNames<Options> },
  { findAdapter, capture }: Platform,
  create: Create<Result>,
): Promise<Result> {
  assertKnown(options, known, `create${programs[0]?.model}`);
  await checkOptions(programs, options);
  const features = programs.some(({ precision }) => precision) ? [HALF] : ([] as const);
  const openDevice = async () => Device.open(await findAdapter(options.adapter), features);
  const device = await (options.device ? Device.borrow(options.device) : openDevice());
  const again = options.device ? undefined : openDevice;
  try {
    const program = chooseProgram(programs, device.summary);
    if (features.length > 0 && !program.precision) {
      const { warnOfHalf } = await import("./seldom-options.js");
      await warnOfHalf(device.summary.name, options);
    }
    const read = program.tokens && (await import("./tokens.js")).readerOf(program);
    return await create(program, device, new Copies(capture, read), again);
  } catch (error) {
    device.release();
    throw error;
  }
}

async function checkOptions(programs: readonly Program[], options: NetworkOptions): Promise<void> {
  assertInteger(options.batch ?? DEFAULT_BATCH, 1, "`batch`");
  assertInteger(options.accumulate ?? 1, 1, "`accumulate`");
  assertInteger(options.seed ?? 0, 0, "`seed`");
  const { classes, device, onCompile, onWarning } = options;
  const isCurrent = programs[0]?.format === PROGRAM_FORMAT;
  if (isCurrent && !(classes ?? device ?? onCompile ?? onWarning)) return;
  (await import("./seldom-options.js")).checkSeldom(programs, options, PROGRAM_FORMAT);
}
