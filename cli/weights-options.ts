/** Flags that say how a weights file is to be read. */
import { InvalidArgumentError, Option } from "commander";
import { parseRenaming, type Renaming } from "../interchange/weights/rename.js";

export interface WeightsFlags {
  readonly rename?: readonly Renaming[];
  readonly key?: string;
}

export function renameOption(): Option {
  return new Option(
    "--rename <pair>",
    "which tensor is which: FILE_NAME=SPEC_NAME; may be repeated",
  ).argParser((text: string, earlier: readonly Renaming[] = []) => {
    const renaming = parseRenaming(text);
    if (renaming) return [...earlier, renaming];
    throw new InvalidArgumentError(
      "Expected FILE_NAME=SPEC_NAME, with one * on both sides or on neither.",
    );
  });
}

export function keyOption(): Option {
  return new Option(
    "--key <name>",
    "the dictionary of a PyTorch checkpoint to read, such as model_ema",
  );
}
