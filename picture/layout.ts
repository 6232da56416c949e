import elk from "elkjs/lib/elk.bundled.js";
import type { ElkExtendedEdge, ElkNode } from "elkjs/lib/elk-api.js";
import type { Diagram } from "./diagram.js";
import {
  frameLabelWidth,
  measureBox,
  measureInput,
  wireLabelWidth,
  type Measured,
} from "./measure.js";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedBox extends Rectangle, Pick<Measured, "lines"> {}

/** Positions of everything, in pixels from the picture's top left corner. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Boxes and the input, by id. */
  readonly boxes: ReadonlyMap<string, PlacedBox>;
  readonly frames: ReadonlyMap<string, Rectangle>;
  readonly wires: ReadonlyMap<
    string,
    { readonly points: readonly Point[]; readonly label?: Point }
  >;
}

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.spacing.nodeNode": "24",
  "elk.spacing.edgeNode": "16",
  "elk.spacing.edgeEdge": "12",
  "elk.spacing.edgeLabel": "4",
  "elk.layered.spacing.nodeNodeBetweenLayers": "14",
  "elk.layered.spacing.edgeNodeBetweenLayers": "10",
  "elk.padding": "[top=16,left=16,bottom=16,right=16]",
};

const FRAME_OPTIONS = { "elk.padding": "[top=32,left=14,bottom=14,right=14]" };

/** Finds a place for everything: the Eclipse Layout Kernel's layered drawing, top to bottom. */
export async function layOut(diagram: Diagram): Promise<Layout> {
  const lines = new Map<string, Measured["lines"]>();
  const root = describe(diagram, lines);
  const placed = await new elk.default().layout(root);
  return readLayout(placed, lines);
}

/** The diagram in ELK's words. Collects the lines of each box on the way. */
function describe(diagram: Diagram, lines: Map<string, Measured["lines"]>): ElkNode {
  const root: ElkNode = { id: "root", layoutOptions: OPTIONS, children: [], edges: [] };
  const nodes = new Map<string | undefined, ElkNode>([[undefined, root]]);
  for (const frame of diagram.frames) {
    const node = {
      id: frame.id,
      layoutOptions: {
        ...FRAME_OPTIONS,
        "elk.nodeSize.constraints": "MINIMUM_SIZE",
        "elk.nodeSize.minimum": `(${frameLabelWidth(frame)}, 0)`,
      },
      children: [],
    };
    nodes.get(frame.parent)!.children!.push(node);
    nodes.set(frame.id, node);
  }
  const addBox = (id: string, measured: Measured, frame: string | undefined) => {
    const { width, height } = measured;
    lines.set(id, measured.lines);
    nodes.get(frame)!.children!.push({ id, width, height });
  };
  for (const input of diagram.inputs) addBox(input.id, measureInput(input), undefined);
  for (const box of diagram.boxes) addBox(box.id, measureBox(box), box.frame);
  root.edges = diagram.wires.map(({ id, from, to, shape }) => ({
    id,
    sources: [from],
    targets: [to],
    labels: shape ? [{ text: shape, width: wireLabelWidth(shape), height: 14 }] : [],
  }));
  return root;
}

function readLayout(root: ElkNode, lines: ReadonlyMap<string, Measured["lines"]>): Layout {
  const boxes = new Map<string, PlacedBox>();
  const frames = new Map<string, Rectangle>();
  const corners = new Map<string, Point>([["root", { x: 0, y: 0 }]]);
  const visit = (node: ElkNode, corner: Point) => {
    for (const child of node.children ?? []) {
      const { width = 0, height = 0 } = child;
      const place = { x: corner.x + (child.x ?? 0), y: corner.y + (child.y ?? 0), width, height };
      corners.set(child.id, place);
      const text = lines.get(child.id);
      if (text) boxes.set(child.id, { ...place, lines: text });
      else frames.set(child.id, place);
      visit(child, place);
    }
  };
  visit(root, { x: 0, y: 0 });
  const wires = new Map((root.edges ?? []).map((edge) => [edge.id, readWire(edge, corners)]));
  return { width: root.width ?? 0, height: root.height ?? 0, boxes, frames, wires };
}

/**
 * ELK gives an edge's points relative to the innermost frame around both of its ends, its
 * `container`.
 */
function readWire(edge: ElkExtendedEdge, corners: ReadonlyMap<string, Point>) {
  const { container } = edge as { container?: string };
  const corner = corners.get(container ?? "root") ?? { x: 0, y: 0 };
  const move = ({ x, y }: Point) => ({ x: x + corner.x, y: y + corner.y });
  const points = (edge.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) =>
    [startPoint, ...bendPoints, endPoint].map(move),
  );
  const [label] = edge.labels ?? [];
  return { points, label: label ? move({ x: label.x ?? 0, y: label.y ?? 0 }) : undefined };
}
