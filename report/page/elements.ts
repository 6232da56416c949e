/** Small helpers to build the page: text is text, never markup. */

type Child = Node | string;

/** An element with classes, as `h("div.card.wide", ...)`. */
export function h(tag: string, ...children: readonly Child[]): HTMLElement {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name!);
  if (classes.length > 0) element.className = classes.join(" ");
  element.append(...children);
  return element;
}

/** A titled part of the page. */
export function section(title: string, note: string, ...children: readonly Child[]): HTMLElement {
  const heading = h("header", h("h2", title), ...(note === "" ? [] : [h("p.note", note)]));
  return h("section.card", heading, ...children);
}

export function table(
  titles: readonly string[],
  rows: readonly (readonly Child[])[],
  kind = "",
): HTMLElement {
  const head = h("thead", h("tr", ...titles.map((title) => h("th", title))));
  const body = h("tbody", ...rows.map((row) => h("tr", ...row.map((cell) => h("td", cell)))));
  return h("div.scroll", h(`table${kind}`, head, body));
}

/** An image by its address, with what it shows. */
export function picture(address: string, alt: string): HTMLElement {
  const image = document.createElement("img");
  Object.assign(image, { src: address, alt });
  return image;
}

/** The last part of a path, for a caption. */
export const fileName = (path: string | undefined): string => path?.split(/[\\/]/).at(-1) ?? "";

/** A class by its name, with the color in which pictures show it. */
export function classCell(name: string, background: string): HTMLElement {
  const swatch = h("i.swatch");
  swatch.style.background = background;
  return h("span", swatch, name);
}

/** A share as a bar, and in words; none where nothing was measured. */
export function shareCell(share: number | undefined): HTMLElement {
  const bar = h("i.bar");
  bar.style.width = percent(share ?? 0);
  const text = share === undefined ? "–" : percent(share);
  return h("span.share", h("span.track", bar), text);
}

/** A variable of the style sheet, in the current color scheme. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}%`;

/** At most four significant digits. */
export const compact = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "–";

export const grouped = (value: number): string => value.toLocaleString("en-US");
