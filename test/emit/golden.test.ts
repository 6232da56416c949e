import { expect, test } from "vitest";
import {
  compileGolden,
  describeChanges,
  readGolden,
  writeGolden,
  type Golden,
} from "./golden-kernels.js";

/** NETC_UPDATE_GOLDEN=1 writes the kernels anew: read the difference before committing it. */
const update = process.env["NETC_UPDATE_GOLDEN"] === "1";

test("the WGSL of all specs is what it was", () => {
  const compiled = compileGolden();
  if (update) writeGolden(compiled);
  const changes = describeChanges(readGolden(), compiled);
  const advice =
    "NETC_UPDATE_GOLDEN=1 npx vitest run test/emit/golden.test.ts writes the files anew";
  expect(changes, `${changes}\nIf this is as it should be: ${advice}`).toBe("");
});

const goldenOf = (text: string): Golden => ({
  files: new Map([["add.wgsl", text]]),
  index: { "small.net": { gpu: ["add.wgsl"] } },
});

test("a change is told by kernel, spec and line", () => {
  const before = goldenOf("fn main() {\n  let sum = a + b;\n  store(sum);\n}\n");
  const after = goldenOf(
    "fn main() {\n  let sum = b + a;\n  let twice = 2 * sum;\n  store(sum);\n}\n",
  );
  expect(describeChanges(before, before)).toBe("");
  expect(describeChanges(before, after)).toBe(
    [
      "add.wgsl: changed, used by small.net (gpu)",
      "  line 2",
      "  -   let sum = a + b;",
      "  +   let sum = b + a;",
      "  +   let twice = 2 * sum;",
    ].join("\n"),
  );
});

test("kernels that are new or gone are named", () => {
  const empty: Golden = { files: new Map(), index: {} };
  const one = goldenOf("fn main() {}\n");
  const other = "small.net: uses other kernels, or in another order";
  expect(describeChanges(empty, one)).toBe(`add.wgsl: new, used by small.net (gpu)\n${other}`);
  expect(describeChanges(one, empty)).toBe(`add.wgsl: gone, used by small.net (gpu)\n${other}`);
});
