/** Small weights: errors of the forms, the format, damaged files, and networks that load them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { chooseForms, type Forms } from "../../cli/choose-forms.js";
import { FORMS, shrink, type Form } from "../../interchange/weights/shrink.js";
import { createNetwork } from "../../runtime/index.js";
import { parseTensors, readShapes, type Tensor } from "../../runtime/safetensors.js";
import { tensorParts } from "../../runtime/tensor-parts.js";
import type { TypedTensor } from "../../runtime/write-tensors.js";

const fileOf = (tensors: readonly TypedTensor[], metadata: Readonly<Record<string, string>>) =>
  new Uint8Array(Buffer.concat(tensorParts(tensors, metadata)));

const small = (tensors: readonly Tensor[], as: Form) => {
  const file = shrink(tensors, { note: "kept" }, () => as);
  return { ...file, bytes: fileOf(file.tensors, file.metadata) };
};

const STEPS: Readonly<Record<Form, number>> = { f32: Infinity, f16: 2 ** 10, u8: 254, u4: 14 };

test("every form is within half a step of the weights, in any shape", () => {
  const shapes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 26, max: 70 }));
  const values = fc.float({ noNaN: true, min: -8, max: 8 });
  const cases = fc.tuple(shapes, fc.array(values, { minLength: 8, maxLength: 90 }), fc.boolean());
  fc.assert(
    fc.property(cases, fc.constantFrom(...FORMS), ([[channels, size], some, shifted], as) => {
      const shape = [channels * 8, size];
      const weight: Tensor = {
        name: "fc.weight",
        shape,
        values: Float32Array.from({ length: channels * 8 * size }, (_, index) => {
          const value = some[(index * 7 + (index >> 3)) % some.length]!;
          return (Math.abs(value) < 1e-3 ? 0 : value) + (shifted ? 20 : 0);
        }),
      };
      const bias: Tensor = { name: "fc.bias", shape: [3], values: Float32Array.of(1, -2, 3e-7) };
      const { bytes, stored } = small([weight, bias], as);
      const { tensors, metadata } = parseTensors(bytes);
      expect(metadata["note"]).toBe("kept");
      expect([...tensors.keys()].sort()).toEqual(["fc.bias", "fc.weight"]);
      expect(tensors.get("fc.bias")).toEqual(bias);
      expect(stored.map((each) => each.as)).toEqual([
        channels * 8 * size < 1024 ? "f32" : as,
        "f32",
      ]);
      const read = (start: number, length: number) => bytes.subarray(start, start + length);
      expect(readShapes(read, bytes.length).get("fc.weight")).toEqual(shape);
      expectNear(weight, tensors.get("fc.weight")!.values, STEPS[stored[0]!.as]);
    }),
    { numRuns: 60 },
  );
});

/** The chosen line has no larger sum of squares than the affine one over the whole range. */
function expectNear({ shape, values }: Tensor, found: Float32Array, steps: number): void {
  const size = shape[1]!;
  for (let row = 0; row < shape[0]!; row++) {
    const own = values.subarray(row * size, (row + 1) * size);
    const [least, most] = [Math.min(...own), Math.max(...own)];
    const largest = Math.max(-least, most);
    const step = steps >= 1024 ? largest / steps : (most - least) / (steps + 1);
    const square = own.reduce((sum, value, i) => sum + (found[row * size + i]! - value) ** 2, 0);
    expect(Math.sqrt(square / size)).toBeLessThanOrEqual(step / 2 + largest * 2 ** -22);
  }
}

const weightOf = (rows: number, size: number): Tensor => ({
  name: "w",
  shape: [rows, size],
  values: Float32Array.from({ length: rows * size }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 5))),
});

test("u4 takes two weights to a byte, each channel from a whole byte", () => {
  const { tensors, stored, bytes } = small([weightOf(40, 27)], "u4");
  expect(tensors.map(({ dtype = "F32", shape }) => [dtype, shape])).toEqual([
    ["F32", [40]],
    ["F32", [40]],
    ["U8", [40, 14]],
  ]);
  expect(stored[0]).toMatchObject({ as: "u4", bytes: 40 * 14 + 40 * 8 });
  expect(parseTensors(bytes).tensors.get("w")!.shape).toEqual([40, 27]);
});

test("symmetric where that is closer, and exact for channels of one number", () => {
  const values = new Float32Array(2048);
  values.fill(0.3, 0, 1024);
  for (let index = 0; index < 1024; index++) values[1024 + index] = ((index % 255) - 127) / 127;
  const { bytes, stored } = small([{ name: "w", shape: [2, 1024], values }], "u8");
  expect(stored[0]!.symmetric).toBe(1);
  const found = parseTensors(bytes).tensors.get("w")!.values;
  expect(Math.max(...found.map((value, index) => Math.abs(value - values[index]!)))).toBeLessThan(
    1e-7,
  );
});

test("numbers that a form cannot hold stay f32, and a taken name is refused", () => {
  const large = { ...weightOf(32, 32), values: new Float32Array(1024).fill(1e5) };
  expect(small([large], "f16").stored[0]).toMatchObject({ as: "f32", kept: /too large/ });
  // At the end of what f32 holds, the symmetric offset is not finite.
  const wide = { ...large, values: large.values.map((_, index) => (index % 2 ? 3.4e38 : -3.4e38)) };
  expect(parseTensors(small([wide], "u4").bytes).tensors.get("w")!.values[1]).toBeCloseTo(
    3.4e38,
    -34,
  );
  const taken = { name: "w.scale", shape: [1], values: Float32Array.of(1) };
  expect(() => small([weightOf(32, 32), taken], "u8")).toThrow("`w.scale` is where the scales");
});

