/**
 * Files of torch.save: what PyTorch 1.13 wrote reads as it was, and what none may do is refused.
 */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { crc32 } from "../../interchange/zip/crc32.js";
import { openPyTorch, sourceOf, type ByteSource } from "../../interchange/pytorch/index.js";
import { WeightsError } from "../../runtime/errors.js";
import {
  archiveOf,
  bytesOf,
  dictionary,
  global,
  integer,
  legacyOf,
  storage,
  tensor,
  text,
  tuple,
  zipOf,
} from "./pytorch-files.js";

const models = new URL("../fixtures/models/", import.meta.url);
const fileOf = (name: string) => readFile(new URL(name, models));

const open = (bytes: Uint8Array, key?: string) => openPyTorch(sourceOf(bytes), key);

/** All tensors' numbers. */
function readAll(bytes: Uint8Array, key?: string): ReadonlyMap<string, Float32Array> {
  const file = open(bytes, key);
  return file.read(file.tensors.map(({ name }) => name));
}

const floats = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** Of exported-program.pt2, as PyTorch 2.13 prints it. */
const FC_BIAS = [0.19621413946151733, 0.029950082302093506];

describe("what PyTorch wrote", () => {
  test.each(["views-zip.pt", "views-legacy.pt"])(
    "views, shared storages and all types read as PyTorch has them: %s",
    async (name) => {
      const expected = JSON.parse((await fileOf("views.json")).toString()) as Record<string, []>;
      const found = readAll(await fileOf(name));
      expect([...found.keys()]).toEqual(Object.keys(expected));
      for (const [key, values] of Object.entries(expected)) {
        expect([...found.get(key)!], key).toEqual(values.map(Math.fround));
      }
    },
  );

  test("shapes and types are known without the numbers", async () => {
    const { tensors } = open(await fileOf("views-zip.pt"));
    expect(tensors.find(({ name }) => name === "b.weight")).toEqual({
      name: "b.weight",
      shape: [4, 2, 3],
      type: "float32",
    });
    expect(tensors.find(({ name }) => name === "c.brain")!.type).toBe("bfloat16");
  });

  test("weights are found in a checkpoint, and averages by their name", async () => {
    const bytes = await fileOf("checkpoint-ema.pt");
    const { path, others, tensors } = open(bytes);
    expect([path, others]).toEqual(["model", ["model_ema"]]);
    expect(tensors.map(({ name }) => name)).toEqual(["0.weight", "0.bias"]);
    expect(readAll(bytes, "model_ema").get("0.weight")!.map(Math.abs)).toEqual(new Float32Array(4));
    expect(() => open(bytes, "model_emma")).toThrow(
      "has no weights `model_emma`, but `model` (2 tensors), `model_ema` (2 tensors)",
    );
  });

  test("a module saved whole is refused by its class", async () => {
    const bytes = await fileOf("whole-module.pt");
    expect(() => open(bytes)).toThrow("wants `torch.nn.modules.container.Sequential`");
    expect(() => open(bytes)).toThrow("`torch.save(model.state_dict(), NEW_FILE)`");
  });

  test("of a TorchScript archive the weights are read by name, and its code is not", async () => {
    const bytes = await fileOf("torchscript.pt");
    const { path, tensors } = open(bytes);
    expect(path).toBe("");
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ["0.weight", [2, 2]],
      ["0.bias", [2]],
    ]);
    const values = readAll(bytes);
    expect([...values.get("0.weight")!].every((value) => Math.abs(value) < 1)).toBe(true);
    // Elsewhere the names of its classes are refused like any other.
    const wanting = archiveOf(bytesOf(global("__torch__.torch.nn", "Linear"), ")", 0x81));
    expect(() => open(wanting)).toThrow("this file wants `__torch__.torch.nn.Linear`");
  });

  test("of an archive of torch.export the weights are read, and its program is not", async () => {
    const bytes = await fileOf("exported-program.pt2");
    const { path, tensors } = open(bytes);
    expect(path).toBe("");
    expect(tensors.map(({ name, shape }) => `${name} ${String(shape)}`)).toEqual([
      "features.0.weight 4,3,3,3",
      "features.0.bias 4",
      "features.1.weight 4",
      "features.1.bias 4",
      "fc.weight 2,4",
      "fc.bias 2",
      "features.1.running_mean 4",
      "features.1.running_var 4",
      "features.1.num_batches_tracked ",
    ]);
    const values = readAll(bytes);
    expect([...values.get("fc.bias")!]).toEqual(FC_BIAS);
    expect(values.get("features.1.running_var")).toEqual(new Float32Array(4).fill(1));
  });

  test("of an older one, which has a file of torch.save in it", () => {
    const saved = archiveOf(floatsInFile, { 0: floats(1, 2, 3, 4) });
    const bytes = zipOf([
      { name: "serialized_exported_program.json", bytes: bytesOf("{}") },
      { name: "serialized_state_dict.pt", bytes: saved },
    ]);
    expect([...readAll(bytes)]).toEqual([["w", Float32Array.of(1, 2, 3, 4)]]);
  });

  test.each([
    ["sizes beyond the record", { sizes: [9], strides: [1] }, "larger than its record"],
    ["strides beyond it", { sizes: [2], strides: [4] }, "larger than its record"],
    ["negative sizes", { sizes: [-1], strides: [1] }, "the sizes of `w`"],
    ["unknown types", { dtype: 99 }, "the type 99"],
    ["a missing record", { path_name: "other" }, "no record `other`"],
    ["a pickle", { use_pickle: true }, "a tensor of another class"],
  ])("of torch.export: %s are refused", (_, change, message) => {
    const right = { sizes: [4], strides: [1], dtype: 7, path_name: "weight_0", use_pickle: false };
    const { sizes, strides, dtype, path_name, use_pickle } = { ...right, ...change };
    const numbers = (list: readonly number[]) => list.map((size) => ({ as_int: size }));
    const tensor_meta = {
      dtype,
      sizes: numbers(sizes),
      strides: numbers(strides),
      storage_offset: { as_int: 0 },
    };
    const config = { config: { w: { path_name, use_pickle, tensor_meta } } };
    const bytes = zipOf([
      { name: "m/data/weights/weight_0", bytes: floats(1, 2, 3, 4) },
      {
        name: "m/data/weights/model_weights_config.json",
        bytes: bytesOf(JSON.stringify(config)),
      },
    ]);
    expect(() => open(bytes)).toThrow(message);
  });

  test("an archive of torch.export without weights is refused with what to save", () => {
    const name = "serialized_exported_program.json";
    expect(() => open(zipOf([{ name, bytes: bytesOf("{}") }]))).toThrow(
      "an archive of torch.export without its weights: " +
        "save these with `torch.save(program.state_dict",
    );
  });
});

