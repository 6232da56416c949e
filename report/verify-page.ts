/** The page that checks a spec's kernels in the browser that opens it. */
import {
  dataElement,
  escapeHtml,
  renderDocument,
  scriptElement,
  type PageAssets,
} from "./document.js";

export interface VerifyPage {
  /** File name of the spec. */
  readonly spec: string;
  /** What the page's script reads: the spec's text and how to compile it. */
  readonly data: unknown;
}

const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

/** The page's HTML. */
export function renderVerifyPage(
  { spec, data }: VerifyPage,
  { script, style }: PageAssets,
): string {
  const body = `<main id="page"><h1>${escapeHtml(spec)}</h1></main>
<noscript>This page checks kernels with a script.</noscript>
${dataElement("data", data)}
${scriptElement(script)}`;
  return renderDocument({ title: `Verify ${spec}`, policy: POLICY, style, body });
}
