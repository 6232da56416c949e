/**
 * Loops of resample-bytes.ts that are faster, with the same results. Photographs are mostly reduced
 * to half their size at most, where three or four inputs count. Loops over so few cost more than
 * what they repeat: there they are written out.
 */
import { HALF, PRECISION, type Across, type Down } from "./fixed-point.js";

/** A loop for rows of that many channels; undefined where there is no faster one. */
export function acrossFor(channels: number, taps: number): Across | undefined {
  if (channels !== 3) return undefined;
  if (taps === 3) return threeAcross;
  return taps === 4 ? fourAcross : colorsAcross;
}

/** The same for columns. */
export function downFor(taps: number): Down | undefined {
  if (taps === 3) return threeDown;
  return taps === 4 ? fourDown : undefined;
}

const weigh3 = (a: number, b: number, c: number, p: number, q: number, r: number) =>
  (HALF + Math.imul(a, p) + Math.imul(b, q) + Math.imul(c, r)) >> PRECISION;

const threeAcross: Across = (pixels, target, { first, weights }, { start, pitch }) => {
  for (let output = 0, row = start; output < target.length; row += pitch) {
    for (let x = 0, tap = 0; x < first.length; x++, tap += 3, output += 3) {
      const at = row + first[x]! * 3;
      const p = weights[tap]!;
      const q = weights[tap + 1]!;
      const r = weights[tap + 2]!;
      target[output] = weigh3(pixels[at]!, pixels[at + 3]!, pixels[at + 6]!, p, q, r);
      target[output + 1] = weigh3(pixels[at + 1]!, pixels[at + 4]!, pixels[at + 7]!, p, q, r);
      target[output + 2] = weigh3(pixels[at + 2]!, pixels[at + 5]!, pixels[at + 8]!, p, q, r);
    }
  }
};

const fourAcross: Across = (pixels, target, { first, weights }, { start, pitch }) => {
  for (let output = 0, row = start; output < target.length; row += pitch) {
    for (let x = 0, tap = 0; x < first.length; x++, tap += 4, output += 3) {
      const at = row + first[x]! * 3;
      for (let channel = 0; channel < 3; channel++) {
        const input = at + channel;
        target[output + channel] =
          (HALF +
            Math.imul(pixels[input]!, weights[tap]!) +
            Math.imul(pixels[input + 3]!, weights[tap + 1]!) +
            Math.imul(pixels[input + 6]!, weights[tap + 2]!) +
            Math.imul(pixels[input + 9]!, weights[tap + 3]!)) >>
          PRECISION;
      }
    }
  }
};

/** Three channels side by side: a weight is read once for all of them. */
const colorsAcross: Across = (pixels, target, { first, weights, taps }, { start, pitch }) => {
  for (let output = 0, row = start; output < target.length; row += pitch) {
    for (let x = 0, tap = 0; x < first.length; x++, output += 3) {
      let input = row + first[x]! * 3;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (const end = tap + taps; tap < end; tap++, input += 3) {
        const weight = weights[tap]!;
        red = (red + Math.imul(pixels[input]!, weight)) | 0;
        green = (green + Math.imul(pixels[input + 1]!, weight)) | 0;
        blue = (blue + Math.imul(pixels[input + 2]!, weight)) | 0;
      }
      target[output] = red >> PRECISION;
      target[output + 1] = green >> PRECISION;
      target[output + 2] = blue >> PRECISION;
    }
  }
};

const threeDown: Down = (pixels, target, { first, weights }, length) => {
  for (let y = 0, output = 0; y < first.length; y++) {
    const p = weights[y * 3]!;
    const q = weights[y * 3 + 1]!;
    const r = weights[y * 3 + 2]!;
    let at = first[y]! * length;
    for (const end = at + length; at < end; at++, output++) {
      const below = at + length;
      target[output] = weigh3(pixels[at]!, pixels[below]!, pixels[below + length]!, p, q, r);
    }
  }
};

const fourDown: Down = (pixels, target, { first, weights }, length) => {
  for (let y = 0, output = 0; y < first.length; y++) {
    const p = weights[y * 4]!;
    const q = weights[y * 4 + 1]!;
    const r = weights[y * 4 + 2]!;
    const s = weights[y * 4 + 3]!;
    let at = first[y]! * length;
    for (const end = at + length; at < end; at++, output++) {
      target[output] =
        (HALF +
          Math.imul(pixels[at]!, p) +
          Math.imul(pixels[at + length]!, q) +
          Math.imul(pixels[at + 2 * length]!, r) +
          Math.imul(pixels[at + 3 * length]!, s)) >>
        PRECISION;
    }
  }
};
