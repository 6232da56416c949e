/**
 * The names that torchvision gives the layers of its networks, in the order in which the specs of
 * specs/ have them: a test compares logits. Layers without weights have no name here.
 */
import { each, LAYER_SCALE, under, unit, upTo } from "./naming.js";

const alexnet = [...under("features", [0, 3, 6, 8, 10]), ...under("classifier", [1, 4, 6])];

/**
 * Convolutions between poolings; each has an activation behind it, and `perLayer` says what else.
 */
export function vggFeatures(counts: readonly number[], perLayer: 2 | 3): readonly string[] {
  const names: string[] = [];
  let place = 0;
  for (const count of counts) {
    for (let layer = 0; layer < count; layer++, place += perLayer) {
      names.push(...under("features", perLayer === 3 ? [place, place + 1] : [place]));
    }
    place++;
  }
  return names;
}

const vgg = (counts: readonly number[], perLayer: 2 | 3) => [
  ...vggFeatures(counts, perLayer),
  ...under("classifier", [0, 3, 6]),
];

/**
 * `depth` convolutions a block; the first block of a stage has a projection where shapes change.
 */
function resnet(counts: readonly number[], depth: 2 | 3): readonly string[] {
  const block = (name: string, isProjected: boolean) => [
    ...each(upTo(depth, 1), (index) => under(name, [`conv${index}`, `bn${index}`])),
    ...(isProjected ? unit(`${name}.downsample`) : []),
  ];
  const stages = each(counts, (count, stage) =>
    each(upTo(count), (index) =>
      block(`layer${stage + 1}.${index}`, index === 0 && (stage > 0 || depth === 3)),
    ),
  );
  return ["conv1", "bn1", ...stages, "fc"];
}

function densenet(counts: readonly number[]): readonly string[] {
  const layer = (name: string) => under(name, ["norm1", "conv1", "norm2", "conv2"]);
  const blocks = each(counts, (count, index) => [
    ...each(upTo(count, 1), (place) => layer(`features.denseblock${index + 1}.denselayer${place}`)),
    ...(index < counts.length - 1
      ? under(`features.transition${index + 1}`, ["norm", "conv"])
      : []),
  ]);
  return [...under("features", ["conv0", "norm0"]), ...blocks, "features.norm5", "classifier"];
}

/** GoogLeNet's early classifiers come last in the spec, and before `fc` in torchvision. */
function googlenet(): readonly string[] {
  const basic = (name: string) => under(name, ["conv", "bn"]);
  const branches = ["branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1"];
  const inception = (name: string) => each(under(name, branches), basic);
  const blocks = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"];
  const head = (name: string) => [...basic(`${name}.conv`), ...under(name, ["fc1", "fc2"])];
  return [
    ...each(["conv1", "conv2", "conv3"], basic),
    ...each(blocks, (block) => inception(`inception${block}`)),
    ...["fc", ...head("aux1"), ...head("aux2")],
  ];
}

function squeezenet(fires: readonly number[]): readonly string[] {
  const fire = (place: number) => under(`features.${place}`, ["squeeze", "expand1x1", "expand3x3"]);
  return ["features.0", ...each(fires, fire), "classifier.1"];
}

/** The first block of MobileNetV2 does not expand; the others have one unit more. */
function mobilenetV2(): readonly string[] {
  const block = (place: number) => {
    const name = `features.${place}.conv`;
    const units = place === 1 ? [0] : [0, 1];
    const last = units.length;
    return [...each(units, (index) => unit(`${name}.${index}`)), ...under(name, [last, last + 1])];
  };
  return [
    ...unit("features.0"),
    ...each(upTo(17, 1), block),
    ...unit("features.18"),
    "classifier.1",
  ];
}

/** What a block of MobileNetV3 consists of: expansion, depthwise, gate, projection. */
interface Weighed {
  readonly expands: boolean;
  readonly isGated: boolean;
}

/** Parts of a block by their places in it. */
function inverted(name: string, { expands, isGated }: Weighed): readonly string[] {
  const names: string[] = [];
  let place = 0;
  if (expands) names.push(...unit(`${name}.block.${place++}`));
  names.push(...unit(`${name}.block.${place++}`));
  if (isGated) names.push(...under(`${name}.block.${place++}`, ["fc1", "fc2"]));
  return [...names, ...unit(`${name}.block.${place}`)];
}

/** `gates` has a letter for each block: `g` with a gate, `-` without. */
function mobilenetV3(gates: string): readonly string[] {
  const blocks = each([...gates], (gate, index) =>
    inverted(`features.${index + 1}`, { expands: index > 0, isGated: gate === "g" }),
  );
  const last = gates.length + 1;
  return [
    ...[...unit("features.0"), ...blocks, ...unit(`features.${last}`)],
    ...under("classifier", [0, 3]),
  ];
}

function efficientnet(counts: readonly number[]): readonly string[] {
  const stage = (count: number, index: number) =>
    each(upTo(count), (place) =>
      inverted(`features.${index + 1}.${place}`, { expands: index > 0, isGated: true }),
    );
  const last = counts.length + 1;
  return [
    ...[...unit("features.0"), ...each(counts, stage), ...unit(`features.${last}`)],
    "classifier.1",
  ];
}

