import fc from "fast-check";
import { expect, test } from "vitest";
import type { Kernel } from "../../compiler/kernels/kernel.js";
import type { StepDraft, Storage } from "../../compiler/lower/storage.js";
import { planMemory } from "../../compiler/passes/memory.js";
import { nowhere } from "./chain.js";

const kernel: Kernel = { name: "none", wgsl: "", storage: [], constants: [] };

const step = (storage: readonly Storage[]): StepDraft => ({
  kernel,
  storage,
  constants: {},
  workgroups: { x: { fixed: 1, perImage: 0, tile: 1 }, z: 1 },
  label: "step",
  origin: nowhere("step"),
  macs: 0,
});

interface Life {
  readonly storage: Storage;
  readonly first: number;
  readonly last: number;
}

/** Values that live from one step to another, of sizes that grow with the batch or not, some with a halo. */
const lives = fc.array(
  fc
    .record({
      first: fc.nat(20),
      length: fc.nat(8),
      size: fc.integer({ min: 1, max: 1000 }),
      grows: fc.boolean(),
      halo: fc.constantFrom(undefined, "a", "b"),
    })
    .map(({ first, length, size, grows, halo }): Life => {
      const bytes = grows ? { fixed: 0, perImage: size } : { fixed: size, perImage: 0 };
      const storage = { name: "value", purpose: "scratch", bytes, zeros: halo } as const;
      return { storage, first, last: first + length };
    }),
  { minLength: 1, maxLength: 25 },
);

function stepsOf(values: readonly Life[]): StepDraft[] {
  const count = Math.max(...values.map(({ last }) => last)) + 1;
  return Array.from({ length: count }, (_, index) =>
    step(
      values
        .filter(({ first, last }) => index === first || index === last)
        .map(({ storage }) => storage),
    ),
  );
}

test("values that share a buffer never live at the same time, and promise the same zeros", () => {
  fc.assert(
    fc.property(lives, (values) => {
      const { slotOf } = planMemory([stepsOf(values)]);
      for (const [index, a] of values.entries()) {
        const slot = slotOf.get(a.storage)!;
        expect(slot.bytes.fixed).toBeGreaterThanOrEqual(a.storage.bytes.fixed);
        expect(slot.bytes.perImage).toBeGreaterThanOrEqual(a.storage.bytes.perImage);
        expect(slot.zeros).toBe(a.storage.zeros);
        for (const b of values.slice(index + 1)) {
          if (slotOf.get(b.storage) !== slot) continue;
          expect(a.last < b.first || b.last < a.first).toBe(true);
        }
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("a chain of values of one size needs two buffers", () => {
  const values = Array.from({ length: 10 }, (_, index): Life => {
    const bytes = { fixed: 0, perImage: 256 };
    return { storage: { name: "value", purpose: "scratch", bytes }, first: index, last: index + 1 };
  });
  expect(planMemory([stepsOf(values)]).slots).toHaveLength(2);
});

test("lists that never run together share buffers", () => {
  const list = () =>
    stepsOf([
      {
        storage: { name: "value", purpose: "scratch", bytes: { fixed: 64, perImage: 0 } },
        first: 0,
        last: 1,
      },
    ]);
  expect(planMemory([list(), list(), list()]).slots).toHaveLength(1);
});
