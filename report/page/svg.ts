/** Small charts as SVG: they scale with the page and need no redrawing. */

type Attributes = Readonly<Record<string, string | number>>;

/** An element of SVG, as `svg("rect.bar", { x: 1 })`. */
export function svg(tag: string, attributes: Attributes, ...children: readonly Node[]): SVGElement {
  const [name, ...classes] = tag.split(".");
  const element = document.createElementNS("http://www.w3.org/2000/svg", name!);
  if (classes.length > 0) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

export function svgText(text: string, attributes: Attributes): SVGElement {
  return svg("text.label", attributes, document.createTextNode(text));
}

/** A square from 0 to 1 on both axes, in units of its drawing. */
export interface UnitSquare {
  readonly size: number;
  readonly left: number;
  readonly top: number;
}

export const xOf = ({ left, size }: UnitSquare, share: number): number => left + size * share;
export const yOf = ({ top, size }: UnitSquare, share: number): number => top + size * (1 - share);

/** A mark of an axis, at a share of its length. */
export interface Tick {
  readonly share: number;
  readonly text: string;
}

const PERCENT: readonly Tick[] = [0, 0.5, 1].map((share) => ({ share, text: `${100 * share}%` }));

/** The frame, the same ticks on both axes, in percent unless given, and the names of the axes. */
export function squareAxes(
  square: UnitSquare,
  [x, y]: readonly [string, string],
  ticks = PERCENT,
): SVGElement[] {
  const { left, top, size } = square;
  const middle = { "text-anchor": "middle" };
  return [
    svg("rect.frame", { x: left, y: top, width: size, height: size }),
    ...ticks.flatMap(({ share, text }) => [
      svgText(text, { x: xOf(square, share), y: top + size + 14, ...middle }),
      svgText(text, { x: left - 5, y: yOf(square, share) + 4, "text-anchor": "end" }),
    ]),
    svgText(x, { x: left + size / 2, y: top + size + 28, ...middle }),
    svgText(y, { x: Math.max(0, left - 36), y: top - 8 }),
  ];
}

/** Where both are the same. */
export function diagonal(square: UnitSquare): SVGElement {
  const [x1, y1, x2, y2] = [xOf(square, 0), yOf(square, 0), xOf(square, 1), yOf(square, 1)];
  return svg("line.diagonal", { x1, y1, x2, y2 });
}
