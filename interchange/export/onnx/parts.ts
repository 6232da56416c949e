/** Parts of values, their order and reductions as operators of ONNX, opset 17. */
import { cropOffset, reducedAxes, slicePart, type SlicePart } from "../parts.js";
import type { LayerNodes } from "./node-writer.js";

export function slice(nodes: LayerNodes): void {
  nodes.end("Slice", sliceInputs(nodes, "part", [slicePart(nodes.call)]));
}

export function crop(nodes: LayerNodes): void {
  const { top, left } = cropOffset(nodes.call);
  const [, , rows, columns] = nodes.call.output.map(Number);
  const vertical = { axis: 2, start: top, end: top + rows!, step: 1 };
  const horizontal = { axis: 3, start: left, end: left + columns!, step: 1 };
  nodes.end("Slice", sliceInputs(nodes, "part", [vertical, horizontal]));
}

/** Half of the channels times the sigmoid of the others. */
export function glu(nodes: LayerNodes): void {
  const axis = nodes.call.channelAxis;
  const half = nodes.call.image.channels / 2;
  const channels = (name: string, start: number) => {
    const part = { axis, start, end: start + half, step: 1 };
    return nodes.part(name, "Slice", sliceInputs(nodes, name, [part]));
  };
  const value = channels("value", 0);
  nodes.end("Mul", [value, nodes.part("gate", "Sigmoid", [channels("other", half)])]);
}

/** The inputs of a `Slice`. @param x what is cut */
export function sliceInputs(
  nodes: LayerNodes,
  name: string,
  parts: readonly SlicePart[],
  x = nodes.input(),
): readonly string[] {
  const list = (key: keyof SlicePart) =>
    nodes.integers(
      `${name}/${key}`,
      parts.map((part) => part[key]),
    );
  return [x, list("start"), list("end"), list("axis"), list("step")];
}

/** Reductions take their axes as an attribute until opset 18; `ReduceSum` takes an input. */
export const reduction =
  (operator: string) =>
  (nodes: LayerNodes): void => {
    const axes = reducedAxes(nodes.call);
    if (operator !== "ReduceSum") {
      return nodes.end(operator, [nodes.input()], { axes, keepdims: 1 });
    }
    nodes.end(operator, [nodes.input(), nodes.integers("axes", axes)], { keepdims: 1 });
  };

export function channelShuffle(nodes: LayerNodes): void {
  const { channels, height, width } = nodes.call.image;
  const groups = nodes.call.number("groups");
  reorder(nodes, [groups, channels / groups, height, width], [0, 2, 1, 3, 4]);
}

export function pixelShuffle(nodes: LayerNodes): void {
  const blocksize = nodes.call.number("factor");
  nodes.end("DepthToSpace", [nodes.input()], { blocksize, mode: "CRD" });
}

/** `SpaceToDepth` orders channels otherwise. */
export function pixelUnshuffle(nodes: LayerNodes): void {
  const { channels, height, width } = nodes.call.image;
  const factor = nodes.call.number("factor");
  const sizes = [channels, height / factor, factor, width / factor, factor];
  reorder(nodes, sizes, [0, 1, 3, 5, 2, 4]);
}

/** The value with its axes apart, in another order, and together again. */
function reorder(nodes: LayerNodes, sizes: readonly number[], perm: readonly number[]): void {
  const apart = nodes.integers("apart", [0, ...sizes]);
  const parts = nodes.part("parts", "Reshape", [nodes.input(), apart]);
  const turned = nodes.part("turned", "Transpose", [parts], { perm });
  const together = nodes.integers("together", [0, ...nodes.call.output.slice(1).map(Number)]);
  nodes.end("Reshape", [turned, together]);
}
