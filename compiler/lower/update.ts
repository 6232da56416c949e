import { trainedBy, type TrainedParameter } from "../ir/fusion.js";
import type { Node } from "../ir/graph.js";
import { SQUARES_BLOCKS, squareSums, sumOfBlocks } from "../kernels/square-sum.js";
import { sumGradients } from "../kernels/sum-gradients.js";
import { update, UPDATE_QUADS, UPDATE_WORKGROUP, type UpdateScale } from "../kernels/update.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { boundUpdate, descentOf } from "./gradient-sink.js";
import { fixed, type Storage } from "./storage.js";

export function lowerUpdate(context: LoweringContext, node: Node<"update">): void {
  const [{ parameter, gradient, states }] = trainedBy(node) as [TrainedParameter];
  const { clipsNorm, skips } = node.attributes;
  const scale: UpdateScale = skips ? "applied" : clipsNorm ? "norm" : "none";
  const before = scale === "none" ? undefined : context.storageOf(node.inputs.at(-1)!);
  context.piecesOf(parameter).forEach((piece, index) => {
    const quads = piece.bytes.fixed / 16;
    const kept = states.map((state) => context.piecesOf(state)[index]!);
    context.emit(
      dispatch(update({ descent: descentOf(node.attributes), scale }), {
        buffers: { gradient: context.piecesOf(gradient!)[index]! },
        constants: { quads },
        fragments: [
          boundUpdate(node.attributes, [piece, ...kept]),
          before && { buffers: { [scale]: before }, constants: {} },
        ],
        workgroups: { x: { ...fixed(quads), tile: UPDATE_WORKGROUP * UPDATE_QUADS }, z: 1 },
        label: `${parameter.name} update`,
        origin: node.origin,
      }),
    );
  });
}

/** Gradients of one parameter lie alike, piece by piece. */
export function lowerSumGradients(context: LoweringContext, node: Node<"sumGradients">): void {
  const [first, second] = node.inputs.map((input) => context.piecesOf(input));
  context.piecesOf(node.outputs[0]!).forEach((result, index) => {
    const quads = result.bytes.fixed / 16;
    context.emit({
      kernel: sumGradients(),
      storage: [first![index]!, second![index]!, result],
      constants: { quads },
      workgroups: { x: { ...fixed(quads), tile: UPDATE_WORKGROUP }, z: 1 },
      label: `${node.origin.name} gradients summed`,
      origin: node.origin,
      macs: 0,
    });
  });
}

/**
 * Two steps a piece: sums of blocks, in parallel, and their sum, in a fixed order, added to what
 * there was before.
 */
export function lowerSquareSum(context: LoweringContext, node: Node<"squareSum">): void {
  const [gradient, others] = node.inputs;
  const result = context.storageOf(node.outputs[0]!);
  let before = others && context.storageOf(others);
  for (const piece of context.piecesOf(gradient!)) {
    const quads = piece.bytes.fixed / 16;
    const blocks: Storage = {
      name: `${gradient!.name} squares`,
      purpose: "scratch",
      bytes: fixed(4 * SQUARES_BLOCKS),
    };
    const common = { label: `${gradient!.name} norm`, origin: node.origin };
    context.emit(
      dispatch(squareSums(), {
        ...common,
        buffers: { gradient: piece, blocks },
        constants: { quads },
        workgroups: { x: { ...fixed(SQUARES_BLOCKS), tile: 1 }, z: 1 },
      }),
    );
    const earlier = before === undefined ? "first" : before === result ? "same" : "other";
    context.emit(
      dispatch(sumOfBlocks(earlier), {
        ...common,
        buffers: { blocks, result, ...(earlier === "other" && { before }) },
        constants: {},
        workgroups: { x: { ...fixed(1), tile: 1 }, z: 1 },
      }),
    );
    before = result;
  }
}
