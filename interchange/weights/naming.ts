/** How tables of layers' names are written. */

export interface KnownNetwork {
  /** `torchvision's resnet18`. */
  readonly title: string;
  /** Names of the layers with weights, in the order of the spec. */
  readonly layers: readonly string[];
  /** What that network does otherwise than the spec of the same name. */
  readonly differs?: string;
}

/** `each(["a", "b"], (x) => [x + 1, x + 2])`: all of them, one after the other. */
export const each = <Item>(
  items: readonly Item[],
  make: (item: Item, index: number) => readonly string[],
) => items.flatMap(make);

export const upTo = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => first + index);

export const under = (prefix: string, names: readonly (string | number)[]) =>
  names.map((name) => `${prefix}.${name}`);

/** A convolution and its normalization, as torchvision's `Conv2dNormActivation` has them. */
export const unit = (name: string) => [`${name}.0`, `${name}.1`];

/** What `modernName` calls the scale of a block, which is a weight without a layer. */
export const LAYER_SCALE = "layer_scale";

/**
 * The name of today for one in a file of old: `denselayer1.norm.1` was renamed `norm1`, and
 * `mlp.linear_1` of vision transformers `mlp.0`. The scale of a ConvNeXt block, which libraries
 * call by different names, becomes a layer with a weight, and timm's transformers have the
 * names of PyTorch's attention and of torchvision's parameters.
 */
export function modernName(name: string): string {
  return name
    .replace(/(denselayer\d+\.(?:norm|conv))\.([12])(?=\.)/, "$1$2")
    .replace(/(encoder_layer_\d+\.mlp)\.linear_1\./, "$1.0.")
    .replace(/(encoder_layer_\d+\.mlp)\.linear_2\./, "$1.3.")
    .replace(/\.(?:layer_scale|layer_scale_parameter)$/, `.${LAYER_SCALE}.weight`)
    .replace(/(\.blocks\.\d+)\.gamma$/, `$1.${LAYER_SCALE}.weight`)
    .replace(/\.(layer_scale\d*|ls\d*)\.(?:scale|gamma)$/, ".$1.weight")
    .replace(/^cls_token$/, "class_token")
    .replace(/^pos_embed$/, "encoder.pos_embedding")
    .replace(/^(blocks\.\d+\.attn)\.qkv\.(weight|bias)$/, "$1.in_proj_$2")
    .replace(/^(blocks\.\d+\.attn)\.proj\./, "$1.out_proj.");
}