test("hostile and damaged files give errors with a name, and no weights", () => {
  const { tensors, metadata, bytes } = small([weightOf(40, 27)], "u4");
  const [scale, offset, packed] = tensors as [TypedTensor, TypedTensor, TypedTensor];
  const quantization = JSON.parse(metadata["quantization"]!) as {
    version: number;
    tensors: object;
  };
  const said = (text: unknown) => ({ quantization: JSON.stringify(text) });
  const entry = (value: unknown) => said({ version: 1, tensors: { w: value } });
  const cases: readonly (readonly [file: Uint8Array, message: RegExp])[] = [
    [fileOf(tensors, { quantization: "{" }), /`quantization` is not JSON/],
    [
      fileOf(tensors, said({ ...quantization, version: 2 })),
      /have format 2, and this netc reads 1/,
    ],
    [fileOf(tensors, said(null)), /have format undefined/],
    [fileOf(tensors, said({ version: 1 })), /`w`: its metadata do not say what its integers mean/],
    [fileOf(tensors, entry({ as: "u2", shape: [40, 27] })), /`w`: its metadata say `{"as":"u2"/],
    [fileOf(tensors, entry({ as: "u4", shape: [40, -27] })), /not { as, shape }/],
    [
      fileOf(tensors, entry({ as: "u4", shape: [40, 2 ** 40] })),
      /`w` is \[40, 14\], not \[40, 5497/,
    ],
    [fileOf(tensors, entry({ as: "u8", shape: [40, 27] })), /`w` is \[40, 14\], not \[40, 27\]/],
    [fileOf([offset, packed], metadata), /`w.scale` is not in the file/],
    [fileOf([scale, packed], metadata), /`w.offset` is not in the file/],
    [
      fileOf([{ ...scale, shape: [8, 5] }, offset, packed], metadata),
      /`w.scale` is \[8, 5\], not \[40\]/,
    ],
    [
      fileOf(
        [scale, offset, { name: "w", shape: [40, 14], values: new Float32Array(560) }],
        metadata,
      ),
      /`w`: its numbers are not of type U8/,
    ],
    [fileOf(tensors, {}), /tensor `w` has type U8: expected one of F32/],
    [bytes.slice(0, -1), /truncated/],
    [bytes.with(bytes.length - 3, 1 ^ bytes.at(-3)!), /is damaged: its checksum/],
  ];
  for (const [file, message] of cases) {
    expect(() => parseTensors(file)).toThrow(message);
    expect(() => parseTensors(file)).toThrow(expect.objectContaining({ name: "WeightsError" }));
  }
});

test("a network loads small weights as it loads others, and names what does not fit", async () => {
  const text = readFileSync(join(import.meta.dirname, "../../specs/digits.net"), "utf8");
  const { programs } = compile(text, { file: "digits.net" });
  const [network, other] = await Promise.all(
    [1, 2].map((seed) => createNetwork(programs, { seed, batch: 4 })),
  );
  const images = Float32Array.from({ length: 4 * 64 }, (_, index) => Math.sin(index));
  try {
    const { tensors } = parseTensors(await network!.save());
    const file = small([...tensors.values()], "u8");
    const metadata = await other!.load(file.bytes);
    expect(metadata["note"]).toBe("kept");
    await network!.load(fileOf([...parseTensors(file.bytes).tensors.values()], {}));
    expect(await other!.predict(images)).toEqual(await network!.predict(images));
    const renamed = [...tensors.values()].map((each) => ({
      ...each,
      name: each.name.replace("fc1", "fc9"),
    }));
    await expect(other!.load(small(renamed, "u4").bytes)).rejects.toThrow(
      /`classifier.fc1.weight` is not in the file, but the model wants \[64, 192\]/,
    );
    const scales = file.tensors.map((each) =>
      each.name === "classifier.fc1.weight.scale"
        ? { ...each, values: new Float32Array(64).fill(NaN) }
        : each,
    );
    await expect(other!.load(fileOf(scales, file.metadata))).rejects.toThrow(
      /not finite:\n {2}`classifier.fc1.weight` has NaN at index 0/,
    );
  } finally {
    network!.destroy();
    other!.destroy();
  }
});

test("forms are chosen by their cost, with an evaluation a weight and a search", async () => {
  const costs = new Map([
    ["a", 2],
    ["b", 0.1],
    ["c", 0.2],
    ["d", 4],
  ]);
  const weights = new Map([...costs.keys()].map((name) => [name, 1000]));
  let count = 0;
  const measure = (forms: Forms) => {
    count += 1;
    const lost = [...forms].reduce(
      (sum, [name, form]) => sum + (form === "u4" ? costs.get(name)! : 0),
      0,
    );
    return Promise.resolve({ accuracy: 0.9 - lost / 100, loss: lost });
  };
  const options = { weights, original: { accuracy: 0.9, loss: 0 }, measure };
  expect([...(await chooseForms({ ...options, target: 0.5 }))]).toEqual([
    ["a", "u8"],
    ["b", "u4"],
    ["c", "u4"],
    ["d", "u8"],
  ]);
  expect(count).toBe(2 + 4 + 2);
  expect(new Set((await chooseForms({ ...options, target: 7 })).values())).toEqual(new Set(["u4"]));
  const never = () => Promise.resolve({ accuracy: 0, loss: 9 });
  const f32 = await chooseForms({ ...options, measure: never, target: 1 });
  expect(new Set(f32.values())).toEqual(new Set(["f32"]));
});
