/**
 * A browser's pictures to staged bytes: on the device where that is one resizing, else by the loops
 * that Node uses, from a canvas.
 */
import { Draws } from "../data/draws.js";
import { keyOf, nameOf, notGiven, preparationFor, requirePictures } from "./eval-split.js";
import type { PictureTarget, PreparedPictures } from "./picture.js";
import { resizerOf, type DevicePicture } from "./resizer.js";

/** Decodes and resizes the pictures of a call; `bitmaps` come from `sources`, in their order. */
export async function prepare(
  sources: readonly unknown[],
  bitmaps: readonly PromiseSettledResult<ImageBitmap>[],
  target: PictureTarget,
  rows: number,
): Promise<PreparedPictures> {
  try {
    requirePictures(sources.length);
    const read = bitmaps.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
    if (read.length < sources.length) {
      throw (await import("./refused.js")).refusal(target.program, sources, bitmaps);
    }
    return await allowed(() => prepareBitmaps(read, target, rows), nameOf(0, sources.length));
  } finally {
    for (const result of bitmaps) if (result.status === "fulfilled") result.value.close();
  }
}

async function prepareBitmaps(
  bitmaps: readonly ImageBitmap[],
  target: PictureTarget,
  rows: number,
): Promise<PreparedPictures> {
  const { gpu, program } = target;
  const preparation = preparationFor(program, rows / bitmaps.length);
  const resizer = resizerOf(target, preparation);
  if (!bitmaps.every((bitmap) => resizer.canResize(bitmap))) {
    return (await import("./from-canvas.js")).stageBitmaps(preparation, bitmaps);
  }
  const pictures = bitmaps.map((bitmap): DevicePicture => {
    const { width, height } = bitmap;
    const fill = (texture: GPUTexture) =>
      gpu.queue.copyExternalImageToTexture({ source: bitmap }, { texture }, [width, height]);
    return { width, height, fill };
  });
  const staged = await resizer.resize(pictures);
  const draws = new Draws(preparation, bitmaps.length);
  bitmaps.forEach((_, index) => draws.write(index, 1 / 255, keyOf(index)));
  return { split: "eval", staged, draws: draws.values };
}

/** Explains that pixels of other sites are not given to scripts. */
async function allowed<Result>(action: () => Promise<Result>, name: string): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "SecurityError")) throw error;
    throw notGiven(name);
  }
}
