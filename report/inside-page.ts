/** A page that shows a picture as a network sees it: one file without scripts or requests. */
import { escapeHtml, renderDocument } from "./document.js";

/** An image of the page, as a data URL. */
export interface PageImage {
  readonly url: string;
  /** Pixels of the file, which the page scales. */
  readonly width: number;
  readonly height: number;
}

export interface PageClass {
  readonly name: string;
  /** 0 to 1. */
  readonly probability: number;
}

/** What a layer makes of the picture: its strongest channels as tiles of one image. */
export interface PageStage {
  readonly name: string;
  readonly kind: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly shown: number;
  /** A tile for each channel that is shown. */
  readonly tiles: readonly PageImage[];
}

export interface InsidePage {
  readonly model: string;
  readonly picture: string;
  readonly weights: string;
  /** The picture after the transforms of the eval split, without normalization. */
  readonly input: PageImage;
  readonly classes: readonly PageClass[];
  readonly map: {
    readonly layer: string;
    readonly className: string;
    readonly image: PageImage;
    readonly isEmpty: boolean;
  };
  readonly filters?: { readonly name: string; readonly tiles: readonly PageImage[] } | undefined;
  readonly stages: readonly PageStage[];
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** The page's HTML. */
export function renderInside(page: InsidePage): string {
  const title = `${page.model}: ${page.picture}`;
  const body = `<main>
<header><h1>${escapeHtml(page.picture)}</h1>
<p>as ${escapeHtml(page.model)} sees it, with the weights ${escapeHtml(page.weights)}</p></header>
${predictionOf(page)}
${filtersOf(page)}
${stagesOf(page)}
</main>`;
  return renderDocument({ title, policy: POLICY, style: STYLE, body });
}

function predictionOf({ input, map, classes }: InsidePage): string {
  const explained = map.isEmpty
    ? `Nothing at <code>${escapeHtml(map.layer)}</code> speaks for this class: the map is empty.`
    : `Bright places at <code>${escapeHtml(map.layer)}</code> speak for this class.`;
  return `<section class="prediction">
<figure><div class="picture">${imageOf(input, "the picture as the network reads it")}</div>
<figcaption>Input, ${input.width} x ${input.height} pixels</figcaption></figure>
<figure><div class="picture">${imageOf(input, "")}${imageOf(map.image, "Grad-CAM")}</div>
<figcaption>Grad-CAM for <b>${escapeHtml(map.className)}</b>. ${explained}</figcaption></figure>
<div class="classes"><h2>Classes</h2>
<ol>${classes.map(classOf).join("")}</ol></div>
</section>`;
}

function classOf({ name, probability }: PageClass): string {
  const percent = `${(100 * probability).toFixed(1)}%`;
  return (
    `<li><span class="name">${escapeHtml(name)}</span><span class="share">${percent}</span>` +
    `<span class="bar"><span style="width:${percent}"></span></span></li>`
  );
}

function filtersOf({ filters }: InsidePage): string {
  if (!filters) return "";
  const tiles = filters.tiles.map((tile, index) => imageOf(tile, `filter ${index}`)).join("");
  const note = `Weights <code>${escapeHtml(filters.name)}</code>. Gray is 0.`;
  return `<section><h2>Filters of the first layer</h2>
<p>${note}</p><div class="tiles filters">${tiles}</div></section>`;
}

function stagesOf({ stages }: InsidePage): string {
  if (stages.length === 0) return "";
  return `<section><h2>Activations</h2>
<p>The channels of each stage with the largest values, the largest first. Each is drawn from its
smallest value (dark) to its largest (bright).</p>
${stages.map(stageOf).join("\n")}</section>`;
}

function stageOf(stage: PageStage): string {
  const { name, kind, channels, height, width, shown, tiles } = stage;
  const size = `${channels} channels of ${height} x ${width}`;
  const part = shown < channels ? `, ${shown} shown` : "";
  const images = tiles.map((tile, index) => imageOf(tile, `${name}, channel ${index}`)).join("");
  const note = `${escapeHtml(kind)}, ${size}${part}`;
  return `<div class="stage"><h3><code>${escapeHtml(name)}</code> <small>${note}</small></h3>
<div class="tiles">${images}</div></div>`;
}

const imageOf = ({ url, width, height }: PageImage, text: string): string =>
  `<img src="${url}" width="${width}" height="${height}" alt="${escapeHtml(text)}">`;

const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #fff; --text: #1b1f27; --muted: #5d6675; --line: #e4e7ec; --bar: #2f6fd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101216; --card: #191c22; --text: #e6e9ef; --muted: #97a0af; --line: #2b303a;
    --bar: #6ea3f5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; display: grid; gap: 16px;
  grid-template-columns: minmax(0, 1fr); }
h1 { font-size: 24px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 4px; }
h3 { font-size: 14px; margin: 20px 0 8px; font-weight: 600; overflow-wrap: anywhere; }
small { color: var(--muted); font-weight: 400; font-size: 13px; }
p { color: var(--muted); margin: 0 0 12px; max-width: 70ch; overflow-wrap: anywhere; }
header p { margin: 4px 0 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 20px; min-width: 0; }
code { font: 0.92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.prediction { display: grid; gap: 20px; grid-template-columns: 1fr 1fr 1.1fr; }
@media (max-width: 860px) { .prediction { grid-template-columns: 1fr 1fr; }
  .classes { grid-column: 1 / -1; } }
@media (max-width: 480px) { main { padding: 18px 12px 40px; } section { padding: 14px; }
  .prediction { grid-template-columns: 1fr; } }
figure { margin: 0; min-width: 0; }
figcaption { color: var(--muted); font-size: 13px; margin-top: 8px; overflow-wrap: anywhere; }
figcaption b { color: var(--text); }
.picture { position: relative; border-radius: 8px; overflow: hidden; line-height: 0; }
.picture img { width: 100%; height: auto; }
.picture img + img { position: absolute; inset: 0; height: 100%; opacity: 0.62; }
ol { list-style: none; margin: 8px 0 0; padding: 0; display: grid; gap: 10px; }
li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px; }
.name { overflow-wrap: anywhere; }
li:first-child .name { font-weight: 600; }
.share { font-variant-numeric: tabular-nums; color: var(--muted); }
.bar { grid-column: 1 / -1; height: 6px; border-radius: 3px; background: var(--line); }
.bar span { display: block; height: 100%; min-width: 2px; border-radius: 3px;
  background: var(--bar); }
.tiles { display: grid; gap: 4px; grid-template-columns: repeat(auto-fill, minmax(72px, 1fr)); }
.tiles.filters { grid-template-columns: repeat(auto-fill, minmax(44px, 1fr)); }
.tiles img { width: 100%; height: auto; image-rendering: pixelated; border-radius: 3px;
  display: block; }
`;
