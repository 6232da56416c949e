import { sidesOf, type LayerNodes } from "./node-writer.js";

export function conv(nodes: LayerNodes): void {
  const { call } = nodes;
  nodes.end("Conv", convolution(nodes), {
    kernel_shape: call.pair("kernel"),
    strides: call.pair("stride"),
    pads: sidesOf(call.padding("padding")),
    dilations: call.pair("dilation"),
    group: call.number("groups"),
  });
}

export function convTranspose(nodes: LayerNodes): void {
  const { call } = nodes;
  const [vertical, horizontal] = call.pair("padding");
  nodes.end("ConvTranspose", [nodes.input(), nodes.weight("weight"), ...bias(nodes)], {
    kernel_shape: call.pair("kernel"),
    strides: call.pair("stride"),
    pads: [vertical, horizontal, vertical, horizontal],
    output_padding: call.pair("output_padding"),
    dilations: call.pair("dilation"),
    group: call.number("groups"),
  });
}

/** Weights are `[out, in]`, which is what `transB` means. */
export function linear(nodes: LayerNodes): void {
  if (nodes.call.isSequence) {
    const bias = nodes.call.flag("bias") ? "bias" : undefined;
    product(nodes, nodes.input(), { weight: "weight", bias });
    return;
  }
  nodes.end("Gemm", [nodes.input(), nodes.weight("weight"), ...bias(nodes)], { transB: 1 });
}

interface Product {
  /** Of its weights within the layer, `[out, in]`. */
  readonly weight: string;
  readonly bias: string | undefined;
  /** Its name within the layer; the layer's value where there is none. */
  readonly output?: string;
  /** The weight's, where they are more than two in the model. */
  readonly sizes?: readonly [out: number, inputs: number];
}

/** A linear layer of each token: `Gemm` takes matrices alone. Returns the name of its value. */
export function product(nodes: LayerNodes, value: string, part: Product): string {
  const { weight, bias, output } = part;
  const named = (what: string) => (output === undefined ? what : `${output}_${what}`);
  const matrix = part.sizes ? nodes.parameter(weight, part.sizes) : nodes.weight(weight);
  const turned = nodes.part(named("weight"), "Transpose", [matrix], { perm: [1, 0] });
  if (bias === undefined) return last(nodes, output, "MatMul", [value, turned]);
  const multiplied = nodes.part(named("product"), "MatMul", [value, turned]);
  return last(nodes, output, "Add", [multiplied, nodes.parameter(bias)]);
}

function last(
  nodes: LayerNodes,
  output: string | undefined,
  operator: string,
  inputs: readonly string[],
): string {
  if (output !== undefined) return nodes.part(output, operator, inputs);
  nodes.end(operator, inputs);
  return nodes.call.name;
}

/** What a convolution reads. */
export const convolution = (nodes: LayerNodes): readonly string[] => [
  nodes.input(),
  nodes.weight("weight"),
  ...bias(nodes),
];

const bias = (nodes: LayerNodes) => (nodes.call.flag("bias") ? [nodes.parameter("bias")] : []);
