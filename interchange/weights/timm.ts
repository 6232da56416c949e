/**
 * The names that timm gives the layers of its networks, in the order of the specs. Its ResNet and
 * DenseNet have torchvision's names.
 */
import { each, LAYER_SCALE, under, upTo, type KnownNetwork } from "./naming.js";
import { vggFeatures } from "./torchvision.js";

/** Two convolutions over all that is left of the image take the place of linear layers. */
const vgg = (counts: readonly number[], perLayer: 2 | 3) => [
  ...vggFeatures(counts, perLayer),
  ...under("pre_logits", ["fc1", "fc2"]),
  "head.fc",
];

/** The first block does not expand; `g` is one with a gate, `-` one without. */
function block(name: string, gate: string, expands: boolean): readonly string[] {
  const start = expands ? ["conv_pw", "bn1", "conv_dw", "bn2"] : ["conv_dw", "bn1"];
  const end = expands ? ["conv_pwl", "bn3"] : ["conv_pw", "bn2"];
  const gates = gate === "g" ? ["se.conv_reduce", "se.conv_expand"] : [];
  return under(name, [...start, ...gates, ...end]);
}

/** Blocks of MobileNet and EfficientNet, a text for each stage. */
const blocks = (stages: readonly string[]) =>
  each(stages, (gates, stage) =>
    each([...gates], (gate, index) => block(`blocks.${stage}.${index}`, gate, stage > 0)),
  );

const STEM = ["conv_stem", "bn1"];
const HEAD = ["conv_head", "bn2", "classifier"];

function convnext(counts: readonly number[]): readonly string[] {
  const layers = ["conv_dw", "norm", "mlp.fc1", "mlp.fc2", LAYER_SCALE];
  const stages = each(counts, (count, stage) => [
    ...(stage > 0 ? under(`stages.${stage}.downsample`, [0, 1]) : []),
    ...each(upTo(count), (index) => under(`stages.${stage}.blocks.${index}`, layers)),
  ]);
  return [...under("stem", [0, 1]), ...stages, ...under("head", ["norm", "fc"])];
}

/** The class token has no layer around it, and `modernName` says whose the positions are. */
function vit(count: number): readonly string[] {
  const layer = ["norm1", "attn", "attn.out_proj", "norm2", "mlp.fc1", "mlp.fc2"];
  return [
    ...["", "patch_embed.proj", "encoder"],
    ...each(upTo(count), (index) => under(`blocks.${index}`, layer)),
    ...["norm", "head"],
  ];
}

const known = (network: string, layers: readonly string[], differs?: string): KnownNetwork => {
  const title = `timm's ${network}`;
  return differs === undefined ? { title, layers } : { title, layers, differs };
};

const V2_STAGES = ["-", "--", "---", "----", "---", "---", "-"];
const V3_STAGES = ["g", "--", "ggg", "gg", "ggg"];
const B0_STAGES = ["g", "gg", "gg", "ggg", "ggg", "gggg", "g"];

export const timmNetworks: readonly KnownNetwork[] = [
  known("vgg11", vgg([1, 1, 2, 2, 2], 2)),
  known("vgg13", vgg([2, 2, 2, 2, 2], 2)),
  known("vgg16", vgg([2, 2, 3, 3, 3], 2)),
  known("vgg19", vgg([2, 2, 4, 4, 4], 2)),
  known("vgg11_bn", vgg([1, 1, 2, 2, 2], 3)),
  known("vgg13_bn", vgg([2, 2, 2, 2, 2], 3)),
  known("vgg16_bn", vgg([2, 2, 3, 3, 3], 3)),
  known("vgg19_bn", vgg([2, 2, 4, 4, 4], 3)),
  known("mobilenetv2_100", [...STEM, ...blocks(V2_STAGES), ...HEAD]),
  known(
    "mobilenetv3_small_100",
    [
      ...[...STEM, ...blocks(V3_STAGES), ...under("blocks.5.0", ["conv", "bn1"])],
      ...["conv_head", "classifier"],
    ],
    "timm's mobilenetv3_small_100 has `eps=1e-5` in batch normalization, and torchvision's " +
      "network 1e-3: with timm's weights, give every `batchnorm` of the spec `eps=1e-5`",
  ),
  known("efficientnet_b0", [...STEM, ...blocks(B0_STAGES), ...HEAD]),
  known("convnext_tiny", convnext([3, 3, 9, 3])),
  known("vit_base_patch16_224, or of another size with 12 layers", vit(12)),
];
