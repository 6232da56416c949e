/** What files that are not safetensors are instead, for messages. */
import { WeightsError } from "./errors.js";

/** Bytes from which other kinds of files can be told. */
export const RECOGNIZED_BYTES = 100;

const PICKLE =
  "a PyTorch file: `netc import SPEC FILE -o DIR` writes its weights under the spec's names";

const PAGE =
  "a web page: the address leads to a page about the file, or needs a login; download it again";

/** Files that are often confused with weights, by the characters that such files begin with. */
const OTHER_KINDS: readonly (readonly [starts: readonly string[], kind: string])[] = [
  [["<!doctype", "<html", "<?xml", "<!--", "<head"], PAGE],
  [
    ["version https://git-lfs"],
    "a Git LFS pointer, which replaces the file: run `git lfs pull`, or download the file itself",
  ],
  [["pk\u0003\u0004", "\u0080\u0002", "\u0080\u0003", "\u0080\u0004", "\u0080\u0005"], PICKLE],
  [["\u0089hdf"], "an HDF5 file, such as Keras writes"],
  [["\u0093numpy"], "a NumPy file"],
  [["gguf"], "a GGUF file"],
  [["\u001f\u008b"], "compressed: run `gunzip` on it"],
];

/** What is wrong with a file whose header is not one: what it is instead, if that is known. */
export const explained = (bytes: Uint8Array, error: unknown): unknown => otherKind(bytes) ?? error;

function otherKind(bytes: Uint8Array): WeightsError | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, RECOGNIZED_BYTES));
  // Pages may begin with a byte order mark, here one character a byte, and with space.
  const start = text.replace("\u00ef\u00bb\u00bf", "").trimStart().toLowerCase();
  const known = OTHER_KINDS.find(([starts]) => starts.some((each) => start.startsWith(each)));
  return known && new WeightsError(`weights must be a safetensors file, and this is ${known[1]}`);
}