/** A unit with a stride has layers in both of its branches. */
function shufflenet(counts: readonly number[]): readonly string[] {
  const second = (name: string) => under(`${name}.branch2`, [0, 1, 3, 4, 5, 6]);
  const stage = (count: number, index: number) =>
    each(upTo(count), (place) => {
      const name = `stage${index + 2}.${place}`;
      return [...(place === 0 ? under(`${name}.branch1`, [0, 1, 2, 3]) : []), ...second(name)];
    });
  return [...unit("conv1"), ...each(counts, stage), ...unit("conv5"), "fc"];
}

/** The scale of a block is its last layer, and torchvision's first weight. */
function convnext(counts: readonly number[]): readonly string[] {
  const block = (name: string) => [
    ...under(`${name}.block`, [0, 2, 3, 5]),
    `${name}.${LAYER_SCALE}`,
  ];
  const stages = each(counts, (count, stage) => [
    ...(stage > 0 ? unit(`features.${2 * stage}`) : []),
    ...each(upTo(count), (index) => block(`features.${2 * stage + 1}.${index}`)),
  ]);
  return [...unit("features.0"), ...stages, ...under("classifier", [0, 2])];
}

/** The class token has no layer around it, and the positions are the encoder's. */
function vit(count: number): readonly string[] {
  const attention = ["self_attention", "self_attention.out_proj"];
  const layer = ["ln_1", ...attention, "ln_2", "mlp.0", "mlp.3"];
  return [
    ...["", "conv_proj", "encoder"],
    ...each(upTo(count), (index) => under(`encoder.layers.encoder_layer_${index}`, layer)),
    ...["encoder.ln", "heads.head"],
  ];
}

/** A backbone without its classifier, then the head, and the one that only training has. */
const segmentation = (classifier: readonly string[]) => [
  ...under("backbone", resnet([3, 4, 6, 3], 3).slice(0, -1)),
  ...under("classifier", classifier),
  ...under("aux_classifier", [0, 1, 4]),
];

/** Five views, what joins them, and the head. The last view starts with a pooling. */
function deeplab(): readonly string[] {
  const views = each(upTo(4), (index) => unit(`0.convs.${index}`));
  return segmentation([
    ...views,
    "0.convs.4.1",
    "0.convs.4.2",
    ...unit("0.project"),
    "1",
    "2",
    "4",
  ]);
}

/** What pixels gain is a weight of the attention itself. */
function swin(counts: readonly number[]): readonly string[] {
  const layer = ["norm1", "attn", "attn.qkv", "attn.proj", "norm2", "mlp.0", "mlp.3"];
  const stages = each(counts, (count, stage) => [
    ...(stage > 0 ? under(`features.${2 * stage}`, ["norm", "reduction"]) : []),
    ...each(upTo(count), (index) => under(`features.${2 * stage + 1}.${index}`, layer)),
  ]);
  return [...under("features.0", [0, 2]), ...stages, "norm", "head"];
}

/**
 * By the names of torchvision's functions. MobileNetV3's first block expands only in the large one.
 */
const NETWORKS: Readonly<Record<string, () => readonly string[]>> = {
  alexnet: () => alexnet,
  vgg11: () => vgg([1, 1, 2, 2, 2], 2),
  vgg13: () => vgg([2, 2, 2, 2, 2], 2),
  vgg16: () => vgg([2, 2, 3, 3, 3], 2),
  vgg19: () => vgg([2, 2, 4, 4, 4], 2),
  vgg11_bn: () => vgg([1, 1, 2, 2, 2], 3),
  vgg13_bn: () => vgg([2, 2, 2, 2, 2], 3),
  vgg16_bn: () => vgg([2, 2, 3, 3, 3], 3),
  vgg19_bn: () => vgg([2, 2, 4, 4, 4], 3),
  resnet18: () => resnet([2, 2, 2, 2], 2),
  resnet34: () => resnet([3, 4, 6, 3], 2),
  resnet50: () => resnet([3, 4, 6, 3], 3),
  resnet101: () => resnet([3, 4, 23, 3], 3),
  resnet152: () => resnet([3, 8, 36, 3], 3),
  googlenet,
  squeezenet1_0: () => squeezenet([3, 4, 5, 7, 8, 9, 10, 12]),
  squeezenet1_1: () => squeezenet([3, 4, 6, 7, 9, 10, 11, 12]),
  mobilenet_v2: mobilenetV2,
  mobilenet_v3_small: () => mobilenetV3("g--gggggggg"),
  shufflenet_v2_x1_0: () => shufflenet([4, 8, 4]),
  densenet121: () => densenet([6, 12, 24, 16]),
  densenet169: () => densenet([6, 12, 32, 32]),
  densenet201: () => densenet([6, 12, 48, 32]),
  efficientnet_b0: () => efficientnet([1, 2, 2, 3, 3, 4, 1]),
  convnext_tiny: () => convnext([3, 3, 9, 3]),
  vit_b_16: () => vit(12),
  fcn_resnet50: () => segmentation(["0", "1", "4"]),
  deeplabv3_resnet50: deeplab,
  swin_t: () => swin([2, 2, 6, 2]),
};

/** Names of layers in the order of the specs, by the network's. */
export const torchvisionNames: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(NETWORKS).map(([network, names]) => [network, names()]),
);
