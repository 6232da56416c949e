// Puts the best weights where the page finds them.
import { existsSync, mkdirSync, copyFileSync } from "node:fs";

const WEIGHTS = "runs/NAME/best.safetensors";
if (!existsSync(WEIGHTS)) {
  console.error(`there are no weights in ${WEIGHTS}: run \`npm run train\` first`);
  process.exit(1);
}
mkdirSync("public", { recursive: true });
copyFileSync(WEIGHTS, "public/best.safetensors");
