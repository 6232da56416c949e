// Writes a small data set for a language model: rows of twelve digits that repeat every four, t0 to
// t11, and behind them the digit that follows each, n0 to n11. What follows the first three cannot
// be known: their n is 99, which the loss ignores. Always the same file.
//
//   node make-periods.mjs [FILE] [COUNT]
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generator } from "../generator.mjs";

const [LENGTH, PERIOD, UNKNOWN] = [12, 4, 99];
const [file = "periods.csv", count = "1000"] = process.argv.slice(2);

const draw = generator(1);

const rows = Array.from({ length: Number(count) }, () => {
  const digits = Array.from({ length: PERIOD }, () => Math.floor(10 * draw()));
  const at = (place) => digits[place % PERIOD];
  const places = Array.from({ length: LENGTH }, (_, place) => place);
  const next = places.map((place) => (place + 1 < PERIOD ? UNKNOWN : at(place + 1)));
  return [...places.map(at), ...next].join(",");
});

const names = ["t", "n"].flatMap((name) =>
  Array.from({ length: LENGTH }, (_, place) => `${name}${place}`),
);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${[names.join(","), ...rows].join("\n")}\n`);
