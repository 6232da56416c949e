/**
 * What `npm create netc` makes, as a user has it: installed from tarballs, trained, built by Vite,
 * and shown a picture in Chromium. Takes packages from npm's registry: with NETC_TEST_FULL alone.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { stripe } from "../cli/fixtures.js";
import { ADAPTER } from "../cli/netc.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "netc-page-"));
const project = join(folder, "stripes");

const run = (command: string, args: readonly string[], cwd: string) =>
  execFileSync(command, args, {
    cwd,
    env: { ...process.env, ...ADAPTER },
    stdio: "pipe",
    encoding: "utf8",
  });

/** The path of the package's tarball. */
function pack(packed: string): string {
  const flags = ["--silent", "--ignore-scripts", "--pack-destination", folder];
  return join(folder, run("npm", ["pack", ...flags, packed], root).trim());
}

async function writePictures(): Promise<void> {
  for (const name of ["above", "below"] as const) {
    mkdirSync(join(folder, "photos", name), { recursive: true });
    for (let index = 0; index < 25; index++) {
      writeFileSync(join(folder, "photos", name, `${index}.png`), await stripe(name, index));
    }
  }
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(process.env["NETC_TEST_FULL"] === "1" && chromiumPath)("a created page", () => {
  test("classifies a picture that is dropped, and one that is chosen", async () => {
    await writePictures();
    const [netc, create] = [pack(root), pack(join(root, "create-netc"))];
    const flags = ["--data", "photos", "--netc", netc];
    run("npx", ["--yes", "--package", create, "create-netc", "stripes", ...flags], folder);
    run("npm", ["run", "train", "--", "--steps", "20"], project);
    run("npm", ["run", "build"], project);
    expect(readdirSync(join(project, "dist"))).toContain("best.safetensors");
    const server = await serve({ site: join(project, "dist") });
    const browser = await launchChromium();
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`${addressOf(server)}/site/index.html`);
    await page.locator("output", { hasText: "Ready" }).waitFor();
    const picture = [...(await stripe("above", 30))];
    await page.evaluate(`{
      const transfer = new DataTransfer();
      const bytes = new Uint8Array(${JSON.stringify(picture)});
      transfer.items.add(new File([bytes], "30.png", { type: "image/png" }));
      document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
    }`);
    await page.waitForFunction("document.querySelectorAll('tr').length === 2");
    const names = await page.locator("tr td:first-child").allTextContents();
    expect(names.sort()).toEqual(["above", "below"]);
    const [chosen] = [Buffer.from(await stripe("below", 31))];
    const file = { name: "31.png", mimeType: "image/png", buffer: chosen };
    await page.locator("input").setInputFiles(file);
    await page.waitForFunction("document.querySelector('output').textContent === ''");
    expect(problems).toEqual([]);
    await browser.close();
    server.close();
  }, 900_000);
});
