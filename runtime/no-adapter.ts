/**
 * Why a browser has no adapter, and what helps on it. Only pages that cannot run load this file.
 */

/** The globals of a page or a worker from which a browser is known. */
export interface Surroundings {
  readonly isSecureContext?: boolean;
  readonly navigator?: { readonly userAgent?: string };
}

/** A message; `tried` are the reasons that the browser gave, if any. */
export function explainNoAdapter(
  hasWebGPU: boolean,
  tried: readonly string[],
  surroundings: Surroundings,
): string {
  const what = hasWebGPU
    ? "this browser has WebGPU, but found no adapter to run it on"
    : "this browser has no WebGPU (`navigator.gpu`)";
  const reasons = [...new Set(tried)].map((reason) => ` (${reason})`).join("");
  return `${what}${reasons}: ${adviceFor(hasWebGPU, surroundings)}`;
}

function adviceFor(hasWebGPU: boolean, { isSecureContext, navigator }: Surroundings): string {
  if (!hasWebGPU && isSecureContext === false) {
    return "serve the page over https or from localhost; browsers hide WebGPU from other pages";
  }
  const { userAgent = "" } = navigator ?? {};
  const [, advice] = ADVICE.find(([browser]) => browser.test(userAgent))!;
  return advice;
}

/** By what a browser calls itself. All browsers of iOS are Safari inside. */
const ADVICE: readonly (readonly [browser: RegExp, advice: string])[] = [
  [/iPhone|iPad|iPod/, "it needs iOS 26 or later, in any browser; update the device"],
  [
    /Android/,
    "it needs Chrome 121 or later on Android 12 or later, or another browser that is based on it",
  ],
  [
    /Firefox/,
    "Firefox has it from 141 on Windows and from 145 on Macs with Apple silicon; " +
      "elsewhere set `dom.webgpu.enabled` in about:config, or use Chrome or Edge",
  ],
  [
    /Linux.*Chrome/,
    "open chrome://flags, enable `Unsafe WebGPU Support` and `Vulkan`, and restart the browser; " +
      "chrome://gpu says what it found",
  ],
  [
    /Chrome/,
    "update the browser and the graphics driver, and turn on graphics acceleration " +
      "in the browser's settings; chrome://gpu says what it found",
  ],
  [/Safari/, "it needs Safari 26 or later; with macOS 15 or earlier, use Chrome or Edge"],
  [/(?:)/, "use a current Chrome, Edge, Safari or Firefox"],
];
