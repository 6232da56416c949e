import type { Importer } from "../importer.js";
import { isZip } from "../zip/read.js";
import { readArchive } from "./archive.js";
import { readH5 } from "./h5.js";
import { isHdf5 } from "./hdf5.js";

export const keras: Importer = {
  format: "Keras",
  extensions: [".keras", ".h5", ".hdf5"],
  // PyTorch's files are zip files, too.
  sniff: ({ path, bytes }) => isHdf5(bytes) || (isZip(bytes) && path.endsWith(".keras")),
  read: ({ file: { bytes } }) =>
    Promise.resolve().then(() => (isZip(bytes) ? readArchive(bytes) : readH5(bytes))),
};
