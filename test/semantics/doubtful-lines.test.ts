import { expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";

const check = (line: string) => {
  const lines = ["input image: f32[N, 4, 8, 8]", "relu as x", line, "flatten -> linear(10)"];
  return analyze(`model Net {\n  ${lines.join("\n  ")}\n}\n`, "net.net");
};

test.each([
  ["x * 0.5", "NET0001", "`let y = 0.5 * x`"],
  ["relu -> x * sigmoid(x)", "NET0001", "`let y = 0.5 * x`"],
  ["x / 2 + 1 -> relu", "NET0001", "`let y = 0.5 * x`"],
  ["let a = x if x > 1 else 0", "NET0008", "`where`"],
  ["let a = x > 1 ? x : 0", "NET0006", "`where(condition, x, y)`"],
  ["share tower = conv(8, kernel=1)", "NET0008", "`share tower {"],
])("%s is one mistake, which names what to write", (line, code, note) => {
  const { diagnostics, models } = check(line);
  expect(diagnostics.map((each) => each.code)).toEqual([code]);
  expect(diagnostics[0]!.notes.join()).toContain(note);
  expect(models[0]?.graph).toBeUndefined();
});

test("an unknown layer on another line is still reported", () => {
  expect(check("x * 0.5\n  rleu").diagnostics.map(({ code }) => code)).toEqual([
    "NET0001",
    "NET1001",
  ]);
});

test("known layers on a line with a syntax error are still checked", () => {
  const { diagnostics } = check("conv(8, kernel_size=3) -> x * 0.5");
  expect(diagnostics.map(({ code }) => code)).toEqual(["NET0001", "NET1002"]);
});
