import { expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";

const check = (line: string) => {
  const lines = ["input image: f32[N, 4, 8, 8]", "relu as x", line, "flatten -> linear(10)"];
  return analyze(`model Net {\n  ${lines.join("\n  ")}\n}\n`, "net.net");
};

/** Lines that leave what is around them as it is. */
const IS_READ = /^(?:let \w+,|relu as|relu ->|for|input|parameter)/;

test.each([
  ["x * 0.5", "NET0001", "`let y = 0.5 * x`"],
  ["relu -> x * sigmoid(x)", "NET0001", "`let y = 0.5 * x`"],
  ["x / 2 + 1 -> relu", "NET0001", "`let y = 0.5 * x`"],
  ["let a = x if x > 1 else 0", "NET0008", "`where`"],
  ["let a = x > 1 ? x : 0", "NET0006", "`where(condition, x, y)`"],
  ["share tower = conv(8, kernel=1)", "NET0008", "`share tower {"],
  ["share tower = conv(8, kernel=1)\n  from x -> tower", "NET0008", "`share tower {"],
  ["share relu as tower\n  from x -> tower", "NET0008", "`share relu {"],
  ["let a, b = chunk(x, 2)", "NET0001", "slice(channels, 0, 8)"],
  ["let q, k, v = split(x, 2, dim=1)", "NET0001", "`split { branch { } branch { } }`"],
  ["relu as a, b", "NET0001", "slice(channels, 0, 8)"],
  ["let y = conv(4, kernel=1) -> relu", "NET0010", "-> relu as y`"],
  ["y = x * 2", "NET0001", "`let y = 0.5 * x`"],
  ["relu -> * 0.5 -> relu", "NET0001", "`let y = 0.5 * x`"],
  ["relu -> lambda v: v * 0.5", "NET0008", "`fn double(x) = 2 * x`"],
  ["relu -> repeat 2 { relu }", "NET0001", "`repeat` begins a line"],
  ["relu -> for i in 0..2 { relu }", "NET0001", "`for` begins a line"],
  ["for w, s in [(4, 1)] { conv(w, kernel=s) }", "NET0001", "`for (width, stride) in"],
  ["for i in range(3): relu", "NET0001", "`for i in 0..3 { relu }`"],
  ["while true { relu }", "NET0001", "`for i in 0..3 { ... }`"],
  ["input left, right: f32[N, 4]", "NET0001", "each input has a line"],
  ["output x: f32[N, 4, 8, 8]", "NET0008", "its shape is known"],
  ["parameter p: f32[4, 8, 8] = normal(0.02)", "NET0001", "`init normal(0.02)`"],
  ["loss nn.MSELoss()(x, image)", "NET0001", "`cross_entropy(logits, label)`"],
  ["fn swish(v) = v * sigmoid(v)\n  swish", "NET0011", "fn swish(x, beta: float = 1)"],
])("%s is one mistake, which names what to write", (line, code, note) => {
  const { diagnostics, models } = check(line);
  expect(diagnostics.map((each) => each.code)).toEqual([code]);
  expect(diagnostics[0]!.notes.join()).toContain(note);
  // What the line would have made is unknown.
  if (!IS_READ.test(line)) expect(models[0]?.graph).toBeUndefined();
});

test.each([
  ["fn swish(v) { return v * sigmoid(v) }", "NET0001", "`fn swish(x) = x * sigmoid(x)`"],
  ["def swish(v): return v * sigmoid(v)", "NET0013", "`fn swish(x) = x * sigmoid(x)`"],
])("what uses %s is not a second mistake", (declaration, code, note) => {
  const model = "model Net {\n  input image: f32[N, 4]\n  swish -> linear(3) as y\n}";
  const { diagnostics } = analyze(`${declaration}\n${model}\n`, "net.net");
  expect(diagnostics.map((each) => each.code)).toEqual([code]);
  expect(diagnostics[0]!.notes.join()).toContain(note);
});

test.each([
  ["train Base of Net, Other {", "", "NET0001", "a recipe trains one model"],
  ["data Here for Net {\n  train = ", "", "NET0001", '`train folder("DIR") { ... }`'],
  ['data Here for Net {\n  train folder("d") {\n    [hflip]', "}", "NET0001", "-> hflip`"],
])("%s names what to write", (before, after, code, note) => {
  const model = "model Net {\n  input image: f32[N, 4]\n  linear(3)\n}";
  const { diagnostics } = analyze(`${model}\n${before}\n}${after}\n`, "net.net");
  const found = diagnostics.filter((each) => each.code === code);
  expect(found.map(({ notes }) => notes.join()).join()).toContain(note);
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
