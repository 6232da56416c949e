/** Padding as operators of ONNX, opset 17, which has no circular one. */
import { paddedAxes } from "../parts.js";
import { sliceInputs } from "./parts.js";
import type { LayerNodes } from "./node-writer.js";

const MODES: Readonly<Record<string, string | undefined>> = {
  constant: "constant",
  reflect: "reflect",
  replicate: "edge",
};

export function pad(nodes: LayerNodes): void {
  const mode = MODES[nodes.call.text("mode")];
  if (!mode) return circular(nodes);
  const added = paddedAxes(nodes.call);
  const along = (side: "before" | "after") =>
    nodes.call.shape.map((_, axis) => added.find((each) => each.axis === axis)?.[side] ?? 0);
  const pads = nodes.integers("pads", [...along("before"), ...along("after")]);
  const value = nodes.call.number("value");
  const inputs = [nodes.input(), pads, ...(value === 0 ? [] : [nodes.scalar("value", value)])];
  nodes.end("Pad", inputs, { mode });
}

/** The elements of the other side in front and behind, along one axis after the other. */
function circular(nodes: LayerNodes): void {
  const { call } = nodes;
  const around = (name: string, x: string, { axis, before, after }: Sides) => {
    const size = Number(call.shape[axis]);
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
  const added = paddedAxes(call);
  const [first, last] = [added[0]!, added.at(-1)!];
  if (first === last) {
    nodes.end("Concat", around("axis", nodes.input(), first), { axis: first.axis });
    return;
  }
  const rows = around("rows", nodes.input(), first);
  const tall = rows.length === 1 ? rows[0]! : nodes.part("tall", "Concat", rows, { axis: 2 });
  nodes.end("Concat", around("columns", tall, last), { axis: 3 });
}

interface Sides {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
}
