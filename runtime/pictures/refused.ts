/** Why a browser makes no bitmap of what a call was given: loaded only where that is so. */
import type { Program } from "../../program/program.js";
import { InputError } from "../errors.js";
import { nameOf, notNumbers, notPicture } from "./eval-split.js";

/** The error for the first of the sources of which there is no bitmap. */
export function refusal(
  program: Program,
  sources: readonly unknown[],
  bitmaps: readonly PromiseSettledResult<unknown>[],
): InputError {
  const index = bitmaps.findIndex(({ status }) => status === "rejected");
  const refused = bitmaps[index] as PromiseRejectedResult;
  const reason = refused.reason as Error;
  const place = sources.length === 1 ? "" : `${nameOf(index, sources.length)}: `;
  return refusalOf(program, { source: sources[index], reason, place });
}

interface Refused {
  readonly source: unknown;
  /** What `createImageBitmap` said. */
  readonly reason: Error;
  /** Begins the message: which of several pictures it is. */
  readonly place: string;
}

const KINDS = /^(ImageBitmap|ImageData|OffscreenCanvas|VideoFrame|Blob|File|Uint8Array|Buffer)$/;
const ELEMENTS = /^(HTML(Image|Canvas|Video)|SVGImage)Element$/;

const WANTED =
  "a picture (ImageBitmap, image, canvas or video element, VideoFrame, ImageData, Blob, or a list)";

function refusalOf(program: Program, { source, reason, place }: Refused): InputError {
  const kind = Object.prototype.toString.call(source).slice(8, -1);
  if (KINDS.test(kind) || ELEMENTS.test(kind)) {
    const name = kind === "File" ? `${kind} \`${(source as File).name}\`` : kind;
    return new InputError(`${place}${adviceFor(kind, source)} (${name}: ${reason.message})`);
  }
  if (kind === "String" || kind === "URL") {
    return new InputError(
      `${place}a browser cannot read a picture from a path: ` +
        "pass `await (await fetch(url)).blob()`, or an image element",
    );
  }
  if (kind === "Number") return notNumbers(program);
  const advice = ADVICE[kind] ?? "";
  const came = `${place && "a list with "}a value of kind ${kind}${advice}`;
  return notPicture(program, came, WANTED);
}

const LIST = ": pass a list, `[...files]`";

const CONTEXT = ": pass its `canvas`";

/** For what is nearly a picture. */
const ADVICE: Readonly<Record<string, string>> = {
  FileList: LIST,
  NodeList: LIST,
  HTMLCollection: LIST,
  MediaStream: ": show it in a video element, and pass that",
  MediaStreamTrack: ": show it in a video element, and pass that",
  CanvasCaptureMediaStreamTrack: ": show it in a video element, and pass that",
  Promise: ": `await` it first",
  Response: ": pass `await response.blob()`",
  ArrayBuffer: ": pass the bytes of an image file as `new Blob([bytes])`",
  CanvasRenderingContext2D: CONTEXT,
  OffscreenCanvasRenderingContext2D: CONTEXT,
  Array: ": lists of lists are not read",
  Null: " (does `querySelector` find the element?)",
  Uint8ClampedArray: ": pass pixels as ImageData, or as a Float32Array in NCHW order",
};

function adviceFor(kind: string, source: unknown): string {
  switch (kind) {
    case "HTMLVideoElement":
      // Of a video that is `readyState` 4, too: it has data, and has not shown a frame.
      return (
        "the video has no frame yet: call this in `video.requestVideoFrameCallback(...)`, " +
        "or once `video.currentTime > 0`"
      );
    case "HTMLImageElement":
      return isLoaded(source as HTMLImageElement)
        ? "the image has no size in pixels: give the SVG file a width and a height"
        : "the image is not loaded: wait for `image.decode()`";
    case "VideoFrame":
    case "ImageBitmap":
    case "ImageData":
      return "the picture was closed, or its buffer transferred, before the call";
    case "HTMLCanvasElement":
    case "OffscreenCanvas":
      return hasPixels(source as HTMLCanvasElement)
        ? "the browser does not read this canvas: draw on it before the call, or make it smaller"
        : "the canvas has no pixels: set its width and height";
    case "Uint8Array":
    case "Buffer":
      return (
        "pass the bytes of an image file as a Blob, and raw pixels as ImageData, " +
        "or as a Float32Array in NCHW order"
      );
    default:
      return (source as Blob).type === "image/svg+xml"
        ? "an SVG file cannot be decoded from a Blob: show it in an image element, and pass that"
        : "the picture cannot be decoded: is it an image file of a format this browser knows?";
  }
}

/** An SVG image without a size is loaded, and no bitmap can be made of it. */
const isLoaded = ({ complete, naturalWidth }: HTMLImageElement): boolean =>
  complete && naturalWidth > 0;

const hasPixels = ({ width, height }: { readonly width: number; readonly height: number }) =>
  width > 0 && height > 0;
