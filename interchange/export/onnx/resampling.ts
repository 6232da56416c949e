import type { ForeignAttributes } from "../../foreign-graph.js";
import type { LayerNodes } from "./node-writer.js";

/** `Resize`, by scales where they are whole and by sizes elsewhere. */
export function upsample(nodes: LayerNodes): void {
  const { call } = nodes;
  if (call.text("mode") !== "nearest") {
    const coordinates = call.flag("align_corners") ? "align_corners" : "half_pixel";
    const isCubic = call.text("mode") === "bicubic";
    const rule = { coordinate_transformation_mode: coordinates };
    if (!isCubic) return resize(nodes, { mode: "linear", ...rule });
    return resize(nodes, { mode: "cubic", cubic_coeff_a: -0.75, ...rule });
  }
  if (!isExactInFloats(nodes)) return pickPixels(nodes);
  resize(nodes, {
    mode: "nearest",
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  });
}

function resize(nodes: LayerNodes, attributes: ForeignAttributes): void {
  const { height, width } = nodes.call.image;
  const [, channels, rows, columns] = nodes.call.output.map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const scales = [rows / height, columns / width];
  if (scales.every(Number.isInteger)) {
    const named = nodes.floats("scales", [4], [1, 1, ...scales]);
    return nodes.end("Resize", [nodes.input(), undefined, named], attributes);
  }
  const batch = nodes.part("batch", "Shape", [nodes.input()], { start: 0, end: 1 });
  const rest = nodes.integers("rest", [channels, rows, columns]);
  const sizes = nodes.part("sizes", "Concat", [batch, rest], { axis: 0 });
  nodes.end("Resize", [nodes.input(), undefined, undefined, sizes], attributes);
}

/** Whether rounding to 32 bits leaves `floor(i / scale)` what it is. */
function isExactInFloats({ call }: LayerNodes): boolean {
  const { height, width } = call.image;
  const [, , rows, columns] = call.output.map(Number) as [number, number, number, number];
  const isExact = (from: number, to: number) => {
    const scale = Math.fround(to / from);
    return Array.from({ length: to }, (_, index) => {
      const place = Math.floor(Math.fround(index / scale));
      return place === Math.floor((index * from) / to);
    }).every(Boolean);
  };
  return isExact(height, rows) && isExact(width, columns);
}

/** The pixels by their numbers. */
function pickPixels(nodes: LayerNodes): void {
  const { height, width } = nodes.call.image;
  const [, , rows, columns] = nodes.call.output.map(Number) as [number, number, number, number];
  const picked = (from: number, to: number) =>
    Array.from({ length: to }, (_, index) => Math.floor((index * from) / to));
  const vertical = nodes.integers("rows", picked(height, rows));
  const horizontal = nodes.integers("columns", picked(width, columns));
  const tall = nodes.part("tall", "Gather", [nodes.input(), vertical], { axis: 2 });
  nodes.end("Gather", [tall, horizontal], { axis: 3 });
}
