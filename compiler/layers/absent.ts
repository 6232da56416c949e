/** Layers of other frameworks that netc lacks, and what serves in their place: no name near to theirs means the same. */
const absent: Readonly<Record<string, string>> = {
  instancenorm:
    "`groupnorm(C)`, with as many groups as there are channels, normalises each channel of each image by itself",
  prelu: "`leaky_relu(0.25)` has the same form, with a slope that is not learned",
  logsoftmax: "`cross_entropy` takes logits: end in `linear`",
  selu: "`elu` is near to it; scale what follows by 1.05",
  channelshuffle: "`conv(C, kernel=1)` mixes the channels of all groups",
  pixelshuffle: "`conv_transpose` or `upsample` followed by `conv` makes an image larger",
  adaptivemaxpool: "`maxpool` with a kernel of the image's size, or `adaptive_avgpool`",
  lstm: "netc has no recurrent layers",
  gru: "netc has no recurrent layers",
  rnn: "netc has no recurrent layers",
  embedding: "netc takes images and rows of numbers, not indices",
  multiheadattention: "netc has no attention",
};

/** What to write in place of a layer that netc lacks; undefined where nothing is known of the name. */
export function insteadOf(name: string): string | undefined {
  const plain = name
    .toLowerCase()
    .replaceAll("_", "")
    .replace(/[123]d$/, "");
  return Object.hasOwn(absent, plain) ? absent[plain] : undefined;
}
