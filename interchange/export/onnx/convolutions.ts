import { sidesOf, type LayerNodes } from "./node-writer.js";

export function conv(nodes: LayerNodes): void {
  const { call } = nodes;
  nodes.end("Conv", [nodes.input(), nodes.weight("weight"), ...bias(nodes)], {
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
  nodes.end("Gemm", [nodes.input(), nodes.weight("weight"), ...bias(nodes)], { transB: 1 });
}

const bias = (nodes: LayerNodes) => (nodes.call.flag("bias") ? [nodes.parameter("bias")] : []);
