import { existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readSpec, writeOutput } from "../../cli/files.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "netc-files-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe("readSpec", () => {
  test("reads text as it is", async () => {
    const path = join(folder, "a.net");
    await writeFile(path, "model A {}\n");
    expect(await readSpec(path)).toBe("model A {}\n");
  });

  test("a missing file", async () => {
    await expect(readSpec(join(folder, "none.net"))).rejects.toThrow(/cannot find the spec file/);
  });

  test("a directory", async () => {
    await expect(readSpec(folder)).rejects.toThrow(/is a directory, expected a spec file/);
  });

  test("an empty file", async () => {
    const path = join(folder, "empty.net");
    await writeFile(path, "\n  \n");
    await expect(readSpec(path)).rejects.toThrow(/is empty/);
  });

  test.each([
    ["zeros", Uint8Array.of(0x6d, 0, 0x6f)],
    ["invalid UTF-8", Uint8Array.of(0xff, 0xfe, 0x41)],
  ])("binary garbage: %s", async (_, bytes) => {
    const path = join(folder, "garbage.net");
    await writeFile(path, bytes);
    await expect(readSpec(path)).rejects.toThrow(/is not a text file/);
  });
});

describe("writeOutput", () => {
  test("replaces a file and leaves nothing else behind", async () => {
    const path = join(folder, "out.js");
    await writeOutput(path, "first");
    await writeOutput(path, "second");
    expect(await readFile(path, "utf8")).toBe("second");
    expect(await readdir(folder)).toEqual(["out.js"]);
  });

  test("makes the folders that it needs", async () => {
    const path = join(folder, "a/b/out.js");
    await writeOutput(path, "text");
    expect(await readFile(path, "utf8")).toBe("text");
  });

  test.runIf(existsSync("/proc"))("says where the system makes no folders", async () => {
    const failure = "the system makes no files in /proc";
    await expect(writeOutput("/proc/netc/deeper/out.js", "")).rejects.toThrow(failure);
  });

  test("says when a folder is needed and a file has its name", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(writeOutput(join(folder, "file/out.js"), "text")).rejects.toThrow(
      /a file has this name/,
    );
    expect(await readdir(folder)).toEqual(["file"]);
  });
});
