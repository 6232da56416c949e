import { describe, expect, test } from "vitest";
import {
  compareWithPyTorch,
  describeWorst,
  describeWrong,
  readExpected,
  readSpec,
  type Expected,
} from "./harness.js";

const full = process.env.NETC_TEST_FULL === "1";

async function check(name: string): Promise<void> {
  const differences = await compareWithPyTorch(readSpec(name), readExpected<Expected>(name));
  console.log(`${name}: ${differences.length} comparisons, worst: ${describeWorst(differences)}`);
  expect(describeWrong(differences)).toBe("");
}

describe("logits, loss, gradients and trained weights as in PyTorch", () => {
  test.each(["digits", "cifar10-quick"])("%s", check);
  // Minutes on a software adapter: part of `npm run test:full`.
  test.runIf(full).each(["alexnet", "alexnet-2012"])("%s", { timeout: 600_000 }, check);
});
