import { describe, expect, test } from "vitest";
import { netc } from "./netc.js";

const COMMANDS = [
  "compile",
  "check",
  "explain",
  "fmt",
  "lsp",
  "summary",
  "graph",
  "train",
  "eval",
  "predict",
  "compare",
  "doctor",
] as const;

describe("help", () => {
  test("netc --help lists every command", async () => {
    const { code, stdout } = await netc(["--help"]);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  test.concurrent.each(COMMANDS)("%s --help has an example", async (command) => {
    const { code, stdout, stderr } = await netc([command, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`$ netc ${command}`);
  });

  test("netc --version", async () => {
    const { code, stdout } = await netc(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe("wrong usage ends with 2 and says what was meant", () => {
  test.concurrent.each([
    [["trian", "x.net"], /unknown command 'trian'\n\(Did you mean train\?\)/],
    [["train", "x.net", "--epoch", "3"], /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
    [["train", "x.net", "--epochs", "0"], /whole number of at least 1/],
    [["train", "x.net", "--epochs", "1", "--steps", "1"], /cannot be used with/],
    [["train", "x.net", "--lr", "fast"], /number greater than 0/],
    [["train", "x.net", "--seed", "-1"], /0 to 4294967295/],
    [["compile"], /missing required argument 'spec'/],
    [
      ["compile", "x.net", "--target", "tpu"],
      /Expected auto, gpu, software, or a file NAME\.tune\.json/,
    ],
    [["check", "x.net", "--format", "xml"], /Allowed choices are text, json/],
    [["eval", "x.net"], /required option '--weights <file>' not specified/],
    [["explain", "NET2999"], /there is no diagnostic NET2999/],
  ])("netc %j", async (args, message) => {
    const { code, stdout, stderr } = await netc(args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  test("netc alone shows the help", async () => {
    const { code, stderr } = await netc([]);
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: netc");
  });
});
