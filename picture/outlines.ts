import type { Box, Diagram } from "./diagram.js";
import type { Layout, PlacedBox, Point, Rectangle } from "./layout.js";

const BAND = 12;
const EDGE = 1.4;

/**
 * An outline around the layers of each kernel. Each is the union of its boxes and of the wires
 * between them, drawn twice: larger in the edge's color, then smaller in the inside's, so that
 * what lies between them and belongs to others stays out.
 */
export function drawOutlines(
  diagram: Diagram,
  layout: Layout,
  kernels: readonly (readonly number[])[],
): readonly string[] {
  return kernels.map((layers) => {
    const members = diagram.boxes.filter(({ rows }) =>
      rows.some(({ index }) => layers.includes(index)),
    );
    const ids = new Set(members.map(({ id }) => id));
    const boxes = members.map((box) => partOf(box, layout.boxes.get(box.id)!, layers));
    const wires = diagram.wires
      .filter(({ from, to }) => ids.has(from) && ids.has(to))
      .map(({ id }) => layout.wires.get(id)!.points);
    return drawUnion(boxes, wires);
  });
}

/** The part of a box that holds the rows of some layers. */
function partOf({ rows }: Box, place: PlacedBox, layers: readonly number[]): Rectangle {
  const tops = place.lines.filter(({ startsLayer }) => startsLayer);
  const first = rows.findIndex(({ index }) => layers.includes(index));
  const last = rows.findLastIndex(({ index }) => layers.includes(index));
  const top = first === 0 ? 0 : tops[first]!.top;
  const bottom = tops[last + 1]?.top ?? place.height;
  return { ...place, y: place.y + top, height: bottom - top };
}

function drawUnion(boxes: readonly Rectangle[], wires: readonly (readonly Point[])[]): string {
  const shapes = (className: string, grow: number) =>
    [
      ...boxes.map(
        ({ x, y, width, height }) =>
          `<rect class="${className}" stroke="none" rx="${7 + grow}" x="${x - 6 - grow}" ` +
          `y="${y - 6 - grow}" width="${width + 12 + 2 * grow}" ` +
          `height="${height + 12 + 2 * grow}"/>`,
      ),
      ...wires.map(
        (points) =>
          `<polyline class="${className}" style="fill:none" ` +
          `stroke-width="${BAND + 2 * grow}" ` +
          `points="${points.map(({ x, y }) => `${x},${y}`).join(" ")}"/>`,
      ),
    ].join("");
  return `<g class="kernel">${shapes("outline-edge", EDGE)}${shapes("outline-inside", 0)}</g>`;
}
