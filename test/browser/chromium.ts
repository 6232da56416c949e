/** The browser that tests run in. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Undefined where there is none; tests are then skipped, unless NETC_TEST_NO_SKIP forbids it. */
export const chromiumPath = [process.env.NETC_CHROMIUM ?? "", ...CANDIDATES].find(existsSync);

if (!chromiumPath) {
  if (process.env["NETC_TEST_NO_SKIP"] === "1") throw new Error("no Chromium found");
  console.log(
    "browser tests skipped: no Chromium found (apt-get install chromium, or NETC_CHROMIUM=PATH)",
  );
}

/** With WebGPU on its own software adapter: the same on all machines. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath!,
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  });
