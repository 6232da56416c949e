import { predictions } from "../../compiler/ops/builder.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { GraphBuilder } from "../../compiler/ops/builder.js";
import type { ConvolutionAttributes, Node, Value } from "../../compiler/ir/graph.js";
import { ops } from "../../compiler/ops/index.js";
import type { OpDefinition, Tensor } from "../../compiler/ops/op.js";
import { resolveShape, tensorSize } from "../../compiler/ops/tensors.js";
import {
  contractionShapes,
  sampler,
  type ContractionNode,
} from "../../workbench/verify/contraction-samples.js";
import { samplePlaces } from "../../workbench/verify/places.js";
import { CONTEXT, nowhere } from "../passes/chain.js";
import { uniformValues } from "../oracle/values.js";

const IMAGES = 2;

const small = (least: number, most: number) => fc.integer({ min: least, max: most });
const pair = (least: number, most: number) => fc.tuple(small(least, most), small(least, most));

const geometry = fc.record({
  kernel: pair(1, 3),
  stride: pair(1, 3),
  dilation: pair(1, 2),
  padding: fc.record({
    top: small(0, 2),
    bottom: small(0, 2),
    left: small(0, 2),
    right: small(0, 2),
  }),
  groups: small(1, 2),
});

/** A convolution and its two gradients, as nodes. */
function nodesOf(attributes: ConvolutionAttributes): readonly Node[] {
  const builder = new GraphBuilder("test");
  const x = builder.input("image", ["N", 4, 8, 7], nowhere("image"));
  const w: Value = builder.parameter(
    "weight",
    [6, 4 / attributes.groups, ...attributes.kernel],
    {
      role: "weight",
      initializer: { kind: "constant", value: 0 },
      learningRateFactor: 1,
      decayFactor: 1,
      trainable: true,
    },
    nowhere("weight"),
  );
  const origin = nowhere("conv");
  const y = builder.add("convolution", [x, w], attributes, origin);
  const toInput = { ...attributes, inputShape: x.shape };
  const dx = builder.add("convolutionInputGradient", [y, w], toInput, origin);
  const toWeight = { ...attributes, weightShape: w.shape };
  builder.add("convolutionWeightGradient", [x, y], toWeight, origin);
  return builder.finish({ outputs: predictions(dx), metrics: [] }).nodes;
}

const tensorOf = (value: Value, name: string): Tensor => {
  const shape = resolveShape(value.shape, IMAGES);
  return { shape, data: uniformValues(`samples/${name}`, tensorSize(shape), 1) };
};

test("samples are elements of the references' results", () => {
  fc.assert(
    fc.property(geometry, (attributes) => {
      for (const node of nodesOf(attributes)) {
        const inputs = node.inputs.map((value, index) => tensorOf(value, String(index))) as [
          Tensor,
          Tensor,
        ];
        const definition = ops[node.kind] as OpDefinition<never>;
        const [whole] = definition.reference(
          inputs,
          node.attributes as never,
          CONTEXT,
          node.outputs,
        );
        const contraction = node as ContractionNode;
        const shapes = contractionShapes(contraction, inputs, whole!.shape);
        const { at } = sampler(contraction, inputs, shapes);
        const sums = whole!.data.map((_, index) => Math.fround(at(index).value));
        expect(sums).toEqual(whole!.data.map(Math.fround));
      }
    }),
    { numRuns: 40 },
  );
});

test("places are few, apart, and include both ends", () => {
  const places = samplePlaces(1_000_000, 100_000);
  expect(places).toHaveLength(48);
  expect(new Set(places).size).toBe(48);
  expect(places).toEqual(expect.arrayContaining([0, 999_999]));
  expect(samplePlaces(30, 100_000)).toHaveLength(30);
});
