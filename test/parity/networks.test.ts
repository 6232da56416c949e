import { describe, expect, test } from "vitest";
import {
  compareWithPyTorch,
  describeWorst,
  describeWrong,
  readExpected,
  readSpec,
  type Expected,
  type ParityOptions,
} from "./harness.js";

const full = process.env.NETC_TEST_FULL === "1";

async function check(name: string, options: ParityOptions): Promise<void> {
  const expected = readExpected<Expected>(name);
  const differences = await compareWithPyTorch(readSpec(name), expected, options);
  console.log(`${name}: ${differences.length} comparisons, worst: ${describeWorst(differences)}`);
  expect(describeWrong(differences)).toBe("");
}

describe.each(["kept", "applied"] as const)(
  "logits, loss, gradients (%s) and trained weights as in PyTorch",
  (gradients) => {
    test.each(["digits", "cifar10-quick"])("%s", (name) => check(name, { gradients }));
    test("cifar10-quick, image by image", () =>
      check("cifar10-quick", { gradients, accumulate: 2 }));
    // Minutes on a software adapter: part of `npm run test:full`.
    test.runIf(full).each(["alexnet", "alexnet-2012"])("%s", { timeout: 600_000 }, (name) =>
      check(name, { gradients }),
    );
  },
);
