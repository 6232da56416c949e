// Writes a small data set for segmentation: 1,000 pictures of 64x64 pixels with one to three
// circles, squares and triangles on a noisy background, and a mask for each. Always the same files.
//
//   node make-shapes.mjs [FOLDER] [COUNT]
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { generator } from "../generator.mjs";

const SIZE = 64;
const NOISE = 40;
const CONTRAST = 100;
/** Pixels at the edges of shapes count as neither. */
const EDGE = 255;
const [folder = "data", count = "1000"] = process.argv.slice(2);

/** How far a point is inside a shape, in pixels; below 0 it is outside. */
const DEPTHS = {
  1: ({ x, y, radius }, px, py) => radius - Math.hypot(px - x, py - y),
  2: ({ x, y, radius }, px, py) => 0.85 * radius - Math.max(Math.abs(px - x), Math.abs(py - y)),
  3: ({ x, y, radius }, px, py) => {
    const [dx, dy] = [Math.abs(px - x), py - y];
    return Math.min(0.6 * radius - dy, (dy + radius - 1.75 * dx) / 2);
  },
};

const distance = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);

/** A shape whose color differs from the background. */
function makeShape(random, background) {
  const radius = 9 + 7 * random();
  const place = () => radius + (SIZE - 2 * radius) * random();
  const [label, x, y] = [1 + Math.floor(3 * random()), place(), place()];
  for (;;) {
    const color = [0, 1, 2].map(() => 255 * random());
    const contrast = Math.hypot(...color.map((value, channel) => value - background[channel]));
    if (contrast > CONTRAST) return { label, x, y, radius, color };
  }
}

function makeExample(random) {
  const background = [0, 1, 2].map(() => 255 * random());
  const shapes = [];
  for (let left = 1 + Math.floor(3 * random()); left > 0; left--) {
    const shape = makeShape(random, background);
    const isFree = shapes.every((other) => distance(shape, other) > shape.radius + other.radius);
    if (isFree) shapes.push(shape);
  }
  const picture = new Uint8Array(3 * SIZE * SIZE);
  const mask = new Uint8Array(SIZE * SIZE);
  for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
    const [px, py] = [(pixel % SIZE) + 0.5, Math.floor(pixel / SIZE) + 0.5];
    let color = background;
    for (const shape of shapes) {
      const depth = DEPTHS[shape.label](shape, px, py);
      if (depth > -0.5 && depth < 0.5) mask[pixel] = EDGE;
      else if (depth > 0) mask[pixel] = shape.label;
      if (depth > 0) color = shape.color;
    }
    for (let channel = 0; channel < 3; channel++) {
      const noise = NOISE * (random() + random() - 1);
      picture[3 * pixel + channel] = Math.max(0, Math.min(255, color[channel] + noise));
    }
  }
  return { picture, mask };
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PALETTE = Buffer.alloc(3 * 256, 255);
PALETTE.set([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]);

/** A PNG file of RGB pixels, or of indices into the palette. */
function png(pixels, isMask) {
  const pitch = SIZE * (isMask ? 1 : 3);
  const header = Buffer.from([0, 0, 0, SIZE, 0, 0, 0, SIZE, 8, isMask ? 3 : 2, 0, 0, 0]);
  const rows = Buffer.alloc(SIZE * (1 + pitch));
  for (let y = 0; y < SIZE; y++) {
    rows.set(pixels.subarray(y * pitch, (y + 1) * pitch), y * (1 + pitch) + 1);
  }
  const parts = [
    chunk("IHDR", header),
    ...(isMask ? [chunk("PLTE", PALETTE)] : []),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([SIGNATURE, ...parts]);
}

/** The checksum of PNG files. */
function crc32(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return ~rest >>> 0;
}

function chunk(type, data) {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, checksum]);
}

for (const name of ["images", "masks"]) mkdirSync(join(folder, name), { recursive: true });
for (let index = 0; index < Number(count); index++) {
  const { picture, mask } = makeExample(generator(index + 1));
  const name = `${String(index).padStart(4, "0")}.png`;
  writeFileSync(join(folder, "images", name), png(picture, false));
  writeFileSync(join(folder, "masks", name), png(mask, true));
}
console.log(`wrote ${count} pictures to ${join(folder, "images")}, and their masks`);
