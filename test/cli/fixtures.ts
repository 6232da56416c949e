/** A small spec with its data, made in a temporary folder. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";

/** Two classes of 8x8 gray images, bright above and bright below, that a few steps tell apart. */
export const STRIPES = `model Stripes(classes: int = 2) {
  input  image: f32[N, 1, 8, 8]
  target label: u32[N] in 0..classes

  features {
    conv(4, kernel=3, padding=1) -> relu -> maxpool(2)
  }
  flatten -> linear(classes) as logits

  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}

data Pictures for Stripes {
  train folder("data/train") { normalize(mean=[0.5], std=[0.5]) }
  eval  folder("data/val")   { normalize(mean=[0.5], std=[0.5]) }
}

train Quick of Stripes on Pictures {
  epochs    = 4
  batch     = 8
  optimizer = sgd(lr=0.02, momentum=0.9)
  seed      = 1
}
`;

export interface Workspace {
  readonly folder: string;
  /** A path in the folder. */
  path(...names: string[]): string;
  write(name: string, content: string | Uint8Array): Promise<string>;
  remove(): Promise<void>;
}

export async function makeWorkspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), "netc-cli-"));
  const path = (...names: string[]) => join(folder, ...names);
  return {
    folder,
    path,
    write: async (name, content) => {
      await mkdir(join(path(name), ".."), { recursive: true });
      await writeFile(path(name), content);
      return path(name);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Writes stripes.net with 16 images a class to train on and 8 to evaluate on. */
export async function writeStripes(workspace: Workspace): Promise<void> {
  await workspace.write("stripes.net", STRIPES);
  for (const [split, count] of [
    ["train", 16],
    ["val", 8],
  ] as const) {
    for (const name of ["above", "below"] as const) {
      for (let index = 0; index < count; index++) {
        // No picture is in both splits: netc would warn of it.
        const image = await stripe(name, split === "train" ? index : 100 + index);
        await workspace.write(`data/${split}/${name}/${index}.png`, image);
      }
    }
  }
}

/** A PNG that is bright in one half, with noise that depends on `index`. */
export function stripe(half: "above" | "below", index: number): Promise<Uint8Array> {
  const pixels = Uint8Array.from({ length: 64 }, (_, position) => {
    const isAbove = position < 32;
    const noise = (position * 31 + index * 17) % 40;
    return (isAbove === (half === "above") ? 200 : 20) + noise;
  });
  return sharp(pixels, { raw: { width: 8, height: 8, channels: 1 } })
    .png()
    .toBuffer();
}
