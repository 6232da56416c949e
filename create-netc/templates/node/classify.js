// Prints the three most probable classes of each picture: npm run classify rose.jpg
import { readFile } from "node:fs/promises";
import { createMODEL } from "./NAME.js";

const net = await createMODEL({ batch: 1 });
await net.load(await readFile("runs/NAME/best.safetensors"));
for (const path of process.argv.slice(2)) {
  const classes = await net.classify(path, { top: 3 });
  console.log(path);
  for (const { name, probability } of classes) {
    console.log(`  ${(100 * probability).toFixed(1).padStart(5)}%  ${name}`);
  }
}
net.destroy();
