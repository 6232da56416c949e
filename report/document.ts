/** HTML documents in one file, with their style and script inside and nothing to fetch. */

export interface DocumentParts {
  readonly title: string;
  /** The Content-Security-Policy. */
  readonly policy: string;
  readonly style: string;
  readonly body: string;
}

/** A page's script and style, as the build makes them. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** The HTML of a page. */
export const renderDocument = ({ title, policy, style, body }: DocumentParts): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`;

/** Data that the page's script reads, as an element that nothing in the data can end. */
export const dataElement = (id: string, value: unknown): string =>
  `<script type="application/json" id="${id}">` +
  `${JSON.stringify(value).replaceAll("<", "\\u003c")}</script>`;

/** A script as an element that nothing in its text can end. */
export const scriptElement = (script: string): string =>
  `<script>${script.replaceAll("</script", "<\\/script")}</script>`;

export const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
