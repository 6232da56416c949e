/** Weights of Darknet: numbers of all layers one after the other, without names or sizes. */
import { ImportError } from "../error.js";
import { sizeOf, type ForeignTensor } from "../foreign-graph.js";
import { floats } from "../tensors.js";

/** From these versions on, the number of images seen has 64 bits. */
const WIDE_COUNT = 2;
/** Versions above this say that matrices are transposed. */
const TRANSPOSED = 1000;

export class WeightsReader {
  readonly isTransposed: boolean;
  private at: number;
  private readonly view: DataView;

  /** Throws an ImportError for a file without a header. */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly path: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 16) throw new ImportError(`${path} is not a weights file of Darknet`);
    const [major, minor] = [this.view.getInt32(0, true), this.view.getInt32(4, true)];
    this.isTransposed = major > TRANSPOSED || minor > TRANSPOSED;
    const isWide = major * 10 + minor >= WIDE_COUNT && major < TRANSPOSED && minor < TRANSPOSED;
    this.at = isWide ? 20 : 16;
  }

  /** The next numbers. Throws an ImportError where the file ends before. */
  next(shape: readonly number[], layer: string): ForeignTensor {
    const count = sizeOf(shape);
    const end = this.at + 4 * count;
    if (!(count >= 1 && end <= this.bytes.length)) {
      throw new ImportError(
        `${this.path} ends before the weights of ${layer}: they need ${4 * count} bytes, and ` +
          `${Math.max(0, this.bytes.length - this.at)} are left`,
        ["check that the cfg and the weights belong together"],
      );
    }
    const values = new Float32Array(count);
    for (let index = 0; index < count; index++) {
      values[index] = this.view.getFloat32(this.at + 4 * index, true);
    }
    this.at = end;
    return floats(shape, values);
  }

  /** Throws an ImportError where the file has more than the network. */
  finish(): void {
    const left = this.bytes.length - this.at;
    if (left <= 0) return;
    throw new ImportError(`${this.path} has ${left} bytes more than the network has weights`, [
      "check that the cfg and the weights belong together",
    ]);
  }
}
