/** Padding as operators of ONNX, opset 17, which has no circular one. */
import { sliceInputs } from "./parts.js";
import type { LayerNodes } from "./node-writer.js";

const MODES: Readonly<Record<string, string | undefined>> = {
  constant: "constant",
  reflect: "reflect",
  replicate: "edge",
};

export function pad(nodes: LayerNodes): void {
  const { top, left, bottom, right } = nodes.call.padding("size");
  const mode = MODES[nodes.call.text("mode")];
  if (!mode) return circular(nodes);
  const pads = nodes.integers("pads", [0, 0, top, left, 0, 0, bottom, right]);
  const value = nodes.call.number("value");
  const inputs = [nodes.input(), pads, ...(value === 0 ? [] : [nodes.scalar("value", value)])];
  nodes.end("Pad", inputs, { mode });
}

/** The rows of the other side in front and behind, and then its columns. */
function circular(nodes: LayerNodes): void {
  const { top, left, bottom, right } = nodes.call.padding("size");
  const { height, width } = nodes.call.image;
  const around = (name: string, x: string, sides: Sides) => {
    const { axis, size, before, after } = sides;
    const part = (side: string, start: number, end: number) => {
      const cut = [{ axis, start, end, step: 1 }];
      return nodes.part(`${name}/${side}`, "Slice", sliceInputs(nodes, `${name}/${side}`, cut, x));
    };
    return [
      ...(before > 0 ? [part("before", size - before, size)] : []),
      x,
      ...(after > 0 ? [part("after", 0, after)] : []),
    ];
  };
  const rows = around("rows", nodes.input(), { axis: 2, size: height, before: top, after: bottom });
  const tall = rows.length === 1 ? rows[0]! : nodes.part("tall", "Concat", rows, { axis: 2 });
  const columns = around("columns", tall, { axis: 3, size: width, before: left, after: right });
  nodes.end("Concat", columns, { axis: 3 });
}

interface Sides {
  readonly axis: number;
  readonly size: number;
  readonly before: number;
  readonly after: number;
}
