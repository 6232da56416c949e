import { multiply, operand, unary } from "../../compiler/ir/expression.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";
import { Chain } from "../passes/chain.js";

const PADDING = { top: 1, bottom: 1, left: 1, right: 1 };

/** Ops of all forms that there are. */
export const mostOps = (): Graph =>
  new Chain(["N", 3, 12, 12])
    .convolution(8, { padding: PADDING })
    .bias()
    .unary("relu")
    .maxPool({ kernel: [3, 3], stride: [2, 2] })
    .lrn({ before: 2, after: 2 })
    .convolution(8, { groups: 2, padding: PADDING, stride: [2, 2] })
    .batchnorm()
    .convolution(6, { groups: 2, padding: PADDING })
    .pointwise(multiply(operand(0), unary("sigmoid", operand(0))))
    .averagePool({ windows: "adaptive", outputSize: [2, 2] })
    .flatten()
    .linear(20)
    .bias()
    .dropout(0.5)
    .classify();

/** A residual network. */
export function residualBlocks(count: number): Graph {
  const text = `model Deep {
    input image: f32[N, 16, 8, 8]
    target label: u32[N] in 0..10
    repeat ${count} {
      residual {
        conv(16, kernel=3, padding=1, bias=false) -> batchnorm -> relu
        conv(16, kernel=3, padding=1) -> batchnorm
      } -> relu
    }
    global_avgpool -> flatten -> dropout(0.5) -> linear(10) as logits
    loss cross_entropy(logits, label)
    metric top1 = accuracy(logits, label)
  }`;
  return analyze(text, "deep.net").selected!.model.graph!;
}
