/**
 * Damaged files of every format are read, or refused in words: no crash, no hang, no other error,
 * and no more memory than their sizes explain. `NETC_TEST_FULL` makes 10,000 of each.
 */
import { allocationsOf } from "./allocations.js";
import { expect, test } from "vitest";
import { ImportError } from "../../interchange/error.js";
import { WeightsError } from "../../runtime/errors.js";
import { mutateFile } from "../../scripts/fuzz/data/bytes.js";
import { createRandom, pick, type Random } from "../../scripts/fuzz/random.js";
import { damagedFormats, type DamagedFormat, type Files } from "./damaged-formats.js";

const COUNT = process.env["NETC_TEST_FULL"] ? 10_000 : 200;

/** Bytes of one array that a file may cause, as a multiple of the file. */
const MOST_GROWTH = 4;
/** Bytes that reading takes whatever the file: buffers, and shapes that are folded. */
const FIXED = 64 * 1024;
/** Growth of the heap: far above what these files need, and far below what a hostile size takes. */
const MOST_HEAP = 64 * 1024 * 1024;

test.each(Object.entries(damagedFormats))(
  `${COUNT} damaged files of %s are read or refused`,
  { timeout: 900_000 },
  async (_, format) => {
    const found = new Set<string>();
    const outcomes = { read: 0, refused: 0 };
    for (let seed = 0; seed < COUNT; seed++) {
      const files = damagedFiles(format, createRandom(seed));
      const size = Object.values(files).reduce((sum, { length }) => sum + length, 0);
      const { largest, heap } = await allocationsOf(async () => {
        const problem = await problemOf(() => format.read(files), outcomes);
        if (problem !== undefined) found.add(`${problem} (seed ${seed})`);
      });
      const isTooMuch = largest > MOST_GROWTH * size + FIXED || heap > MOST_HEAP;
      if (isTooMuch) found.add(`seed ${seed}: ${largest} bytes for ${size}, heap ${heap}`);
    }
    expect([...found].slice(0, 5)).toEqual([]);
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.read).toBeGreaterThan(0);
  },
);

function damagedFiles({ samples, damaged }: DamagedFormat, random: Random): Files {
  const files = pick(samples, random);
  const name = pick(
    Object.keys(files).filter((each) => damaged.test(each)),
    random,
  );
  const others = samples.flatMap((each) => (each[name] ? [each[name]] : []));
  return { ...files, [name]: mutateFile([files[name]!, ...others], random).bytes };
}

/** The stack of an error that no user should see. */
async function problemOf(
  action: () => Promise<void>,
  outcomes: { read: number; refused: number },
): Promise<string | undefined> {
  try {
    await action();
    outcomes.read++;
    return undefined;
  } catch (error) {
    outcomes.refused++;
    if (error instanceof ImportError || error instanceof WeightsError) return undefined;
    return (error as Error).stack?.split("\n").slice(0, 4).join("\n") ?? String(error);
  }
}
