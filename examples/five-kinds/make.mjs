// Writes five small data sets of different kinds, always the same: icons, gray scans, panoramas
// and a table are made here; photographs are sorted into two classes.
//
//   node examples/five-kinds/make.mjs FOLDER [PHOTOGRAPHS]
//
// PHOTOGRAPHS is a folder of pictures that are named by their WordNet number, such as
// n01440764_tench.JPEG (https://github.com/EliSchwartz/imagenet-sample-images).
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import sharp from "sharp";
import { generator } from "../generator.mjs";

const [folder, photographs] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node make.mjs FOLDER [PHOTOGRAPHS]");
  process.exit(2);
}

const between = (random, low, high) => low + (high - low) * random();

/** About normal, with mean 0 and deviation 1. */
function normal(random) {
  let sum = -6;
  for (let count = 0; count < 12; count++) sum += random();
  return sum;
}

const color = (random, low, high) =>
  `rgb(${[0, 1, 2].map(() => Math.round(between(random, low, high))).join(",")})`;

/** Draws an SVG and adds noise to each pixel. */
async function render(svg, { random, noise, channels }) {
  const drawn = sharp(Buffer.from(svg)).flatten({ background: "white" });
  const image = channels === 1 ? drawn.grayscale() : drawn.toColorspace("srgb");
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  for (let at = 0; at < data.length; at++) {
    data[at] = Math.max(0, Math.min(255, data[at] + noise * normal(random)));
  }
  return sharp(data, { raw: { ...info } });
}

async function write(image, ...path) {
  const file = join(folder, ...path);
  mkdirSync(dirname(file), { recursive: true });
  await (file.endsWith(".png") ? image.png() : image.jpeg({ quality: 90 })).toFile(file);
}

const ICONS = {
  circle: '<circle r="7"/>',
  cross: '<path d="M-7-2.5h4.5V-7h5v4.5H7v5H2.5V7h-5V2.5H-7z"/>',
  ring: '<circle r="5.5" fill="none" stroke-width="3"/>',
  square: '<rect x="-6" y="-6" width="12" height="12"/>',
  star: '<path d="M0-8L2-2 8-2 3 2 5 8 0 4-5 8-3 2-8-2-2-2z"/>',
  triangle: '<path d="M0-7L7 6H-7z"/>',
};

/** 360 icons of 24x24 pixels in 6 classes. */
async function icons() {
  for (const [label, [name, shape]] of Object.entries(ICONS).entries()) {
    for (let index = 0; index < 60; index++) {
      const random = generator(1000 * label + index);
      const [x, y] = [between(random, 9, 15), between(random, 9, 15)];
      const place =
        `translate(${x} ${y}) rotate(${between(random, -30, 30)}) ` +
        `scale(${between(random, 0.6, 1.2)})`;
      const paint = color(random, 0, 140);
      const svg =
        `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24">` +
        `<rect width="24" height="24" fill="${color(random, 150, 255)}"/>` +
        `<g transform="${place}" fill="${paint}" stroke="${paint}" stroke-width="0">${shape}</g>` +
        "</svg>";
      const icon = await render(svg, { random, noise: 28, channels: 3 });
      await write(icon, "icons", name, `${index}.png`);
    }
  }
}

/** 700 gray scans of 160x215 pixels: a digit somewhere on a noisy page. */
async function scans() {
  const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
  const text = gunzipSync(readFileSync(join(root, "specs/data/digits.csv.gz"))).toString();
  const rows = text.trim().split("\n").slice(0, 700);
  for (const [index, row] of rows.entries()) {
    const random = generator(50_000 + index);
    const values = row.split(",").map(Number);
    const cells = values.slice(0, 64).map((value, at) => {
      const shade = Math.round(235 - 10 * value);
      return (
        `<rect x="${at % 8}" y="${Math.floor(at / 8)}" width="1.05" height="1.05" ` +
        `fill="rgb(${shade},${shade},${shade})"/>`
      );
    });
    const size = between(random, 7, 11);
    const [x, y] = [between(random, 5, 155 - 8 * size), between(random, 5, 210 - 8 * size)];
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="215">' +
      '<rect width="160" height="215" fill="rgb(235,235,235)"/>' +
      `<g transform="translate(${x} ${y}) scale(${size})">${cells.join("")}</g></svg>`;
    const scan = await render(svg, { random, noise: 22, channels: 1 });
    await write(scan, "scans", String(values[64]), `scan-${index}.jpg`);
  }
}

