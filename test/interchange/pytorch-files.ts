/** Files as torch.save writes them, around pickles written by hand. */
import { crc32 } from "../../interchange/zip/crc32.js";

/** `hex` in quotes and text as it is: a pickle is written down as its operations. */
export const bytesOf = (...parts: readonly (string | number | Uint8Array)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === "number"
        ? Buffer.of(part)
        : typeof part === "string"
          ? Buffer.from(part, "utf8")
          : part,
    ),
  );

/** The end of a pickle. */
export const STOP = ".";

const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const half = (value: number) => Buffer.of(value & 255, value >> 8);

/** A text, as Python 3 pickles it. */
export const text = (value: string): Uint8Array =>
  bytesOf("X", word(Buffer.byteLength(value)), value);

/** A whole number of 32 bits. */
export const integer = (value: number): Uint8Array => bytesOf("J", word(value >>> 0));

/** `collections.OrderedDict`, by the operation GLOBAL. */
export const global = (module: string, name: string): Uint8Array =>
  bytesOf(`c${module}\n${name}\n`);

/** A reference to a storage of floats. */
export const storage = (key: string, length: number): Uint8Array =>
  bytesOf(
    ...["(", text("storage"), global("torch", "FloatStorage"), text(key), text("cpu")],
    ...[integer(length), "t", "Q"],
  );

export const tuple = (...items: readonly Uint8Array[]): Uint8Array => bytesOf("(", ...items, "t");

/** A tensor over a storage. */
export const tensor = (
  over: Uint8Array,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Uint8Array =>
  bytesOf(
    global("torch._utils", "_rebuild_tensor_v2"),
    ...["(", over, integer(offset), tuple(...shape.map(integer)), tuple(...strides.map(integer))],
    ...[Uint8Array.of(0x89), global("collections", "OrderedDict"), ")", "R", "t", "R"],
  );

/** A dictionary of a single tensor `w`. */
export const dictionary = (value: Uint8Array): Uint8Array => bytesOf("}", text("w"), value, "s");

interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A zip of stored files. */
export function zipOf(files: readonly ZipFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const entries: Uint8Array[] = [];
  let start = 0;
  for (const { name, bytes } of files) {
    const common = bytesOf(
      ...[half(20), half(0), half(0), word(0), word(crc32(bytes))],
      ...[word(bytes.length), word(bytes.length), half(name.length), half(0)],
    );
    const header = bytesOf(word(0x04034b50), common, name);
    parts.push(header, bytes);
    entries.push(bytesOf(word(0x02014b50), half(20), common, Buffer.alloc(10), word(start), name));
    start += header.length + bytes.length;
  }
  const directory = bytesOf(...entries);
  const counts = [half(files.length), half(files.length)];
  const end = [word(0x06054b50), half(0), half(0), ...counts, word(directory.length), word(start)];
  return bytesOf(...parts, directory, ...end, half(0));
}

/** An archive of torch.save around a pickle (without PROTO and STOP) and its storages. */
export function archiveOf(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array {
  const data = Object.entries(storages).map(([key, bytes]) => ({
    name: `archive/data/${key}`,
    bytes,
  }));
  return zipOf([
    { name: "archive/data.pkl", bytes: bytesOf(0x80, 2, pickle, STOP) },
    { name: "archive/version", bytes: bytesOf("3\n") },
    ...data,
  ]);
}

/** A file from before 1.6 around the same. */
export function legacyOf(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array {
  const magic = bytesOf(0x80, 2, 0x8a, 10, Buffer.from("6cfc9c46f9206aa85019", "hex"), STOP);
  const version = bytesOf(0x80, 2, "M", half(1001), STOP);
  const machine = bytesOf(0x80, 2, "}", text("little_endian"), 0x88, "s", STOP);
  const keys = bytesOf(0x80, 2, "(", ...Object.keys(storages).map(text), "l", STOP);
  const data = Object.values(storages).flatMap((bytes) => {
    return [word(bytes.length / 4), word(0), bytes];
  });
  return bytesOf(...[magic, version, machine], 0x80, 2, pickle, STOP, keys, ...data);
}
