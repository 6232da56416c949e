/** `netc import SPEC.net WEIGHTS`: the weights of another program under the names of a spec. */
import { isAbsolute, join, relative, resolve } from "node:path";
import { analyzeSpec, tensorsOf } from "./compiled.js";
import { wrongInput } from "./failure.js";
import { readBytes, refuseExisting, writeOutput } from "./files.js";
import { plural } from "./format.js";
import {
  announceMatching,
  requireMatched,
  underOwnNames,
  type FileWeights,
} from "./foreign-weights.js";
import { summarize } from "../interchange/weights/describe.js";
import type { Matching } from "../interchange/weights/match.js";
import type { SpecFile } from "./spec.js";
import { print, printJson, warn } from "./terminal.js";
import { tensorParts } from "../runtime/tensor-parts.js";
import { useWeights } from "./weights.js";
import type { WeightsFlags } from "./weights-options.js";

interface ImportWeightsFlags extends WeightsFlags {
  readonly output: string;
  readonly name?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/**
 * Writes `DIR/NAME.safetensors` and a copy of the spec, with the files that it imports. Nothing is
 * written unless every tensor of the model is matched.
 */
export async function importWeights(
  path: string,
  weights: string,
  flags: ImportWeightsFlags,
): Promise<void> {
  const analyzed = await analyzeSpec(path, {});
  const name = flags.name ?? analyzed.spec.name;
  const files = {
    spec: join(flags.output, `${name}.net`),
    weights: join(flags.output, `${name}.safetensors`),
  };
  const copies = await copiesOf(analyzed.spec, files.spec, flags.output);
  const written = [...copies.keys(), files.weights];
  if (!flags.overwrite)
    refuseExisting(written, "--overwrite replaces them, --name NAME or -o DIR writes others");
  const { matching, own } = await useWeights(
    weights,
    tensorsOf(analyzed),
    flags,
    ({ weights: file, matching: found }) => convert(weights, file, found),
  );
  await writeOutput(files.weights, tensorParts(own.tensors, own.metadata));
  for (const [copy, text] of copies) await writeOutput(copy, text);
  const left = matching.left.map((tensor) => tensor.name);
  if (left.length > 0)
    warn(`${plural(left.length, "tensor")} of ${weights} not used: ${shown(left)}`);
  const matched = matching.matches.length;
  if (flags.json) printJson({ ...files, matched, by: summarize(matching), left });
  else print(`wrote ${written.reverse().join(" and ")}`);
}

function convert(path: string, file: FileWeights, matching: Matching) {
  requireMatched(matching, "ignored");
  announceMatching(path, file, matching);
  return { matching, own: underOwnNames(file, matching) };
}

/**
 * The spec and the files that it imports by where they are written; none where they are already.
 */
async function copiesOf(
  { path, folder, imports }: SpecFile,
  target: string,
  output: string,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const copies = new Map<string, Uint8Array>();
  for (const source of [path, ...imports()]) {
    const place = relative(folder, source);
    if (source !== path && (place.startsWith("..") || isAbsolute(place))) {
      throw wrongInput(
        `${path} imports ${source}, which is not in its folder: it cannot be copied along`,
        `-o ${folder} writes the weights next to the spec, which then stays where it is`,
      );
    }
    const copy = source === path ? target : join(output, place);
    if (resolve(copy) !== resolve(source)) copies.set(copy, await readBytes(source, "spec"));
  }
  return copies;
}

const SHOWN = 5;

function shown(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return names.slice(0, SHOWN).join(", ") + more;
}
