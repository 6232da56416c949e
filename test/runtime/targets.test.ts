import { expect, test } from "vitest";
import { chooseProgram, isSameAdapter } from "../../runtime/targets.js";
import type { AdapterSummary } from "../../runtime/device.js";
import { PROGRAM_FORMAT, type Program, type ProgramAdapter } from "../../program/program.js";

const card: ProgramAdapter = { name: "RTX 4090", vendor: "nvidia", architecture: "lovelace" };

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

test("a program measured on the adapter goes before the one for its target; others' never run", () => {
  const [auto, tuned] = [program("gpu"), program("gpu", card)];
  expect(chooseProgram([auto, tuned], summary(card))).toBe(tuned);
  expect(chooseProgram([tuned, auto], summary({ ...card, name: "RTX 4060" }))).toBe(auto);
  expect(() => chooseProgram([tuned], summary({ ...card, vendor: "amd" }))).toThrow("RTX 4090");
});

test("a measured program that the adapter's subgroups cannot run is left alone", () => {
  const [auto, tuned] = [program("lanes4"), program("lanes8", card)];
  expect(chooseProgram([tuned, auto], summary(card, "lanes4"))).toBe(auto);
});

test("browsers hide names: there vendor and architecture count", () => {
  expect(isSameAdapter(card, { ...card, name: "nvidia lovelace" })).toBe(true);
  expect(isSameAdapter(card, { ...card, name: "nvidia lovelace", architecture: "ampere" })).toBe(
    false,
  );
});
