import type { AnalyzedLayer, AnalyzedModel, Group } from "../compiler/semantics/index.js";

/** One layer as a row of a box. */
export interface Row {
  readonly layer: AnalyzedLayer;
  /** Index of the layer in its model. */
  readonly index: number;
}

/**
 * Layers drawn as one box: the first does the work, the others change its values one by one on
 * their way.
 */
export interface Box {
  readonly id: string;
  readonly rows: readonly [Row, ...Row[]];
  /** The frame around it. */
  readonly frame: string | undefined;
}

/** A section or the use of a block. */
export interface Frame {
  readonly id: string;
  readonly label: string;
  readonly parent: string | undefined;
}

/** A value on its way from one box to another. */
export interface Wire {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** `64 × 55 × 55`; absent where a mistake hides the shape. */
  readonly shape: string | undefined;
}

export interface DiagramInput {
  readonly id: string;
  readonly name: string;
  readonly shape: Dimensions;
}

/**
 * A network as boxes, the wires between them and the frames around them: what to draw, without
 * places.
 */
export interface Diagram {
  readonly inputs: readonly DiagramInput[];
  readonly boxes: readonly Box[];
  readonly frames: readonly Frame[];
  readonly wires: readonly Wire[];
}

/** The first input's index in `AnalyzedLayer.inputs`. */
const FIRST_INPUT = -1;

const idOfInput = (place: number) => (place === 0 ? "input" : `input${place + 1}`);

/**
 * What to draw of a model. Rows of a box share its wire, so a deep network stays a picture that
 * people can read.
 */
export function makeDiagram(model: AnalyzedModel): Diagram {
  const frames = new Frames(model.groups);
  const boxes = gatherBoxes(model, frames);
  const boxOf = new Map(boxes.flatMap((box) => box.rows.map((row) => [row.index, box.id])));
  const inputs = inputsOf(model);
  inputs.forEach(({ id }, place) => boxOf.set(FIRST_INPUT - place, id));
  const wires = boxes.flatMap((box) =>
    box.rows[0].layer.inputs.map((from, place) => ({
      id: `${box.id}.${place}`,
      from: boxOf.get(from)!,
      to: box.id,
      shape: formatDimensions(shapeOf(model, from)),
    })),
  );
  return {
    inputs,
    boxes,
    frames: frames.used,
    wires,
  };
}

/** The model's inputs; a model whose input has a mistake is drawn with one of no shape. */
function inputsOf({ inputs }: AnalyzedModel): readonly DiagramInput[] {
  if (inputs.length === 0) return [{ id: idOfInput(0), name: "input", shape: undefined }];
  return inputs.map(({ name, shape }, place) => ({ id: idOfInput(place), name, shape }));
}

/** A shape without the batch axis; undefined where a mistake hides it. */
type Dimensions = readonly number[] | undefined;

/** `64 × 55 × 55`. */
export function formatDimensions(shape: Dimensions): string | undefined {
  return shape?.join(" × ");
}

export function shapeOf(model: AnalyzedModel, index: number): Dimensions {
  return index < 0 ? model.inputs[FIRST_INPUT - index]?.shape : model.layers[index]!.output;
}

function gatherBoxes(model: AnalyzedModel, frames: Frames): readonly Box[] {
  // What a loss or a metric computes is not a part of the network.
  const drawn = [...model.layers.entries()].filter(([index]) => !model.ofScores.has(index));
  const readers = countReaders(drawn.map(([, layer]) => layer));
  const boxes: { id: string; rows: [Row, ...Row[]]; frame: string | undefined }[] = [];
  const boxOf = new Map<number, (typeof boxes)[number]>();
  for (const [index, layer] of drawn) {
    const frame = frames.around(layer.group);
    const row = { layer, index };
    const [from = FIRST_INPUT] = layer.inputs;
    const box = boxOf.get(from);
    const joins =
      box !== undefined &&
      box.frame === frame &&
      readers.get(from) === 1 &&
      keepsShape(layer, shapeOf(model, from));
    if (joins) box.rows.push(row);
    else boxes.push({ id: `box${index}`, rows: [row], frame });
    boxOf.set(index, joins ? box : boxes.at(-1)!);
  }
  return boxes;
}

/**
 * Whether a layer works on one value without multiply-adds and without changing its shape: relu,
 * batchnorm, dropout.
 */
function keepsShape(layer: AnalyzedLayer, input: Dimensions): boolean {
  return layer.inputs.length === 1 && layer.macs === 0 && sameDimensions(layer.output, input);
}

/** Whether two shapes agree, or are both unknown. */
export function sameDimensions(a: Dimensions, b: Dimensions): boolean {
  return formatDimensions(a) === formatDimensions(b);
}

function countReaders(layers: readonly AnalyzedLayer[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const from of layers.flatMap((layer) => layer.inputs)) {
    counts.set(from, (counts.get(from) ?? 0) + 1);
  }
  return counts;
}

/** The groups worth a frame. Branches and joins show in the wires. */
class Frames {
  private readonly frames = new Map<number, Frame>();

  constructor(private readonly groups: readonly Group[]) {}

  /** The frames that were asked for, outer ones first. */
  get used(): readonly Frame[] {
    return [...this.frames].toSorted(([a], [b]) => a - b).map(([, frame]) => frame);
  }

  /** The id of the innermost frame around a group, the group itself included. */
  around(index: number | undefined): string | undefined {
    const group = index === undefined ? undefined : this.groups[index];
    if (index === undefined || !group) return undefined;
    const isFrame = group.kind === "section" || group.kind === "block";
    if (!isFrame) return this.around(group.parent);
    const known = this.frames.get(index);
    if (known) return known.id;
    const frame = { id: `frame${index}`, label: labelOf(group), parent: this.around(group.parent) };
    this.frames.set(index, frame);
    return frame.id;
  }
}

/** `layer1.basic2: basic(64)` for a block, a section's name. */
function labelOf({ kind, name, label }: Group): string {
  return kind === "block" && name !== label ? `${name}: ${label}` : label;
}
