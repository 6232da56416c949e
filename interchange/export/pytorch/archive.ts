/** Files as torch.save writes them: a zip archive of a pickle and a record for each storage. */
import { storedZip } from "../zip.js";
import { pickle, type PickleValue } from "./pickle.js";

/** A tensor of a state_dict; shape `[]` is a single number. */
export interface SavedTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** Collects storages while a value is put together that refers to them. */
export class TorchArchive {
  private readonly storages: Uint8Array[] = [];

  /** The reference to a tensor in the pickle. */
  tensor({ shape, values }: SavedTensor): PickleValue {
    const key = String(this.storages.length);
    const { buffer, byteOffset, byteLength } = values;
    this.storages.push(new Uint8Array(buffer, byteOffset, byteLength));
    const type = values instanceof Float32Array ? "FloatStorage" : "LongStorage";
    const id: PickleValue = {
      tuple: ["storage", { global: ["torch", type] }, key, "cpu", values.length],
    };
    return {
      call: { global: ["torch._utils", "_rebuild_tensor_v2"] },
      with: [
        { persistent: id },
        0,
        { tuple: shape },
        { tuple: strides(shape) },
        false,
        { ordered: [] },
      ],
    };
  }

  /** The file. Every record is in a folder of one name, as PyTorch wants it. */
  finish(value: PickleValue): Uint8Array {
    const records = [
      { name: "archive/data.pkl", bytes: pickle(value) },
      ...this.storages.map((bytes, index) => ({ name: `archive/data/${index}`, bytes })),
      { name: "archive/version", bytes: new TextEncoder().encode("3\n") },
    ];
    return storedZip(records, "a PyTorch file");
  }
}

function strides(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}
