/** Why a network is not seen inside: loaded only where that is asked for. */
import type { Program } from "../program/program.js";
import { InputError } from "./errors.js";

/** The error for calls that only networks of other modules have. */
export function notInspectable({ source, predictOnly }: Program): InputError {
  const other = predictOnly ? ", and without `--predict-only`" : "";
  return new InputError(
    "`activations` and `attribution` need a module that was compiled with `--inspect`" +
      `${other}: run \`netc compile ${source.file} --inspect\`, ` +
      "or write `netc({ inspect: true })` where a bundler imports the spec",
  );
}
