/** A few mutated files of each format; `npm run fuzz:data` reads thousands. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { formats, type FormatName } from "../../scripts/fuzz/data/formats.js";
import { Judge } from "../../scripts/fuzz/data/judge.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();
const FILES = 60;
/** More of a format that could hold programs. */
const PYTORCH_FILES = 300;

test.each(Object.keys(formats) as FormatName[])(
  "damaged files are read right or refused in words: %s",
  async (name) => {
    const judge = new Judge(name, join(root, name));
    const outcomes = { read: 0, refused: 0, "not changed": 0 };
    const files = name === "pytorch" ? PYTORCH_FILES : FILES;
    for (let index = 0; index < files; index++) {
      const { outcome, findings } = await judge.judge({ seed: 7, index });
      outcomes[outcome]++;
      expect(findings, `seed 7, file ${index}`).toEqual([]);
    }
    expect(outcomes.read).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(FILES / 4);
  },
);
