import type { AnalyzedLayer } from "../compiler/semantics/index.js";
import type { Box, DiagramInput, Frame } from "./diagram.js";
import { textWidth } from "./text.js";

/** A line of text in a box. */
export interface Line {
  readonly text: string;
  readonly style: "name" | "call" | "cost";
  /** Between the box's top and the text's top and middle. */
  readonly top: number;
  readonly middle: number;
  /** Whether it is the first line of a layer. */
  readonly startsLayer: boolean;
}

export interface Measured {
  readonly width: number;
  readonly height: number;
  readonly lines: readonly Line[];
}

export const FONT_SIZE = {
  name: 13,
  call: 11,
  cost: 11,
  frame: 12,
  wire: 10.5,
  title: 17,
} as const;

const LINE_HEIGHT = { name: 19, call: 15, cost: 15 } as const;
const PADDING = { side: 12, ends: 6, rows: 4 } as const;

/** The lines of a box and the space that they need. Pixels. */
export function measureBox({ rows }: Box): Measured {
  const lines: Line[] = [];
  let top: number = PADDING.ends;
  for (const [place, { layer }] of rows.entries()) {
    for (const [number, { text, style }] of linesOf(layer, place).entries()) {
      const startsLayer = number === 0;
      if (startsLayer && place > 0) top += PADDING.rows;
      const above = startsLayer && place > 0 ? PADDING.rows / 2 : 0;
      const middle = top + LINE_HEIGHT[style] / 2;
      lines.push({ text, style, top: top - above, middle, startsLayer });
      top += LINE_HEIGHT[style];
    }
  }
  const widths = lines.map(({ text, style }) => textWidth(text, FONT_SIZE[style], weightOf(style)));
  return { width: Math.max(72, ...widths) + 2 * PADDING.side, height: top + PADDING.ends, lines };
}

const weightOf = (style: Line["style"]) => (style === "name" ? "bold" : "normal");

export function measureInput({ name }: DiagramInput): Measured {
  const line: Line = { text: name, style: "name", top: 6, middle: 15, startsLayer: true };
  return { width: textWidth(name, FONT_SIZE.name, "bold") + 36, height: 30, lines: [line] };
}

export const frameLabelWidth = ({ label }: Frame) => textWidth(label, FONT_SIZE.frame) + 16;

export const wireLabelWidth = (text: string) => textWidth(text, FONT_SIZE.wire) + 6;

function linesOf(layer: AnalyzedLayer, place: number): readonly Pick<Line, "text" | "style">[] {
  const name = layer.name.split(".").at(-1)!;
  const says = layer.call === layer.kind && name.startsWith(layer.kind);
  const cost = costOf(layer);
  if (place > 0) return [{ text: says ? name : `${name}  ${layer.call}`, style: "call" }];
  return [
    { text: name, style: "name" },
    ...(says ? [] : [{ text: layer.call, style: "call" } as const]),
    ...(cost ? [{ text: cost, style: "cost" } as const] : []),
  ];
}

/** `307 k parameters, 224 M MACs`. */
function costOf({ parameters, macs }: AnalyzedLayer): string | undefined {
  const parts = [
    ...(parameters > 0 ? [`${shortCount(parameters)} parameters`] : []),
    ...(macs > 0 ? [`${shortCount(macs)} MACs`] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : undefined;
}

/** Three significant digits: `960`, `23.3 k`, `224 M`, `1.36 G`. */
export function shortCount(count: number): string {
  const units = ["", " k", " M", " G", " T"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}
