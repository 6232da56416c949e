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

/** A variable of the style sheet, in the current color scheme. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}%`;

/** At most four significant digits. */
export const compact = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "–";

export const grouped = (value: number): string => value.toLocaleString("en-US");
