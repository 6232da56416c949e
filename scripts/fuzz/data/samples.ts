/** Small whole files of each format, of the kinds that it has. */
import { parquetWriteBuffer } from "hyparquet-writer";
import sharp from "sharp";
import { Header, Pax } from "tar";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { crc32 } from "../../../interchange/zip/crc32.js";
import { serializeTensors } from "../../../runtime/safetensors.js";
import { createRandom } from "../random.js";

type Files = Promise<readonly Uint8Array[]>;

/** Pixels without a pattern, the same each time. */
function noise(length: number, seed: number): Buffer {
  const random = createRandom(seed);
  return Buffer.from(Uint8Array.from({ length }, () => random(256)));
}

function picture(seed: number, width = 5, height = 4) {
  return sharp(noise(width * height * 3, seed), { raw: { width, height, channels: 3 } });
}

const png = (seed: number) => picture(seed).png().toBuffer();

// Weights

/** Files of torch.save, of both formats: views of all kinds, and a checkpoint. */
export function pytorches(): Files {
  const names = ["views-zip.pt", "views-legacy.pt", "checkpoint-ema.pt"];
  const read = async (name: string) =>
    new Uint8Array(await readFile(join("test", "fixtures", "models", name)));
  return Promise.all(names.map(read));
}

const [LOCAL, ENTRY] = [0x04034b50, 0x02014b50];

/** The checksum of each record of a zip file as it is, where the records can be found. */
export function withRecordSums(bytes: Uint8Array): Uint8Array {
  const repaired = Buffer.from(bytes);
  for (let at = 0; at + 46 < repaired.length; at++) {
    if (repaired.readUInt32LE(at) !== ENTRY) continue;
    const name = repaired.subarray(at + 46, at + 46 + repaired.readUInt16LE(at + 28));
    const local = repaired.indexOf(name) - 30;
    if (local < 0 || repaired.readUInt32LE(local) !== LOCAL) continue;
    const lengths = repaired.readUInt16LE(local + 26) + repaired.readUInt16LE(local + 28);
    const start = local + 30 + lengths;
    const data = repaired.subarray(start, start + repaired.readUInt32LE(at + 24));
    repaired.writeUInt32LE(crc32(data), at + 16);
  }
  return new Uint8Array(repaired);
}

export function weights(): Files {
  const values = (length: number) => Float32Array.from({ length }, (_, index) => index / 8 - 1);
  const own = serializeTensors(
    [
      { name: "conv1.weight", shape: [16, 3, 3, 3], values: values(432) },
      { name: "conv1.bias", shape: [2], values: values(2) },
      { name: "scalar", shape: [], values: values(1) },
      { name: "none", shape: [0, 4], values: values(0) },
    ],
    { classes: '["cat","dog"]', epoch: "3" },
  );
  return Promise.resolve([own, ofAllTypes()]);
}

function ofAllTypes(): Uint8Array {
  let end = 0;
  const entries = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8 };
  const header = Object.entries(entries).map(([dtype, width]) => {
    const offsets = [end, (end += 50 * width)];
    return [dtype.toLowerCase(), { dtype, shape: [5, 10], data_offsets: offsets }] as const;
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, noise(end, 1)]));
}

/** The header's length as it is: up to the last brace before the data. */
export function withHeaderLength(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  const end = /^.{8}\{(?:"[^"]*"|[^"{}]|\{[^{}]*\})*\} */s.exec(text)?.[0].length;
  if (end === undefined) return bytes;
  const repaired = bytes.slice();
  new DataView(repaired.buffer).setBigUint64(0, BigInt(end - 8), true);
  return repaired;
}

// Tar

type Entry = readonly [
  name: string,
  content: Uint8Array | string,
  type?: "Link" | "SymbolicLink" | "Directory",
];

const BLOCK = 512;

function tar(entries: readonly Entry[]): Uint8Array {
  const blocks = entries.flatMap(([path, content, type]) => {
    const isLink = type?.endsWith("Link");
    const bytes = Buffer.from(isLink ? "" : content);
    const long = path.length > 99 ? [new Pax({ path }).encode()] : [];
    const header = new Header({
      path: path.slice(0, 99),
      size: bytes.length,
      type: type ?? "File",
      mode: 0o644,
      linkpath: isLink ? String(content) : undefined,
    });
    header.encode();
    const padding = Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK);
    return [...long, header.block!, bytes, padding];
  });
  return new Uint8Array(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}

export async function tars(): Files {
  const long = `b/${"x".repeat(120)}`;
  const plain: Entry[] = [
    ["a/", "", "Directory"],
    ["a/1.png", await png(1)],
    ["a/1.cls", "3"],
    ["a/2.png", await png(2)],
    ["a/2.json", '{"label": 1}'],
  ];
  const linked: Entry[] = [
    [`${long}.png`, await png(3)],
    [`${long}.cls`, "dog"],
    ["c.jpg", await picture(4).jpeg().toBuffer()],
    ["c.cls", "cat"],
    ["d.jpg", "c.jpg", "SymbolicLink"],
    ["d.cls", "c.cls", "Link"],
  ];
  return [tar(plain), tar(linked)];
}

