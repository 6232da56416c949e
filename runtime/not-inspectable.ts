/** Why a network is not seen inside: loaded only where that is asked for. */
import type { Program } from "../program/program.js";
import { InputError } from "./errors.js";

/** The error for calls that only networks of other modules have. */
export function notInspectable({ source, predictOnly }: Program, call?: string): InputError {
  if (call === "step" || call === "evaluate") {
    return new InputError(
      `\`${call}\` needs training or evaluation, and this network's module was compiled with ` +
        `\`--predict-only\`: run \`netc compile ${source.file}\` without it`,
    );
  }
  const other = predictOnly ? ", and without `--predict-only`" : "";
  return new InputError(
    "`activations` and `attribution` need a module that was compiled with `--inspect`" +
      `${other}: run \`netc compile ${source.file} --inspect\`, ` +
      "or write `netc({ inspect: true })` where a bundler imports the spec",
  );
}
