/** Weights of TensorFlow.js: shards that cut tensors apart, and numbers in 8 or 16 bits. */
import { floatOf } from "../../program/half.js";
import { ImportError } from "../error.js";
import { sizeOf, type ForeignTensor } from "../foreign-graph.js";
import type { ImportSource } from "../importer.js";
import { isList, isObject, type Json, type JsonObject } from "../settings.js";

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  read(): ForeignTensor;
}

/** @param sibling reads a shard; it refuses names outside of the model's folder */
export async function readWeights(
  manifest: Json | undefined,
  sibling: ImportSource["sibling"],
): Promise<readonly NamedTensor[]> {
  if (!isList(manifest)) throw broken("it has no `weightsManifest`");
  const tensors: NamedTensor[] = [];
  for (const group of manifest) {
    if (!isObject(group)) throw broken("a group of its weights is not an object");
    const [paths, specs] = [group["paths"], group["weights"]];
    if (!isList(paths) || !isList(specs)) throw broken("a group of weights has no paths or names");
    const shards: Uint8Array[] = [];
    for (const path of paths) {
      if (typeof path !== "string") throw broken("the path of a shard is not a text");
      shards.push(await sibling(path));
    }
    tensors.push(...tensorsIn(specs, joined(shards)));
  }
  return tensors;
}

function joined(shards: readonly Uint8Array[]): Uint8Array {
  if (shards.length === 1) return shards[0]!;
  const bytes = new Uint8Array(shards.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const shard of shards) {
    bytes.set(shard, at);
    at += shard.length;
  }
  return bytes;
}

function tensorsIn(specs: readonly Json[], bytes: Uint8Array): readonly NamedTensor[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const tensors = specs.map((given): NamedTensor => {
    const spec = specOf(given);
    const start = at;
    const length = sizeOf(spec.shape) * spec.width;
    if (!(start + length <= bytes.length)) {
      throw broken(
        `\`${spec.name}\` needs bytes ${start} to ${start + length}, ` +
          `and its shards have ${bytes.length}`,
      );
    }
    at += length;
    const { name, shape } = spec;
    return { name, shape, read: () => decoded(spec, view, start) };
  });
  if (at !== bytes.length)
    throw broken(`its shards have ${bytes.length} bytes, of which ${at} are named`);
  return tensors;
}

interface Spec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Bytes of one number. */
  readonly width: number;
  readonly kind: ForeignTensor["kind"];
  readonly number: (view: DataView, at: number) => number;
}

const STORED: Readonly<Record<string, Pick<Spec, "width" | "kind" | "number">>> = {
  float32: { width: 4, kind: "float", number: (view, at) => view.getFloat32(at, true) },
  float16: { width: 2, kind: "float", number: (view, at) => floatOf(view.getUint16(at, true)) },
  int32: { width: 4, kind: "int", number: (view, at) => view.getInt32(at, true) },
  bool: { width: 1, kind: "bool", number: (view, at) => view.getUint8(at) },
  uint8: { width: 1, kind: "float", number: (view, at) => view.getUint8(at) },
  uint16: { width: 2, kind: "float", number: (view, at) => view.getUint16(at, true) },
};

function specOf(given: Json): Spec {
  if (!isObject(given)) throw broken("a weight is not an object");
  const { name, shape, dtype, quantization } = given;
  if (typeof name !== "string" || !isList(shape) || !shape.every(isSize)) {
    throw broken("a weight has no name or no shape");
  }
  const sizes = shape as readonly number[];
  if (isObject(quantization))
    return { name, shape: sizes, ...quantized(quantization, name, dtype) };
  const stored = typeof dtype === "string" ? STORED[dtype] : undefined;
  if (!stored || dtype === "uint8" || dtype === "uint16") {
    throw broken(`\`${name}\` has the type ${JSON.stringify(dtype)}, which netc does not read`);
  }
  return { name, shape: sizes, ...stored };
}

/** value = min + q * scale, in the arithmetic of TensorFlow.js: doubles, then rounded to f32. */
function quantized({ dtype, min, scale }: JsonObject, name: string, original: Json | undefined) {
  const stored = typeof dtype === "string" ? STORED[dtype] : undefined;
  if (dtype === "float16" && stored) return stored;
  if (!stored || (dtype !== "uint8" && dtype !== "uint16")) {
    throw broken(`\`${name}\` is quantized as ${JSON.stringify(dtype)}`);
  }
  if (typeof min !== "number" || typeof scale !== "number") {
    throw broken(`\`${name}\` is quantized without \`min\` or \`scale\``);
  }
  const isWhole = original === "int32";
  const value = (q: number) => (isWhole ? Math.round(q * scale + min) : q * scale + min);
  return {
    width: stored.width,
    kind: isWhole ? ("int" as const) : ("float" as const),
    number: (view: DataView, at: number) => value(stored.number(view, at)),
  };
}

function decoded(
  { shape, width, kind, number }: Spec,
  view: DataView,
  start: number,
): ForeignTensor {
  const count = sizeOf(shape);
  const values = kind === "float" ? new Float32Array(count) : new Float64Array(count);
  for (let index = 0; index < count; index++) values[index] = number(view, start + index * width);
  return { kind, shape, values };
}

const isSize = (size: Json) => typeof size === "number" && Number.isSafeInteger(size) && size >= 0;

const broken = (why: string) => new ImportError(`this TensorFlow.js model cannot be read: ${why}`);
