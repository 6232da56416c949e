/** Decoding in worker threads, which only what is built can start. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { openFolder } from "../../runtime/node/data/folder.js";
import { temporaryFolder } from "../data/pattern.js";

const built = (await import(
  join(import.meta.dirname, "../../dist/runtime/node/data/folder.js")
)) as { openFolder: typeof openFolder };

const root = await temporaryFolder();

test(
  "threads give the same images as the caller's own, " +
    "say what does not decode, and what a transform refuses",
  async () => {
    await mkdir(join(root, "a"));
    for (const index of [1, 2, 3]) {
      const noise = { type: "gaussian", mean: 99 + index, sigma: 40 } as const;
      const create = {
        width: 50 + index,
        height: 40,
        channels: 3,
        background: "red",
        noise,
      } as const;
      await sharp({ create })
        .jpeg()
        .toFile(join(root, "a", `${index}.jpg`));
    }
    await writeFile(join(root, "a", "4.jpg"), "no picture");
    const reasons: string[] = [];
    const options = {
      channels: 3,
      onSkip: ({ reason }: { reason: string }) => reasons.push(reason),
    } as const;
    const [threads, own] = [await built.openFolder(root, options), await openFolder(root, options)];
    const stage = (example: number, size: number) => ({
      transforms: [
        { kind: "random_resized_crop", size, scale: [0.1, 1], ratio: [0.7, 1.4] },
        { kind: "random_crop", size: 16, padding: 0 },
      ] as const,
      key: { seed: 1, epoch: 2, example },
    });
    for (const index of [0, 1, 2, 3]) {
      const example = await threads.prepare!(index, stage(index, 20));
      expect(example).toEqual(await own.prepare!(index, stage(index, 20)));
      expect(example?.image.width).toBe(index === 3 ? undefined : 16);
    }
    expect(reasons.length).toBe(2);
    expect(reasons[0]).toBe(reasons[1]);
    await expect(threads.prepare!(0, stage(0, 12))).rejects.toMatchObject({
      message: expect.stringMatching(/1\.jpg: random_crop\(16, padding=0\) met an image of 12x12/),
      hint: "put `resize(16)` before it",
    });
  },
);
