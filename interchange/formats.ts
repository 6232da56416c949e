import { ImportError } from "./error.js";
import { caffe } from "./caffe/index.js";
import { darknet } from "./darknet/index.js";
import type { ImportFile, Importer } from "./importer.js";
import { keras } from "./keras/index.js";
import { onnx } from "./onnx/index.js";
import { tfjs } from "./tfjs/index.js";

/** In the order in which they are asked whether a file is theirs. */
export const importers: readonly Importer[] = [keras, tfjs, caffe, darknet, onnx];

/** The format of a file. Throws an ImportError that names those that can be read. */
export function importerOf(file: ImportFile): Importer {
  const found = importers.find((importer) => importer.sniff(file));
  if (found) return found;
  const known = importers.map(({ format, extensions }) => `${format} (${extensions.join(", ")})`);
  throw new ImportError(`${file.path} is of no format that netc imports`, [
    `netc imports ${known.join(", ")}`,
  ]);
}