/** Headers with the sums of their bytes. */
export function withHeaderSums(bytes: Uint8Array): Uint8Array {
  const repaired = Buffer.from(bytes);
  for (let at = 0; at + BLOCK <= repaired.length; at += BLOCK) {
    if (repaired.toString("latin1", at + 257, at + 262) !== "ustar") continue;
    repaired.fill(0x20, at + 148, at + 156);
    const sum = repaired.subarray(at, at + BLOCK).reduce((total, byte) => total + byte, 0);
    repaired.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
  }
  return new Uint8Array(repaired);
}

// Parquet

export async function parquets(): Files {
  const bytes = await Promise.all([1, 2, 3, 4, 5, 6].map(png));
  const grouped = bytes.map((each, index) => ({ bytes: each, path: `${index}.png` }));
  const numbers = bytes.map((_, index) => BigInt(index % 3));
  const names = bytes.map((_, index) => ["cat", "dog"][index % 2]!);
  return [
    parquet(grouped, numbers, { codec: "SNAPPY" }),
    parquet(grouped, numbers, { codec: "UNCOMPRESSED" }),
    parquet(bytes, names, { codec: "UNCOMPRESSED" }),
    parquet(bytes, names, { codec: "SNAPPY" }),
    parquet(bytes, names, { codec: "UNCOMPRESSED", isDictionary: true }),
  ];
}

function parquet(
  images: readonly unknown[],
  labels: readonly unknown[],
  {
    codec,
    isDictionary,
  }: { readonly codec: "SNAPPY" | "UNCOMPRESSED"; readonly isDictionary?: true },
): Uint8Array {
  const optional = { repetition_type: "OPTIONAL" } as const;
  const text = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;
  const isGrouped = !(images[0] instanceof Uint8Array);
  const image = isGrouped
    ? [
        { name: "image", num_children: 2, ...optional },
        { name: "bytes", type: "BYTE_ARRAY", ...optional } as const,
        { name: "path", ...text, ...optional },
      ]
    : [{ name: "image", type: "BYTE_ARRAY", ...optional } as const];
  const isText = typeof labels[0] === "string";
  const labelType = isText ? text : ({ type: "INT64" } as const);
  const label = { name: "label", ...labelType, ...optional };
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "image", data: [...images] },
        { name: "label", data: [...labels], encoding: isDictionary ? "RLE_DICTIONARY" : undefined },
      ],
      schema: [{ name: "root", num_children: 2 }, ...image, label],
      rowGroupSize: 4,
      pageSize: 64,
      codec,
    }),
  );
}

// Tables and arrays

export function csvs(): Files {
  const rows = (label: (row: number) => string) =>
    Array.from({ length: 6 }, (_, row) => [...noise(9, row), label(row)].join(","));
  const header = [..."abcdefghi", "label"].join(",");
  const texts = [
    `${rows((row) => String(row % 3)).join("\n")}\n`,
    `\ufeff${[header, ...rows((row) => `"class ${row % 2}"`)].join("\r\n")}\r\n`,
    rows((row) => `${row % 3}.0`)
      .join("\n")
      .replaceAll(",", ";"),
  ];
  return Promise.resolve([
    ...texts.map((text) => new TextEncoder().encode(text)),
    gzipped(texts[0]!),
  ]);
}

const gzipped = (content: Uint8Array | string) => new Uint8Array(gzipSync(content));

function idx(sizes: readonly number[], values: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  [0x800 + sizes.length, ...sizes].forEach((word, index) => header.writeUInt32BE(word, 4 * index));
  return new Uint8Array(Buffer.concat([header, values]));
}

export function idxs(): Files {
  const plain = idx([5, 3, 4], noise(60, 1));
  return Promise.resolve([plain, gzipped(plain)]);
}

export const idxLabels = (): Uint8Array => idx([5], Uint8Array.of(0, 1, 2, 3, 1));

export function cifar10s(): Files {
  const record = (label: number) => Buffer.concat([Uint8Array.of(label), noise(3072, label)]);
  const plain = new Uint8Array(Buffer.concat([0, 9, 4].map(record)));
  return Promise.resolve([plain, gzipped(plain)]);
}

// Images

export async function images(): Files {
  const large = (seed: number) => picture(seed, 24, 20);
  const files = await Promise.all([
    large(1).jpeg().toBuffer(),
    large(2).jpeg({ progressive: true }).toBuffer(),
    large(3).png().toBuffer(),
    large(4).png({ palette: true }).toBuffer(),
    large(5).toColourspace("rgb16").png().toBuffer(),
    large(6).webp().toBuffer(),
    large(7).webp({ lossless: true }).toBuffer(),
    large(8).gif().toBuffer(),
    large(9).tiff({ compression: "none" }).toBuffer(),
    large(10).tiff({ compression: "lzw" }).toBuffer(),
    large(11).tiff({ compression: "jpeg" }).toBuffer(),
    large(12).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
  ]);
  return files.map((file) => new Uint8Array(file));
}
