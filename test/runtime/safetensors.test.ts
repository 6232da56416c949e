import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { murmur3 } from "../../runtime/checksum.js";
import { tensorParts } from "../../runtime/tensor-parts.js";
import { WeightsError } from "../../runtime/errors.js";
import { parseTensors, serializeTensors, type Tensor } from "../../runtime/safetensors.js";

/** A file with this header text and this many bytes of data. */
function fileOf(header: string, dataBytes: number | Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(header);
  const data = typeof dataBytes === "number" ? new Uint8Array(dataBytes) : dataBytes;
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

function entry(dtype: string, shape: number[], begin: number, end: number): string {
  return JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
}

const sample: Tensor[] = [
  { name: "fc.weight", shape: [2, 3], values: new Float32Array([1, 2, 3, 4, 5, 6]) },
  { name: "naïve", shape: [], values: new Float32Array([7]) },
  { name: "empty", shape: [0, 4], values: new Float32Array() },
];

describe("serializeTensors", () => {
  test("writes the layout of the format: length, padded JSON, data", () => {
    const bytes = serializeTensors(sample, { step: "12" });
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerLength % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
    expect(header).toEqual({
      __metadata__: { checksum: expect.stringMatching(/^[0-9a-f]{16}$/), step: "12" },
      "fc.weight": { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
      naïve: { dtype: "F32", shape: [], data_offsets: [24, 28] },
      empty: { dtype: "F32", shape: [0, 4], data_offsets: [28, 28] },
    });
    expect([...new Float32Array(bytes.slice(8 + headerLength).buffer)]).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
  });

  test("keeps a tensor of any name", () => {
    const tensor = { name: "__proto__", shape: [1], values: Float32Array.of(3) };
    const { tensors } = parseTensors(serializeTensors([tensor]));
    expect([...tensors.keys()]).toEqual(["__proto__"]);
  });

  test("is undone by parseTensors, wherever in memory the file lies", () => {
    const name = fc.string({ minLength: 1 }).filter((text) => text !== "__metadata__");
    const tensor = fc.tuple(name, fc.float32Array({ maxLength: 9 }));
    const tensors = fc.uniqueArray(tensor, { selector: ([name]) => name });
    fc.assert(
      fc.property(tensors, fc.nat(7), (pairs, shift) => {
        const written = pairs.map(([name, values]) => ({ name, shape: [values.length], values }));
        const bytes = serializeTensors(written, { note: "x" });
        const moved = new Uint8Array(bytes.length + shift);
        moved.set(bytes, shift);
        const file = parseTensors(moved.subarray(shift));
        expect(file.metadata).toMatchObject({ note: "x" });
        // Names such as "1" come first among JavaScript's keys, so the order is not part of it.
        expect(file.tensors).toEqual(new Map(written.map((tensor) => [tensor.name, tensor])));
      }),
    );
  });
});

describe("parseTensors", () => {
  test("reads PyTorch's counters", () => {
    const counts = new Uint8Array(new BigInt64Array([7n, -2n]).buffer);
    const { tensors } = parseTensors(fileOf(`{"n":${entry("I64", [2], 0, 16)}}`, counts));
    expect([...tensors.get("n")!.values]).toEqual([7, -2]);
  });

  test("reads PyTorch's other float types", () => {
    const halves = new Uint16Array([0x3c00, 0xc500, 0x0001, 0x7c00]);
    const brains = new Uint16Array([0x3f80, 0xc0a0]);
    const doubles = new Float64Array([0.1, -3]);
    const data = new Uint8Array(8 + 4 + 16);
    data.set(new Uint8Array(halves.buffer), 0);
    data.set(new Uint8Array(brains.buffer), 8);
    data.set(new Uint8Array(doubles.buffer), 12);
    const entries = [
      `"h":${entry("F16", [4], 0, 8)}`,
      `"b":${entry("BF16", [2], 8, 12)}`,
      `"d":${entry("F64", [2], 12, 28)}`,
    ];
    const header = `{${entries.join()}}`;
    const { tensors } = parseTensors(fileOf(header, data));
    expect([...tensors.get("h")!.values]).toEqual([1, -5, 2 ** -24, Infinity]);
    expect([...tensors.get("b")!.values]).toEqual([1, -5]);
    expect([...tensors.get("d")!.values]).toEqual([Math.fround(0.1), -3]);
  });

  test("refuses a file with a flipped bit in a tensor or in its metadata", () => {
    const bytes = serializeTensors(sample, { step: "12" });
    const text = new TextDecoder().decode(bytes);
    const step = text.indexOf("12");
    for (const place of [step, step + 1, bytes.length - 1, bytes.length - 4]) {
      const damaged = bytes.slice();
      damaged[place]! ^= 1;
      expect(() => parseTensors(damaged), `byte ${place}`).toThrow(/is damaged: its checksum/);
    }
    // The bytes of a Buffer are read as they are, and stay as they were.
    const buffer = Buffer.from(bytes);
    parseTensors(buffer);
    expect(buffer.equals(bytes)).toBe(true);
  });

  test("takes what another program wrote with the same metadata as it is", () => {
    const metadata = `"__metadata__":{"checksum":"${"0".repeat(16)}"}`;
    const header = `{"a":${entry("F32", [1], 0, 4)},${metadata}}`;
    expect(parseTensors(fileOf(header, 4)).tensors.size).toBe(1);
  });

  test("the checksum is MurmurHash3's, whose values are known", () => {
    const hash = (text: string) => murmur3(new TextEncoder().encode(text));
    expect(hash("")).toBe(0);
    expect(hash("test")).toBe(0xba6bd213);
    expect(hash("Hello, world!")).toBe(0xc0363e43);
    expect(hash("The quick brown fox jumps over the lazy dog")).toBe(0x2e4ff723);
  });

  test("parts of a file are the file when they are joined", () => {
    const metadata = { format: "pt" };
    const parts = tensorParts(sample, metadata);
    expect(parts).toHaveLength(1 + sample.length);
    expect(Buffer.concat(parts).equals(serializeTensors(sample, metadata))).toBe(true);
  });

  test("refuses a file cut off anywhere", () => {
    const bytes = serializeTensors(sample);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseTensors(bytes.subarray(0, length)), `${length} bytes`).toThrow(
        WeightsError,
      );
    }
  });

  test.each([
    ["an empty file", new Uint8Array(), "it has 0 bytes"],
    ["a PNG", new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0]), "does not start"],
    ["a header that is not JSON", fileOf("{nonsense", 0), "its header is not valid JSON"],
    ["an entry without offsets", fileOf('{"a":{"dtype":"F32"}}', 0), "entry for `a`"],
    ["a negative size", fileOf(`{"a":${entry("F32", [-1], 0, 4)}}`, 4), "entry for `a`"],
    ["integers", fileOf(`{"a":${entry("I32", [1], 0, 4)}}`, 4), "has type I32"],
    ["a shape that does not fit", fileOf(`{"a":${entry("F32", [2], 0, 4)}}`, 4), "takes 8 bytes"],
    ["data that ends early", fileOf(`{"a":${entry("F32", [2], 0, 8)}}`, 4), "is truncated"],
    ["bytes that follow", fileOf(`{"a":${entry("F32", [1], 0, 4)}}`, 8), "4 bytes follow"],
    [
      "tensors that overlap",
      fileOf(`{"a":${entry("F32", [1], 0, 4)},"b":${entry("F32", [1], 0, 4)}}`, 4),
      "overlap",
    ],
    ["metadata of numbers", fileOf('{"__metadata__":{"a":1}}', 0), "its metadata"],
  ])("refuses %s and says why", (_what, bytes, reason) => {
    expect(() => parseTensors(bytes)).toThrow(WeightsError);
    expect(() => parseTensors(bytes)).toThrow(reason);
  });
});
