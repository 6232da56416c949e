import { expect, test } from "vitest";
import { chooseProgram, isSameAdapter } from "../../runtime/targets.js";
import type { AdapterSummary } from "../../runtime/device.js";
import { PROGRAM_FORMAT, type Program, type ProgramAdapter } from "../../program/program.js";

const CARD: ProgramAdapter = { name: "RTX 4090", vendor: "nvidia", architecture: "lovelace" };

const summary = (
  own: ProgramAdapter,
  target: AdapterSummary["target"] = "gpu",
): AdapterSummary => ({
  ...own,
  description: "",
  software: target !== "gpu",
  subgroupSizes: [8, 8],
  half: false,
  target,
});

const program = (target: Program["target"], adapter?: ProgramAdapter) =>
  ({ format: PROGRAM_FORMAT, target, adapter }) as Program;

test("a program measured on the adapter precedes its target's; others never run", () => {
  const [auto, tuned] = [program("gpu"), program("gpu", CARD)];
  expect(chooseProgram([auto, tuned], summary(CARD))).toBe(tuned);
  expect(chooseProgram([tuned, auto], summary({ ...CARD, name: "RTX 4060" }))).toBe(auto);
  expect(() => chooseProgram([tuned], summary({ ...CARD, vendor: "amd" }))).toThrow("RTX 4090");
});

test("a measured program that the adapter's subgroups cannot run is left alone", () => {
  const [auto, tuned] = [program("lanes4"), program("lanes8", CARD)];
  expect(chooseProgram([tuned, auto], summary(CARD, "lanes4"))).toBe(auto);
});

test("browsers hide names: there vendor and architecture count", () => {
  expect(isSameAdapter(CARD, { ...CARD, name: "nvidia lovelace" })).toBe(true);
  expect(isSameAdapter(CARD, { ...CARD, name: "nvidia lovelace", architecture: "ampere" })).toBe(
    false,
  );
});
