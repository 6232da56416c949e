/** How the compiler looks into the weights files that recipes load. */
import { join, dirname } from "node:path";
import type { ReadWeights, WeightsShapes } from "../compiler/semantics/index.js";
import { matchTensors, type Matching } from "../interchange/weights/match.js";
import { isPyTorch } from "../interchange/pytorch/index.js";
import type { Shaped } from "../interchange/weights/modules.js";
import { readShapes } from "../runtime/safetensors.js";
import { FileSource } from "./file-source.js";
import { isOwnFile, pyTorchWeights, shapeAsWanted } from "./foreign-weights.js";
import { rangesOf } from "./weights.js";

/** The shapes in the file that `load("TARGET")` names, looked for in the spec's folder. */
export const lookIntoWeights: ReadWeights = (target, spec, request) => {
  try {
    return FileSource.use(join(dirname(spec), target), (source): WeightsShapes => {
      try {
        return shapesOf(source, request);
      } catch (error) {
        return { kind: "broken", reason: (error as Error).message };
      }
    });
  } catch {
    return undefined;
  }
};

type Request = Parameters<ReadWeights>[2];

function shapesOf(source: FileSource, { tensors: own, except, rename }: Request): WeightsShapes {
  const { file, isOrdered } = describedTensors(source);
  const matching = matchTensors({ own, file, isOrdered, except, rename });
  const isOwn = !isOrdered && rename.length === 0 && isOwnFile(matching);
  if (!isOwn) return underOwnNames(matching);
  return { kind: "shapes", shapes: new Map(file.map(({ name, shape }) => [name, shape])) };
}

/** Names and shapes of what is in a file of weights. */
export function describedTensors(source: FileSource): {
  readonly file: readonly Shaped[];
  readonly isOrdered: boolean;
} {
  if (isPyTorch(source)) return { file: pyTorchWeights(source)!.tensors, isOrdered: true };
  const shapes = readShapes(rangesOf(source), source.size);
  return { file: [...shapes].map(([name, shape]) => ({ name, shape })), isOrdered: false };
}

/** What does not fit keeps the shape that it has; what is not used keeps its name. */
function underOwnNames({ matches, unmatched, left }: Matching): WeightsShapes {
  const shapes = new Map<string, readonly number[]>();
  const candidates = new Map<string, readonly string[]>();
  for (const match of matches) shapes.set(match.own.name, shapeAsWanted(match));
  for (const { own, candidates: possible } of unmatched) {
    const [only, ...others] = possible;
    const isOther = only && others.length === 0 && String(only.shape) !== String(own.shape);
    if (isOther) shapes.set(own.name, only.shape);
    else if (only)
      candidates.set(
        own.name,
        possible.map(({ name }) => name),
      );
  }
  const shown = new Set(unmatched.flatMap((each) => each.candidates));
  for (const tensor of left) if (!shown.has(tensor)) shapes.set(tensor.name, tensor.shape);
  return { kind: "shapes", shapes, candidates };
}