const LANDMARKS = {
  boat: '<path d="M-22 0H22L14 12H-14zM0-2V-32L16-4z"/>',
  house: '<path d="M-16 12V-10L0-26 16-10V12z"/>',
  tower: '<path d="M-7 12L-4-44H4L7 12z"/>',
  tree: '<path d="M-3 12V-6h6V12z"/><circle cy="-18" r="15"/>',
};

/** 280 panoramas of 640x160 pixels with one landmark somewhere. */
async function panoramas() {
  for (const [label, [name, shape]] of Object.entries(LANDMARKS).entries()) {
    for (let index = 0; index < 70; index++) {
      const random = generator(90_000 + 1000 * label + index);
      const horizon = between(random, 85, 115);
      const x = between(random, 40, 600);
      const scale = between(random, 0.7, 1.3);
      const clouds = Array.from({ length: 5 }, () => {
        const [cx, cy] = [between(random, 0, 640), between(random, 10, 70)];
        const radius = between(random, 10, 40);
        return `<ellipse cx="${cx}" cy="${cy}" rx="${radius}" ry="8" fill="white"/>`;
      });
      const svg =
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="160">' +
        `<rect width="640" height="160" fill="${color(random, 150, 230)}"/>${clouds.join("")}` +
        `<rect y="${horizon}" width="640" height="160" fill="${color(random, 80, 160)}"/>` +
        `<g transform="translate(${x} ${horizon}) scale(${scale})" ` +
        `fill="${color(random, 0, 90)}">${shape}</g></svg>`;
      const panorama = await render(svg, { random, noise: 12, channels: 3 });
      await write(panorama, "panoramas", name, `${index}.jpg`);
    }
  }
}

/** 600 rows: two moons in 2 of 8 features, the label is 1 or 2, and each row has an identifier. */
function table() {
  const random = generator(7);
  const lines = ["id,a,b,c,d,e,f,g,h,kind"];
  for (let row = 0; row < 600; row++) {
    const kind = 1 + Math.floor(2 * random());
    const angle = Math.PI * random();
    const side = kind === 1 ? 1 : -1;
    const x = side * Math.cos(angle) + (kind === 1 ? 0 : 1) + 0.2 * normal(random);
    const y = side * Math.sin(angle) + (kind === 1 ? 0 : 0.5) + 0.2 * normal(random);
    const others = Array.from({ length: 6 }, (_, at) => 10 ** (at - 2) * normal(random));
    const numbers = [100 * x, y, ...others].map((value) => value.toPrecision(6));
    lines.push([`S${10_000 + row}`, ...numbers, kind].join(","));
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "table.csv"), `${lines.join("\n")}\n`);
}

/** In WordNet's order, what comes up to this number is an animal. */
const LAST_ANIMAL = "n02484975";

function sortPhotographs() {
  for (const name of readdirSync(photographs, { recursive: true })) {
    const number = /n\d{8}(?=_[^/]*\.JPEG$)/.exec(name)?.[0];
    if (number === undefined) continue;
    const label = number <= LAST_ANIMAL ? "animal" : "object";
    const target = join(folder, "photographs", label);
    mkdirSync(target, { recursive: true });
    copyFileSync(join(photographs, name), join(target, name.split("/").at(-1)));
  }
}

table();
await icons();
await scans();
await panoramas();
if (photographs) sortPhotographs();
