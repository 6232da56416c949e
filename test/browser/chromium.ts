/** The browser that tests run in. */
import { existsSync } from "node:fs";

const candidates = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Undefined where there is none; tests are then skipped. */
export const chromiumPath = [process.env.NETC_CHROMIUM ?? "", ...candidates].find(existsSync);

if (!chromiumPath) {
  console.log(
    "browser tests skipped: no Chromium found (apt-get install chromium, or NETC_CHROMIUM=PATH)",
  );
}
