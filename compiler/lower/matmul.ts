import type { Node, Value } from "../ir/graph.js";
import { pixelContraction } from "../kernels/contraction-pixels.js";
import { IDENTITY } from "../kernels/epilogue.js";
import { oneRun } from "../layout/window.js";
import { perImage } from "../plan/storage.js";
import { rowsPerBlock } from "../schedules/schedule.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

/** The contraction of the batch's rows, each with the second operand of its matrix. */
export function lowerMatmul(context: LoweringContext, node: Node<"matmul">): readonly StepDraft[] {
  const { schedule } = context.choice(node);
  const [a, b, result] = [...node.inputs, ...node.outputs] as [Value, Value, Value];
  const left = context.layout(a);
  const right = context.layout(b);
  if (!right.isContiguous) throw new Error(`${b.name} has a halo`);
  const made = context.layout(result);
  const { pixels, width, quads: columns, channels } = made;
  const { transposed, matrices = 1 } = node.attributes;
  const columnBlocks = Math.ceil(columns / schedule.columns);
  const rows = pixels / matrices;
  const rowBlocks = Math.ceil(rows / rowsPerBlock(schedule));
  const variant = { schedule, epilogue: IDENTITY, ofImages: true } as const;
  const kernel = transposed
    ? pixelContraction({ ...variant, order: "columns first" })
    : pixelContraction(variant);
  return [
    dispatch(kernel, {
      buffers: {
        input: context.storageOf(a),
        weights: context.storageOf(b),
        result: context.storageOf(result),
      },
      constants: {
        pixels,
        width,
        columns,
        column_blocks: columnBlocks,
        first_quad: 0,
        ...oneRun(left.pixelFloats / 4),
        input_group: 0,
        weights_group: right.imagePitch / 4 / matrices,
        weights_column: transposed ? right.pitch / 4 : undefined,
        matrix_rows: rows,
        row_blocks: rowBlocks,
        depth: left.channels,
        all_columns: channels,
        input: left.inQuads(),
        result: made.inQuads(),
      },
      workgroups: { x: { ...perImage(matrices * rowBlocks), tile: 1 }, z: columnBlocks },
      label: `${node.origin.name} product`,
      origin: node.origin,
      macs: pixels * channels * left.channels,
    }),
  ];
}
