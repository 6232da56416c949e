/** `netc predict` of a model whose output holds numbers rather than scores of classes. */
import { tensorsOf } from "../program/tensors.js";
import { visible } from "../program/visible.js";
import type { Network } from "../runtime/network.js";
import { formatNumber } from "./format.js";
import type { Predictable } from "./predict-rows.js";
import { formatProbability as formatValue, PredictionsFile } from "./predictions.js";
import { print, printJson } from "./terminal.js";

interface Predicted {
  readonly network: Network;
  readonly pictures: Predictable;
  /** A row of numbers for each picture, or row of a table, that could be read. */
  readonly outputs: readonly Float32Array[];
}

/** More numbers than these do not fit a line. */
const MOST_SHOWN = 8;

/** Prints the numbers of each picture, as JSON and into a csv file where that is asked for. */
export async function showValues(
  { network, pictures, outputs }: Predicted,
  { csv, json }: { readonly csv?: string; readonly json?: boolean },
): Promise<void> {
  const output = tensorsOf(network.program, "prediction")[0]!.name;
  const names = pictures.readable().map(({ name }) => name);
  if (csv !== undefined) await writeValues(csv, { names, output, outputs });
  if (json) {
    printJson(names.map((image, index) => ({ image, [output]: [...outputs[index]!] })));
  } else {
    print(
      names
        .map((name, index) => `${visible(name)}\n  ${describeNumbers(outputs[index]!)}`)
        .join("\n\n"),
    );
  }
}

/** As many as fit a line. */
export function describeNumbers(values: Float32Array): string {
  const shown = Array.from(values.subarray(0, MOST_SHOWN), formatNumber).join("  ");
  const others = values.length - MOST_SHOWN;
  return others > 0 ? `${shown}  and ${others} more (--csv and --json list all)` : shown;
}

interface Table {
  readonly names: readonly string[];
  readonly output: string;
  readonly outputs: readonly Float32Array[];
}

/** A column for each number: `box_0`, in the order of the output's shape. */
async function writeValues(path: string, { names, output, outputs }: Table): Promise<void> {
  const columns = Array.from(outputs[0]!, (_, index) => `${output}_${index}`);
  const file = await PredictionsFile.create(path, ["file", ...columns], []);
  for (const [index, name] of names.entries()) {
    file.add([name, ...Array.from(outputs[index]!, formatValue)], undefined, 0);
    await file.flush();
  }
  await file.commit();
}
