// Writes a small data set for detection: 1,000 pictures of 64x64 pixels with up to four circles,
// squares and triangles on a noisy background, and YOLO's text file for each: a line
// `class x y width height` for a shape, in shares of the picture. Always the same files.
//
//   node make-shapes.mjs [FOLDER] [COUNT]
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { generator } from "../generator.mjs";

const SIZE = 64;
const NOISE = 40;
const CONTRAST = 100;
const [folder = "data", count = "1000"] = process.argv.slice(2);

/** Whether a point is within a shape. */
const CONTAINS = [
  ({ x, y, radius }, px, py) => Math.hypot(px - x, py - y) < radius,
  ({ x, y, radius }, px, py) => Math.max(Math.abs(px - x), Math.abs(py - y)) < 0.85 * radius,
  ({ x, y, radius }, px, py) => {
    const [dx, dy] = [Math.abs(px - x), py - y];
    return dy < 0.6 * radius && 1.75 * dx < dy + radius;
  },
];

/** The rectangle around a shape: left, top, right, bottom. */
const EXTENTS = [
  ({ x, y, radius }) => [x - radius, y - radius, x + radius, y + radius],
  ({ x, y, radius }) => [
    x - 0.85 * radius,
    y - 0.85 * radius,
    x + 0.85 * radius,
    y + 0.85 * radius,
  ],
  ({ x, y, radius }) => {
    const half = (1.6 * radius) / 1.75;
    return [x - half, y - radius, x + half, y + 0.6 * radius];
  },
];

const distance = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);

/** A shape whose color differs from the background. */
function makeShape(random, background) {
  const radius = 6 + 7 * random();
  const place = () => radius + (SIZE - 2 * radius) * random();
  const [label, x, y] = [Math.floor(3 * random()), place(), place()];
  for (;;) {
    const color = [0, 1, 2].map(() => 255 * random());
    const contrast = Math.hypot(...color.map((value, channel) => value - background[channel]));
    if (contrast > CONTRAST) return { label, x, y, radius, color };
  }
}

function lineOf(shape) {
  const [left, top, right, bottom] = EXTENTS[shape.label](shape).map((place) => place / SIZE);
  const numbers = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top];
  return `${shape.label} ${numbers.map((value) => value.toFixed(5)).join(" ")}\n`;
}

function makeExample(random) {
  const background = [0, 1, 2].map(() => 255 * random());
  const shapes = [];
  for (let left = 1 + Math.floor(4 * random()); left > 0; left--) {
    const shape = makeShape(random, background);
    const isFree = shapes.every((other) => distance(shape, other) > shape.radius + other.radius);
    if (isFree) shapes.push(shape);
  }
  const picture = new Uint8Array(3 * SIZE * SIZE);
  for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
    const [px, py] = [(pixel % SIZE) + 0.5, Math.floor(pixel / SIZE) + 0.5];
    let color = background;
    for (const shape of shapes) {
      if (CONTAINS[shape.label](shape, px, py)) color = shape.color;
    }
    for (let channel = 0; channel < 3; channel++) {
      const noise = NOISE * (random() + random() - 1);
      picture[3 * pixel + channel] = Math.max(0, Math.min(255, color[channel] + noise));
    }
  }
  return { picture, lines: shapes.map(lineOf) };
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A PNG file of RGB pixels. */
function png(pixels) {
  const pitch = SIZE * 3;
  const header = Buffer.from([0, 0, 0, SIZE, 0, 0, 0, SIZE, 8, 2, 0, 0, 0]);
  const rows = Buffer.alloc(SIZE * (1 + pitch));
  for (let y = 0; y < SIZE; y++) {
    rows.set(pixels.subarray(y * pitch, (y + 1) * pitch), y * (1 + pitch) + 1);
  }
  const parts = [
    chunk("IHDR", header),
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

for (const name of ["images", "labels"]) mkdirSync(join(folder, name), { recursive: true });
for (let index = 0; index < Number(count); index++) {
  const { picture, lines } = makeExample(generator(index + 1));
  const name = String(index).padStart(4, "0");
  writeFileSync(join(folder, "images", `${name}.png`), png(picture));
  writeFileSync(join(folder, "labels", `${name}.txt`), lines.join(""));
}
console.log(`wrote ${count} pictures to ${join(folder, "images")}, and their boxes`);