const floatsInFile = dictionary(tensor(storage("0", 4), [2, 2], [2, 1]));

describe.each([
  ["archives", archiveOf],
  ["files from before 1.6", legacyOf],
] as const)("%s", (_, fileAround) => {
  test("hold a dictionary of tensors", () => {
    const found = readAll(fileAround(floatsInFile, { 0: floats(1, 2, 3, 4) }));
    expect([...found]).toEqual([["w", Float32Array.of(1, 2, 3, 4)]]);
  });

  test("may have tensors transposed, and shifted", () => {
    const value = tensor(storage("0", 7), [3, 2], [1, 3], 1);
    const found = readAll(fileAround(dictionary(value), { 0: floats(9, 1, 2, 3, 4, 5, 6) }));
    expect([...found.get("w")!]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  const system = (body: Uint8Array) => bytesOf(body, tuple(text("echo harm")), "R");
  test.each([
    ["os.system by GLOBAL", system(global("os", "system")), "wants `os.system`"],
    ["posix.system", system(global("posix", "system")), "wants `posix.system`"],
    ["eval by GLOBAL", system(global("builtins", "eval")), "wants `builtins.eval`"],
    ["eval of Python 2", system(global("__builtin__", "eval")), "wants `__builtin__.eval`"],
    [
      "os.system by STACK_GLOBAL",
      system(bytesOf(text("os"), text("system"), 0x93)),
      "wants `os.system`",
    ],
    [
      "os.system by the dots of a name",
      system(bytesOf(text("torch._utils"), text("os.system"), 0x93)),
      "wants `torch._utils.os.system`",
    ],
    ["a class by INST", bytesOf("(", text("ls"), "ios\nsystem\n"), "make an object of a class"],
    ["a class by OBJ", bytesOf("(", "N", text("ls"), "o"), "make an object of a class"],
    ["a class by NEWOBJ_EX", bytesOf("N", ")", "}", 0x92), "make an object of a class"],
    ["an extension", bytesOf(0x82, 1), "use an extension"],
    ["a reference by text", bytesOf("Pstorage\n"), "refer to something by a text"],
    [
      "a call of what is not a function",
      bytesOf(text("os.system"), tuple(text("ls")), "R"),
      "a call of no function",
    ],
    [
      "a call of a type that makes nothing",
      bytesOf(global("torch", "FloatStorage"), tuple(), "R"),
      "a call of `torch.FloatStorage`",
    ],
    [
      "a function in _rebuild_from_type_v2",
      bytesOf(
        global("torch._tensor", "_rebuild_from_type_v2"),
        ...["(", text("eval"), "N", tuple(text("1")), "N", "t", "R"],
      ),
      "a tensor made of a string",
    ],
    ["a state for a name", bytesOf(global("torch", "Tensor"), "}", "b"), "a state of no object"],
    ["marks within marks", bytesOf("(".repeat(5000)), "nested more than 1000 deep"],
    ["half a million values", bytesOf("N".repeat(500_000)), "more than 400,000 values"],
    ["a missing value", bytesOf("h", 7), "no value of number 7"],
    ["a text beyond the file", bytesOf("X", 0xff, 0xff, 0xff, 0x7f, "abc"), "are left"],
    [
      "bytes of 2^63",
      bytesOf(0x8e, "\xff".repeat(0), 255, 255, 255, 255, 255, 255, 255, 127),
      "are",
    ],
    ["an integer of 4 GB", bytesOf(0x8b, 255, 255, 255, 255), "an integer of 4294967295 bytes"],
    ["a list as a key", bytesOf("}", "]", "N", "s"), "a key of a dictionary"],
    ["an unknown operation", bytesOf(0xff), "an unknown operation, 255"],
    ["nothing", bytesOf(), "a value missing"],
    ["a list", bytesOf("]"), "holds no dictionary: weights are a dictionary of tensors"],
    ["a number", dictionary(integer(3)), "holds no tensors, but w"],
    [
      "a sparse tensor",
      bytesOf(global("torch._utils", "_rebuild_sparse_tensor"), ")", "R"),
      "a sparse tensor: only dense ones are read",
    ],
  ])("that want %s are refused", (__, pickle, reason) => {
    const attempt = () => open(fileAround(pickle));
    expect(attempt).toThrow(WeightsError);
    expect(attempt).toThrow(reason);
  });

  test.each([
    ["a shape beyond its storage", tensor(storage("0", 4), [3, 2], [2, 1]), "reaches number 5"],
    [
      "a shape of 2^62 numbers",
      tensor(storage("0", 4), [2 ** 31 - 1, 2 ** 31 - 1], [0, 0]),
      "shape",
    ],
    ["a negative stride", tensor(storage("0", 4), [2], [-1]), "not a whole number"],
    ["an offset behind its storage", tensor(storage("0", 4), [1], [1], 4), "reaches number 4"],
    ["a storage larger than the file", tensor(storage("0", 2 ** 30), [2 ** 30], [1]), "file"],
    [
      "a missing storage",
      tensor(storage("1", 4), [4], [1]),
      /storage `1`|a storage that no tensor uses/,
    ],
  ])("that have %s are refused before memory is taken", (__, value, reason) => {
    const attempt = () => readAll(fileAround(dictionary(value), { 0: floats(1, 2, 3, 4) }));
    expect(attempt).toThrow(WeightsError);
    expect(attempt).toThrow(reason);
  });

  test("that repeat a number a billion times are refused before memory is taken", () => {
    const value = tensor(storage("0", 4), [1_000_000_000], [0]);
    expect(() => readAll(fileAround(dictionary(value), { 0: floats(1, 2, 3, 4) }))).toThrow(
      "they repeat its numbers",
    );
  });

  test("that double a tuple forty times take no time", () => {
    // Each is twice the one before: 2^40 elements for whoever walks through them.
    const doubled = Array.from({ length: 40 }, (__, index) =>
      bytesOf("q", index, "0", "h", index, "h", index, 0x86),
    );
    const pickle = bytesOf("}", text("w"), tensor(storage("0", 1), [1], [1]), "s", "q", 99);
    const bomb = bytesOf(pickle, ")", ...doubled, "0");
    expect([...readAll(fileAround(bomb, { 0: floats(5) })).get("w")!]).toEqual([5]);
  });

  test("that hold themselves are read", () => {
    const pickle = bytesOf("}", "q", 0, text("self"), "h", 0, "s", text("w"));
    const value = tensor(storage("0", 1), [1], [1]);
    const file = fileAround(bytesOf(pickle, value, "s"), { 0: floats(5) });
    expect(() => open(file)).not.toThrow();
  });
});

test("a storage with other bytes than were written is damage", () => {
  const file = archiveOf(floatsInFile, { 0: floats(1, 2, 3, 4) });
  const place = Buffer.from(file).indexOf(Buffer.from(floats(1, 2, 3, 4)));
  file[place]! ^= 1;
  expect(() => readAll(file)).toThrow(/damaged: the checksum of `archive\/data\/0` is/);
});

test("archives that torch.save did not write are named", () => {
  const other = zipOf([{ name: "xl/workbook.xml", bytes: bytesOf("<x/>") }]);
  expect(() => open(other)).toThrow("a zip file, but not one that torch.save wrote");
  const pickle = bytesOf(0x80, 2, "}", ".");
  expect(() => open(pickle)).toThrow("a pickle of Python, but not one that torch.save wrote");
});

test("each storage is read once, and no storage that was not requested", () => {
  const two = bytesOf(
    ...["}", text("a"), tensor(storage("0", 2), [2], [1]), "s"],
    ...[text("b"), tensor(storage("0", 2), [1], [1], 1), "s"],
    ...[text("c"), tensor(storage("1", 2), [2], [1]), "s"],
  );
  const file = archiveOf(two, { 0: floats(1, 2), 1: floats(3, 4) });
  const places = [1, 3].map((first) => Buffer.from(file).indexOf(Buffer.from(floats(first))));
  const reads: number[] = [];
  const source: ByteSource = {
    ...sourceOf(file),
    readInto(target, start) {
      for (const [index, place] of places.entries()) {
        if (start <= place && place < start + target.length && target.length < 100) {
          reads.push(index);
        }
      }
      sourceOf(file).readInto(target, start);
    },
  };
  const opened = openPyTorch(source);
  reads.length = 0;
  const values = opened.read(["a", "b"]);
  expect([...values].map(([name, numbers]) => [name, ...numbers])).toEqual([
    ["a", 1, 2],
    ["b", 2],
  ]);
  expect(reads).toEqual([0]);
});

test("the checksum is that of zip", () => {
  expect(crc32(bytesOf("123456789")).toString(16)).toBe("cbf43926");
  expect(crc32(bytesOf("")).toString(16)).toBe("0");
  expect(crc32(bytesOf("The quick brown fox jumps over the lazy dog"))).toBe(0x414fa339);
});
