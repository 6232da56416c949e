/**
 * Checks of a module and of the options that few pages give: only those, and pages whose module is
 * of another format, load this file.
 */
import type { Program } from "../program/program.js";
import { classesOf } from "../program/tensors.js";
import type { NetworkOptions } from "./calls.js";
import { InputError } from "./errors.js";

/**
 * Throws InputError for programs that are not of the runtime's format, and for options of another
 * kind.
 */
export function checkSeldom(
  programs: readonly Program[],
  { classes, device, onCompile, onWarning }: NetworkOptions,
  /** Given, because an import would split the file that a page loads first. */
  own: Program["format"],
): void {
  checkFormats(programs, own);
  if (classes) checkClasses(programs[0]!, classes);
  if (device) checkDevice(device);
  for (const [name, callback] of Object.entries({ onCompile, onWarning })) {
    if (callback === undefined || typeof callback === "function") continue;
    throw new InputError(`\`${name}\` must be a function, not ${kindOf(callback)}`);
  }
}

/** Warns of an adapter that has no numbers of 16 bits, which the network would use. */
export async function warnOfHalf(
  adapter: string,
  { onWarning = console.warn }: Pick<NetworkOptions, "onWarning">,
): Promise<void> {
  await onWarning(`${adapter} has no \`shader-f16\`: this network runs in f32, not f16`);
}

function checkFormats(programs: readonly Program[], own: number): void {
  if (programs.length === 0) {
    throw new InputError(
      "there are no programs: what `compile` found wrong is in its `diagnostics`",
    );
  }
  const formats = programs.map(({ format }: { readonly format: number }) => format);
  const other = formats.find((format) => format !== own);
  if (other === undefined) return;
  throw new InputError(
    `this module has format ${other}, and this runtime reads ${own}: compile it again`,
  );
}

function checkClasses(program: Program, classes: unknown): void {
  const count = classesOf(program);
  const isList =
    Array.isArray(classes) && classes.every((name: unknown) => typeof name === "string");
  if (isList && classes.length === count) return;
  const came = isList ? `${classes.length} names` : kindOf(classes);
  throw new InputError(
    count === undefined
      ? `\`classes\` names the classes of one target, and model \`${program.model}\` has none`
      : `\`classes\` must be a list of ${count} names, one for each class, not ${came}`,
  );
}

/** A value's kind: `String`, `Promise`. */
const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** By what it can do: a frame's GPUDevice is of another class than the page's. */
function checkDevice(device: object): void {
  if ("createBuffer" in device && "lost" in device) return;
  const advice = "then" in device ? ": `await` it first" : "";
  throw new InputError(`\`device\` must be a GPUDevice, not ${kindOf(device)}${advice}`);
}
