/** The names that transformers gives the layers of its networks, in the order of the specs. */
import { each, LAYER_SCALE, under, upTo, type KnownNetwork } from "./naming.js";

const unit = (name: string) => under(name, ["convolution", "normalization"]);

/** `depth` convolutions a block; the first block of a stage has a shortcut where shapes change. */
function resnet(counts: readonly number[], depth: 2 | 3): readonly string[] {
  const block = (name: string, isProjected: boolean) => [
    ...each(under(`${name}.layer`, upTo(depth)), unit),
    ...(isProjected ? unit(`${name}.shortcut`) : []),
  ];
  const stages = each(counts, (count, stage) =>
    each(upTo(count), (index) =>
      block(
        `resnet.encoder.stages.${stage}.layers.${index}`,
        index === 0 && (stage > 0 || depth === 3),
      ),
    ),
  );
  return [...unit("resnet.embedder.embedder"), ...stages, "classifier.1"];
}

function convnext(counts: readonly number[]): readonly string[] {
  const layers = ["dwconv", "layernorm", "pwconv1", "pwconv2", LAYER_SCALE];
  const stage = (index: number) => `convnext.encoder.stages.${index}`;
  const stages = each(counts, (count, index) => [
    ...(index > 0 ? under(`${stage(index)}.downsampling_layer`, [0, 1]) : []),
    ...each(upTo(count), (place) => under(`${stage(index)}.layers.${place}`, layers)),
  ]);
  return [
    ...under("convnext.embeddings", ["patch_embeddings", "layernorm"]),
    ...stages,
    ...["convnext.layernorm", "classifier"],
  ];
}

export const transformersNetworks: readonly KnownNetwork[] = [
  { title: "transformers' resnet-18", layers: resnet([2, 2, 2, 2], 2) },
  { title: "transformers' resnet-34", layers: resnet([3, 4, 6, 3], 2) },
  { title: "transformers' resnet-50", layers: resnet([3, 4, 6, 3], 3) },
  { title: "transformers' resnet-101", layers: resnet([3, 4, 23, 3], 3) },
  { title: "transformers' resnet-152", layers: resnet([3, 8, 36, 3], 3) },
  {
    title: "transformers' convnext-tiny",
    layers: convnext([3, 3, 9, 3]),
    differs:
      "transformers' ConvNeXt has `eps=1e-12` in the last layer normalization, and torchvision's " +
      "1e-6: with these weights, give the last `layernorm` of the spec `eps=1e-12`",
  },
];
