/** Keeps a browser's pictures. What prepares them is loaded with the first of them. */
import { sourcesOf } from "./sources.js";
import type { Capture } from "./picture.js";

/** Numbers as files hold them, without their profile: so Node reads them. */
const AS_STORED = { premultiplyAlpha: "none", colorSpaceConversion: "none" } as const;

export const capture: Capture = (given) => {
  const sources = sourcesOf(given);
  const bitmaps = Promise.allSettled(
    sources.map(async (source) => createImageBitmap(source as ImageBitmapSource, AS_STORED)),
  );
  return {
    count: sources.length,
    prepare: async (...target) =>
      (await import("./browser.js")).prepare(sources, await bitmaps, ...target),
  };
};
