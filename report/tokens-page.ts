/**
 * A page with the class that a network gives to each token of some rows: one file without scripts
 * or requests.
 */
import { escapeHtml, renderDocument } from "./document.js";
import type { PageClass } from "./inside-page.js";

/** A token, and what it most probably is. */
export interface PageToken {
  /** What the network reads there; absent where its input has other places than its target. */
  readonly read: string | undefined;
  /** The most probable first. */
  readonly classes: readonly PageClass[];
}

export interface TokensPage {
  readonly model: string;
  readonly table: string;
  readonly weights: string;
  readonly rows: readonly { readonly name: string; readonly tokens: readonly PageToken[] }[];
  /** Rows of the table. */
  readonly of: number;
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** The page's HTML. */
export function renderTokens({ model, table, weights, rows, of }: TokensPage): string {
  const shown = rows.length < of ? ` The first ${rows.length} of ${of} rows.` : "";
  const reads = rows.some(({ tokens }) => tokens.some(({ read }) => read !== undefined));
  const note =
    `${reads ? "Small: the token that is read. " : ""}Large: the most probable class, ` +
    `on a ground as strong as its probability; point at it for others.${shown}`;
  const body = `<main>
<header><h1>${escapeHtml(table)}</h1>
<p>as ${escapeHtml(model)} sees it, with the weights ${escapeHtml(weights)}. ${note}</p></header>
${rows.map(rowOf).join("\n")}
</main>`;
  return renderDocument({ title: `${model}: ${table}`, policy: POLICY, style: STYLE, body });
}

const rowOf = ({ name, tokens }: TokensPage["rows"][number]): string =>
  `<section><h2>${escapeHtml(name)}</h2><ol>${tokens.map(tokenOf).join("")}</ol></section>`;

function tokenOf({ read, classes }: PageToken): string {
  const [best] = classes;
  const list = classes.map(({ name, probability }) => `${name} ${percent(probability)}`);
  const above = read === undefined ? "" : `<small>${escapeHtml(read)}</small>`;
  return (
    `<li title="${escapeHtml(list.join("\n"))}" style="--p:${best!.probability.toFixed(3)}">` +
    `${above}<b>${escapeHtml(best!.name)}</b><i>${percent(best!.probability)}</i></li>`
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #fff; --text: #1b1f27; --muted: #5d6675; --line: #e4e7ec;
  --strong: 47 111 208;
}
@media (prefers-color-scheme: dark) {
  :root { --page: #101216; --card: #191c22; --text: #e6e9ef; --muted: #97a0af; --line: #2b303a;
    --strong: 110 163 245; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; display: grid; gap: 16px;
  grid-template-columns: minmax(0, 1fr); }
h1 { font-size: 24px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 14px; margin: 0 0 8px; overflow-wrap: anywhere; }
p { color: var(--muted); margin: 4px 0 0; max-width: 70ch; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 14px 16px; min-width: 0; }
ol { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px; }
li { display: grid; justify-items: center; min-width: 44px; max-width: 100%; padding: 3px 6px;
  border: 1px solid var(--line); border-radius: 5px;
  background: rgb(var(--strong) / calc(0.45 * var(--p))); }
li b { font-size: 17px; overflow-wrap: anywhere; }
small, i { color: var(--muted); font-size: 12px; font-style: normal;
  font-variant-numeric: tabular-nums; }
@media (max-width: 480px) { main { padding: 18px 12px 40px; } section { padding: 10px; } }
`;
