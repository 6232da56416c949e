/**
 * A browser's pictures to staged bytes: on the device where that is one resizing, else by the loops
 * that Node uses, from a canvas.
 */
import { Draws } from "../data/draws.js";
import { InputError } from "../errors.js";
import { evalPreparation, keyOf, nameOf, notPicture, requirePictures } from "./eval-split.js";
import type { PictureTarget, PreparedPictures } from "./picture.js";
import { resizerOf, type DevicePicture } from "./resizer.js";

/** Decodes and resizes the pictures of a call; `bitmaps` come from `sources`, in their order. */
export async function prepare(
  sources: readonly unknown[],
  bitmaps: readonly PromiseSettledResult<ImageBitmap>[],
  target: PictureTarget,
): Promise<PreparedPictures> {
  try {
    requirePictures(sources.length);
    const read = sources.map((source, index) => bitmapOf(source, bitmaps[index]!, target));
    const count = sources.length;
    return await allowed(() => prepareBitmaps(read, target), nameOf(0, count));
  } finally {
    for (const result of bitmaps) if (result.status === "fulfilled") result.value.close();
  }
}

async function prepareBitmaps(
  bitmaps: readonly ImageBitmap[],
  target: PictureTarget,
): Promise<PreparedPictures> {
  const { gpu, program } = target;
  const preparation = evalPreparation(program);
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

const KINDS = /^(ImageBitmap|ImageData|OffscreenCanvas|VideoFrame|Blob|File|Uint8Array|Buffer)$/;
const ELEMENTS = /^(HTML(Image|Canvas|Video)|SVGImage)Element$/;

const WANTED =
  "a picture (ImageBitmap, image, canvas or video element, VideoFrame, ImageData, Blob, or a list)";

function bitmapOf(
  source: unknown,
  result: PromiseSettledResult<ImageBitmap>,
  { program }: PictureTarget,
): ImageBitmap {
  if (result.status === "fulfilled") return result.value;
  const kind = Object.prototype.toString.call(source).slice(8, -1);
  if (kind === "String") {
    throw new InputError(
      "a browser cannot read a picture from a path: " +
        "pass `await (await fetch(url)).blob()`, or an image element",
    );
  }
  if (!KINDS.test(kind) && !ELEMENTS.test(kind))
    throw notPicture(program, `a value of kind ${kind}`, WANTED);
  const { message } = result.reason as Error;
  throw new InputError(`${adviceFor(kind)} (${kind}: ${message})`);
}

function adviceFor(kind: string): string {
  switch (kind) {
    case "HTMLVideoElement":
      // Of a video that is `readyState` 4, too: it has data, and has not shown a frame.
      return (
        "the video has no frame yet: call this in `video.requestVideoFrameCallback(...)`, " +
        "or once `video.currentTime > 0`"
      );
    case "HTMLImageElement":
      return "the image is not loaded: wait for `image.decode()`";
    case "VideoFrame":
    case "ImageBitmap":
      return "the picture was closed, or its buffer transferred, before the call";
    case "Uint8Array":
    case "Buffer":
      return (
        "pass the bytes of an image file as a Blob, and raw pixels as ImageData, " +
        "or as a Float32Array in NCHW order"
      );
    default:
      return "the picture cannot be decoded: is it an image file of a format this browser knows?";
  }
}

/** Explains that pixels of other sites are not given to scripts. */
async function allowed<Result>(action: () => Promise<Result>, name: string): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "SecurityError")) throw error;
    throw new InputError(
      `the browser does not give the pixels of ${name}, which comes from another site: ` +
        'add `crossorigin="anonymous"` to the element, and have the server allow it (CORS)',
    );
  }
}
