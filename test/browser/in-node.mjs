// node in-node.mjs MODULE BATCH: exercises a generated module in Node and prints the result as
// JSON.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { exercise } from "./exercise.mjs";

const [path, batch] = process.argv.slice(2);
const url = pathToFileURL(resolve(path)).href;
const result = await exercise(url, { batch: Number(batch), adapter: "embedded" });
console.log(JSON.stringify(result));
