import fc from "fast-check";
import { expect, test } from "vitest";
import type { Dataset } from "../../runtime/data/dataset.js";
import { withHoldout } from "../../runtime/data/holdout.js";

interface Scan {
  readonly patient: number;
  readonly label: number;
}

function scans(list: readonly Scan[]): Dataset {
  return {
    name: "scans",
    classes: ["healthy", "ill"],
    length: list.length,
    get: () => Promise.resolve(undefined),
    labelAt: (index) => list[index]!.label,
    nameAt: (index) => `scans/${list[index]!.label}/p${list[index]!.patient}_${index}.png`,
  };
}

const patientsOf = (dataset: Dataset) =>
  new Set(
    Array.from(
      { length: dataset.length },
      (_, index) => /p(\d+)_/.exec(dataset.nameAt!(index))![1],
    ),
  );

test("groups are not divided, and the share is near the one asked for", () => {
  const list = fc.array(fc.record({ patient: fc.nat({ max: 39 }), label: fc.nat({ max: 1 }) }), {
    minLength: 200,
    maxLength: 300,
  });
  fc.assert(
    fc.property(list, (scansOfAll) => {
      const dataset = scans(scansOfAll);
      const of = (takes: "holdout" | "rest") =>
        withHoldout(dataset, { share: 0.25, takes, by: "/p([0-9]+)_" });
      const [held, rest] = [of("holdout"), of("rest")];
      expect(held.length + rest.length).toBe(dataset.length);
      const others = patientsOf(rest);
      for (const patient of patientsOf(held)) expect(others.has(patient)).toBe(false);
      // Within the size of the largest group, for each of two classes.
      const sizes = new Map<number, number>();
      for (const { patient } of scansOfAll) sizes.set(patient, (sizes.get(patient) ?? 0) + 1);
      const largest = Math.max(...sizes.values());
      expect(Math.abs(held.length - dataset.length / 4)).toBeLessThanOrEqual(2 * largest);
    }),
    { numRuns: 40 },
  );
});

test("what has no group is refused by name", () => {
  const dataset = scans([
    { patient: 1, label: 0 },
    { patient: 2, label: 1 },
  ]);
  const hold =
    (by: string, share = 0.5) =>
    () =>
      withHoldout(dataset, { share, takes: "holdout", by });
  expect(hold("subject([0-9]+)")).toThrow(/by="subject\(\[0-9\]\+\)" finds nothing in scans\//);
  expect(hold("(")).toThrow(/by="\(" is not a regular expression/);
  expect(hold("p([0-9]+)", 0)).toThrow(/has no effect without a holdout/);
  const unnamed = { ...dataset, nameAt: undefined };
  const refused = () => withHoldout(unnamed, { share: 0.5, takes: "rest", by: "p" });
  expect(refused).toThrow(/by="p" finds nothing in the examples of scans/);
});
