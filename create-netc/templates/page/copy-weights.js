// Puts the best weights where the page finds them.
import { existsSync, mkdirSync, copyFileSync } from "node:fs";

const weights = "runs/NAME/best.safetensors";
if (!existsSync(weights)) {
  console.error(`there are no weights in ${weights}: run \`npm run train\` first`);
  process.exit(1);
}
mkdirSync("public", { recursive: true });
copyFileSync(weights, "public/best.safetensors");
