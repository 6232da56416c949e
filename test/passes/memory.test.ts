import fc from "fast-check";
import { expect, test } from "vitest";
import type { Kernel } from "../../compiler/kernels/kernel.js";
import type { StepDraft } from "../../compiler/lower/step-draft.js";
import type { Storage } from "../../compiler/plan/storage.js";
import { planMemory } from "../../compiler/write/memory.js";
import { bufferBytes } from "../../program/planned-memory.js";
import { nowhere } from "./chain.js";

const kernel: Kernel = {
  name: "none",
  wgsl: "",
  sections: [],
  storage: [],
  constants: [],
  lanes: 1,
  workgroupBytes: 0,
};

const step = (storage: readonly Storage[]): StepDraft => ({
  kernel,
  storage,
  constants: [],
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

/**
 * Values that live from one step to another, of sizes that grow with the batch or not, some with a
 * halo.
 */
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

const ANY = Infinity;

const planOf = (steps: readonly StepDraft[], sharing: "alike" | "any" = "any") => {
  const { slotOf, lists } = planMemory({ train: { steps, sharing } }, ANY);
  return { slotOf, steps: lists.train };
};

test("values that share a buffer never live at the same time", () => {
  fc.assert(
    fc.property(lives, fc.constantFrom("alike", "any"), (values, sharing) => {
      const { slotOf } = planOf(stepsOf(values), sharing);
      for (const [index, a] of values.entries()) {
        const slot = slotOf.get(a.storage)!;
        for (const batch of [1, 8, 128]) {
          expect(bufferBytes(slot.bytes, batch)).toBeGreaterThanOrEqual(
            bufferBytes(a.storage.bytes, batch),
          );
        }
        for (const b of values.slice(index + 1)) {
          if (slotOf.get(b.storage) !== slot) continue;
          expect(a.last < b.first || b.last < a.first).toBe(true);
        }
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("what must be zero is: nothing else has written there, or it is cleared just before", () => {
  fc.assert(
    fc.property(lives, fc.constantFrom("alike", "any"), (values, sharing) => {
      const { slotOf, steps } = planOf(stepsOf(values), sharing);
      if (sharing === "alike") expect(steps).toHaveLength(stepsOf(values).length);
      const dirty = new Map<unknown, string | undefined>();
      // Twice: the second run finds what the first has left.
      for (const { kernel: made, storage } of [...steps, ...steps]) {
        for (const value of storage) {
          const slot = slotOf.get(value);
          if (made.name === "clear") dirty.delete(slot);
          else {
            const promised = value.zeros;
            if (promised !== undefined && dirty.has(slot)) expect(dirty.get(slot)).toBe(promised);
            dirty.set(slot, promised);
          }
        }
      }
    }),
    { seed: 2, numRuns: 300 },
  );
});

test("a chain of values of one size needs two buffers", () => {
  const values = Array.from({ length: 10 }, (_, index): Life => {
    const bytes = { fixed: 0, perImage: 256 };
    return { storage: { name: "value", purpose: "scratch", bytes }, first: index, last: index + 1 };
  });
  expect(new Set(planOf(stepsOf(values)).slotOf.values()).size).toBe(2);
});

const big = (zeros?: string): Storage => ({
  name: "value",
  purpose: "scratch",
  bytes: { fixed: 0, perImage: 1e7 },
  zeros,
});

test("large values of other layouts share memory and are cleared if sharing may cost time", () => {
  const values = ["a", "b", "a"].map((zeros, index) => ({
    storage: big(zeros),
    first: index,
    last: index,
  }));
  const any = planOf(stepsOf(values), "any");
  expect(new Set(any.slotOf.values()).size).toBe(1);
  expect(any.steps.map(({ kernel: { name } }) => name)).toEqual(
    [1, 2, 3].flatMap(() => ["clear", "none"]),
  );
  expect(new Set(planOf(stepsOf(values), "alike").slotOf.values()).size).toBe(2);
});

const BYTES = { fixed: 40, perImage: 7.2e6 };

test.each([[undefined, 4] as const, ["f16", 2] as const])(
  "the whole of a buffer with numbers of %s is cleared",
  (element, bytes) => {
    const values = ["a", "b"].map((zeros, index) => ({
      storage: { ...big(zeros), element, bytes: BYTES },
      first: index,
      last: index,
    }));
    const [cleared] = planOf(stepsOf(values), "any").steps.filter(({ kernel: { name } }) =>
      name.startsWith("clear"),
    );
    expect(cleared!.constants.map((words) => words * bytes)).toEqual(Object.values(BYTES));
    const { fixed, perImage } = cleared!.workgroups.x;
    expect([4 * fixed * bytes, 4 * perImage * bytes]).toEqual(Object.values(BYTES));
  },
);

test("lists that never run together share buffers of about one size", () => {
  const steps = () => stepsOf([{ storage: big(), first: 0, last: 1 }]);
  const { slotOf } = planMemory(
    {
      train: { steps: steps(), sharing: "any" },
      predict: { steps: steps(), sharing: "alike" },
    },
    ANY,
  );
  expect(new Set(slotOf.values()).size).toBe(1);
});
