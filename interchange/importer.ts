/** A format that models are read from, and what it is given. */
import type { ForeignGraph } from "./foreign-graph.js";

export interface ImportFile {
  /** As the user wrote it; messages show it so. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface ImportSource {
  /** The model. */
  readonly file: ImportFile;
  /** The second file of the command line, for formats that keep weights in a separate file. */
  readonly weights?: ImportFile;
  /**
   * A file that the model names, such as external data or a shard; `range` asks for a part of it.
   * Rejects with an ImportError for a name that leaves the model's folder and for a file that is
   * missing or too short.
   */
  readonly sibling: (name: string, range?: ByteRange) => Promise<Uint8Array>;
}

export interface ByteRange {
  readonly offset: number;
  /** Bytes; up to the end of the file if left out. */
  readonly length?: number;
}

/** A format. `formats.ts` lists them all. */
export interface Importer {
  /** What messages call it: `ONNX`. */
  readonly format: string;
  /** Extensions that its models usually have, for messages. */
  readonly extensions: readonly string[];
  /**
   * Whether the file is of this format, by its content first and its extension where that is all.
   */
  sniff(file: ImportFile): boolean;
  /** Rejects with an ImportError for a broken file and for what the format has no meaning for. */
  read(source: ImportSource): Promise<ForeignGraph>;
}
