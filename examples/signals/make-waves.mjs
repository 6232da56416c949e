// Writes a small data set of signals: rows of two channels of 128 numbers each, one channel after
// the other, and then the kind of the wave: sine, square or sawtooth. The second channel is the
// wave a quarter of a period later. Always the same file.
//
//   node make-waves.mjs [FILE] [COUNT]
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generator } from "../generator.mjs";

const LENGTH = 128;
/** Standard deviation of the noise; waves go from -1 to 1. */
const NOISE = 0.8;
const [file = "waves.csv", count = "3000"] = process.argv.slice(2);

/** The wave at a phase, in periods. */
const WAVES = {
  sine: (phase) => Math.sin(2 * Math.PI * phase),
  square: (phase) => (phase % 1 < 0.5 ? 1 : -1),
  sawtooth: (phase) => 2 * (phase % 1) - 1,
};
const KINDS = Object.keys(WAVES);

const draw = generator(1);
/** Normally distributed (Box and Muller). */
const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());

const rows = Array.from({ length: Number(count) }, (_, index) => {
  const kind = KINDS[index % KINDS.length];
  const [periods, start] = [3 + 5 * draw(), draw()];
  const channel = (shift) =>
    Array.from({ length: LENGTH }, (_, place) => {
      const phase = start + shift + (periods * place) / LENGTH;
      return (WAVES[kind](phase) + NOISE * normal()).toFixed(3);
    });
  return [...channel(0), ...channel(0.25), kind].join(",");
});

const names = [0, 1].flatMap((channel) =>
  Array.from({ length: LENGTH }, (_, place) => `c${channel}_${place}`),
);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, [[...names, "kind"].join(","), ...rows, ""].join("\n"));
