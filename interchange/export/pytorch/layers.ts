/** What each layer is in PyTorch: a module, a function, or both. One table. */
import type { Padding } from "../../../compiler/ir/graph.js";
import type { NetworkValue } from "../../../compiler/network/resolved.js";
import type { LayerCall } from "../layer-call.js";
import {
  chosenAxis,
  cropOffset,
  paddedAxes,
  permutedAxes,
  reducedAxes,
  slicePart,
  transposedAxes,
} from "../parts.js";
import { hasOverhang, poolWindows } from "../pool-windows.js";
import { pythonFormula } from "./formulas.js";
import type { Helper } from "./helpers.js";
import { pairText, truth, tuple } from "./python.js";

/** An argument of a constructor as Python writes it. */
export interface Argument {
  readonly name: string;
  readonly value: string;
  /** Left out where it is the default. */
  readonly otherwise?: string;
  readonly isPositional?: boolean;
}

export interface Constructor {
  /** `nn.Conv2d`. */
  readonly callee: string;
  readonly arguments: readonly Argument[];
}

export interface TorchLayer {
  /** A module; undefined where PyTorch has no such layer. */
  readonly module?: (call: LayerCall) => Constructor | undefined;
  /** Whether it must be a module: it has weights, or does another thing while training. */
  readonly hasState?: boolean;
  /** What it makes of its inputs; `self` is how its module is called, which is the default. */
  readonly apply?: (
    call: LayerCall,
    inputs: readonly [string, ...string[]],
    self: string,
  ) => string;
  readonly helper?: (call: LayerCall) => Helper | undefined;
}

const sized = (name: string, value: number | string): Argument => ({
  name,
  value: String(value),
  isPositional: true,
});
const optional = (name: string, value: string, otherwise: string): Argument => ({
  name,
  value,
  otherwise,
});
const named = (name: string, value: string): Argument => ({ name, value });

const isEven = ({ top, bottom, left, right }: Padding) => top === bottom && left === right;
const torchSides = ({ left, right, top, bottom }: Padding) => tuple([left, right, top, bottom]);
const NO_PADDING: Padding = { top: 0, bottom: 0, left: 0, right: 0 };

/**
 * Padding that PyTorch's layer takes; otherwise padding is a separate step, and the layer has 0.
 */
const ownPadding = (padding: Padding) => (isEven(padding) ? padding : NO_PADDING);
const paddingText = ({ top, left }: Padding) => pairText([top, left]);

const conv: TorchLayer = {
  hasState: true,
  module: (call) => ({
    callee: "nn.Conv2d",
    arguments: [
      sized("in_channels", call.image.channels),
      sized("out_channels", call.number("out")),
      named("kernel_size", pairText(call.pair("kernel"))),
      optional("stride", pairText(call.pair("stride")), "1"),
      optional("padding", paddingText(ownPadding(call.padding("padding"))), "0"),
      optional("dilation", pairText(call.pair("dilation")), "1"),
      optional("groups", String(call.number("groups")), "1"),
      optional("bias", truth(call.flag("bias")), "True"),
    ],
  }),
  apply: (call, [x], self) => {
    const padding = call.padding("padding");
    return `${self}(${isEven(padding) ? x : `F.pad(${x}, ${torchSides(padding)})`})`;
  },
};

const convTranspose: TorchLayer = {
  hasState: true,
  module: (call) => ({
    callee: "nn.ConvTranspose2d",
    arguments: [
      sized("in_channels", call.image.channels),
      sized("out_channels", call.number("out")),
      named("kernel_size", pairText(call.pair("kernel"))),
      optional("stride", pairText(call.pair("stride")), "1"),
      optional("padding", pairText(call.pair("padding")), "0"),
      optional("output_padding", pairText(call.pair("output_padding")), "0"),
      optional("groups", String(call.number("groups")), "1"),
      optional("bias", truth(call.flag("bias")), "True"),
      optional("dilation", pairText(call.pair("dilation")), "1"),
    ],
  }),
};

const linear: TorchLayer = {
  hasState: true,
  module: (call) => ({
    callee: "nn.Linear",
    arguments: [
      sized("in_features", call.image.channels),
      sized("out_features", call.number("out")),
      optional("bias", truth(call.flag("bias")), "True"),
    ],
  }),
};

/** A layer without settings, or with some, that is also a function. */
function both(
  callee: string,
  apply: (call: LayerCall, x: string) => string,
  given: (call: LayerCall) => readonly Argument[] = () => [],
): TorchLayer {
  return {
    module: (call) => ({ callee, arguments: given(call) }),
    apply: (call, [x]) => apply(call, x),
  };
}

const number = (call: LayerCall, name: string) => String(call.number(name));

const hardsigmoid: TorchLayer = {
  module: (call) => (isPyTorchs(call) ? { callee: "nn.Hardsigmoid", arguments: [] } : undefined),
  apply: (call, [x]) =>
    isPyTorchs(call)
      ? `F.hardsigmoid(${x})`
      : `torch.clamp(${number(call, "slope")} * ${x} + ${number(call, "offset")}, 0, 1)`,
};

const isPyTorchs = (call: LayerCall) =>
  call.number("slope") === 1 / 6 && call.number("offset") === 0.5;

const clip: TorchLayer = {
  module: (call) =>
    call.has("min") && call.has("max")
      ? { callee: "nn.Hardtanh", arguments: limits(call, "_val") }
      : undefined,
  apply: (call, [x]) => {
    const texts = limits(call, "").map(({ name, value }) => `${name}=${value}`);
    return `torch.clamp(${[x, ...texts].join(", ")})`;
  },
};

const limits = (call: LayerCall, end: string) =>
  ["min", "max"].flatMap((name) => (call.has(name) ? [named(name + end, number(call, name))] : []));

const lambd = (call: LayerCall): readonly Argument[] => [
  optional("lambd", number(call, "lambd"), "0.5"),
];

/** PyTorch has the channels of a sequence before its tokens. */
const prelu: TorchLayer = {
  hasState: true,
  module: (call) => ({
    callee: "nn.PReLU",
    arguments: [
      optional("num_parameters", String(call.tensor("weight").values.length), "1"),
      optional("init", number(call, "start"), "0.25"),
    ],
  }),
  apply: (call, [x], self) =>
    call.isSequence && call.flag("per_channel")
      ? `torch.transpose(${self}(torch.transpose(${x}, 1, 2)), 1, 2)`
      : `${self}(${x})`,
};

/** A layer that PyTorch computes along the axis of the channels. */
const overChannels = (module: string, callee: string): TorchLayer =>
  both(
    module,
    (call, x) => `${callee}(${x}, dim=${call.channelAxis})`,
    (call) => [named("dim", String(call.channelAxis))],
  );

const above = (call: LayerCall) => optional("threshold", number(call, "threshold"), "20");

/** A layer of a whole number, which its function takes second. */
const counted = (module: string, callee: string, name: string, argument: string): TorchLayer =>
  both(
    module,
    (call, x) => `${callee}(${x}, ${number(call, argument)})`,
    (call) => [sized(name, call.number(argument))],
  );

/** A function along axes, each of which stays with one element. */
const reduction = (callee: string): TorchLayer => ({
  apply: (call, [x]) => `${callee}(${x}, dim=${axesText(call)}, keepdim=True)`,
});

function axesText(call: LayerCall): string {
  const axes = reducedAxes(call);
  return axes.length === 1 ? String(axes[0]) : tuple(axes);
}

const crop: TorchLayer = {
  apply: (call, [x]) => {
    const { top, left } = cropOffset(call);
    const [, , rows, columns] = call.output.map(Number);
    return `${x}[:, :, ${top}:${top + rows!}, ${left}:${left + columns!}]`;
  },
};

const slice: TorchLayer = {
  apply: (call, [x]) => {
    const { axis, start, end, step } = slicePart(call);
    const part = `${start}:${end}${step === 1 ? "" : `:${step}`}`;
    return `${x}[${[...new Array<string>(axis).fill(":"), part].join(", ")}]`;
  },
};

const maxpool: TorchLayer = {
  module: (call) =>
    isEven(call.padding("padding")) ? { callee: "nn.MaxPool2d", arguments: pool(call) } : undefined,
  apply: (call, [x]) => {
    const padding = call.padding("padding");
    if (isEven(padding)) return `F.max_pool2d(${x}, ${texts(pool(call))})`;
    const padded = `F.pad(${x}, ${torchSides(padding)}, value=-math.inf)`;
    return `F.max_pool2d(${padded}, ${texts(pool(call))})`;
  },
};

function pool(call: LayerCall): readonly Argument[] {
  const { kernel, stride, padding, dilation } = poolWindows(call);
  return [
    { name: "kernel_size", value: pairText(kernel), isPositional: true },
    optional("stride", pairText(stride), pairText(kernel)),
    optional("padding", paddingText(ownPadding(padding)), "0"),
    optional("dilation", pairText(dilation), "1"),
    optional("ceil_mode", truth(hasOverhang(poolWindows(call))), "False"),
  ];
}

const texts = (given: readonly Argument[]) =>
  given
    .filter(({ value, otherwise }) => value !== otherwise)
    .map(({ name, value, isPositional }) => (isPositional ? value : `${name}=${value}`))
    .join(", ");

const avgpool: TorchLayer = {
  module: (call) =>
    isEven(call.padding("padding"))
      ? { callee: "nn.AvgPool2d", arguments: average(call) }
      : undefined,
  apply: (call, [x]) => {
    const padding = call.padding("padding");
    if (isEven(padding)) return `F.avg_pool2d(${x}, ${texts(average(call))})`;
    const padded = (value: string) => `F.pad(${value}, ${torchSides(padding)})`;
    if (call.has("divisor")) return `F.avg_pool2d(${padded(x)}, ${texts(average(call))})`;
    if (call.flag("count_padding")) return `F.avg_pool2d(${padded(x)}, ${texts(pool(call))})`;
    return `average_inside(${x}, ${torchSides(padding)}, ${texts(pool(call))})`;
  },
  helper(call) {
    const isPlain = isEven(call.padding("padding")) || call.flag("count_padding");
    return isPlain || call.has("divisor") ? undefined : "average_inside";
  },
};

const average = (call: LayerCall): readonly Argument[] => [
  ...pool(call),
  counting(call),
  ...(call.has("divisor") ? [named("divisor_override", number(call, "divisor"))] : []),
];

const counting = (call: LayerCall) =>
  optional("count_include_pad", truth(call.flag("count_padding")), "True");

const lpPool = both(
  "nn.LPPool2d",
  (call, x) => `F.lp_pool2d(${x}, ${texts(lpPoolOf(call))})`,
  lpPoolOf,
);

function lpPoolOf(call: LayerCall): readonly Argument[] {
  const power: Argument = { name: "norm_type", value: number(call, "p"), isPositional: true };
  return [power, ...pool(call)];
}

const size = (call: LayerCall, name: string) => pairText(call.pair(name));

const upsample: TorchLayer = {
  module: (call) => ({ callee: "nn.Upsample", arguments: upsampling(call) }),
  apply: (call, [x]) => `F.interpolate(${x}, ${texts(upsampling(call))})`,
};

function upsampling(call: LayerCall): readonly Argument[] {
  const to = call.has("scale")
    ? named("scale_factor", floatPair(call.pair("scale")))
    : named("size", size(call, "size"));
  if (call.text("mode") === "nearest") return [to];
  const corners = truth(call.flag("align_corners"));
  return [to, named("mode", `"${call.text("mode")}"`), named("align_corners", corners)];
}

/** Scale factors of two axes must be floats. */
const floatPair = ([a, b]: readonly [number, number]) => (a === b ? String(a) : `(${a}.0, ${b}.0)`);

function normalization(
  callee: string,
  first: (call: LayerCall) => readonly Argument[],
): TorchLayer {
  return {
    hasState: true,
    module: (call) => ({
      callee,
      arguments: [...first(call), optional("eps", number(call, "eps"), "0.00001")],
    }),
  };
}

const affine = (call: LayerCall) => optional("affine", truth(call.flag("affine")), "True");

const batchnorm: TorchLayer = {
  hasState: true,
  module: (call) => ({
    callee: call.isImage ? "nn.BatchNorm2d" : "nn.BatchNorm1d",
    arguments: [
      sized("num_features", call.image.channels),
      optional("eps", number(call, "eps"), "0.00001"),
      optional("momentum", number(call, "momentum"), "0.1"),
      affine(call),
    ],
  }),
};

const groupnorm = normalization("nn.GroupNorm", (call) => [
  sized("num_groups", call.number("groups")),
  sized("num_channels", call.image.channels),
  affine(call),
]);

/** Without affine, as in netc's, is PyTorch's default. */
const instancenorm = normalization("nn.InstanceNorm2d", (call) => [
  sized("num_features", call.image.channels),
  optional("affine", truth(call.flag("affine")), "False"),
]);

const layernorm: TorchLayer = {
  hasState: true,
  module: (call) => ({
    callee: call.isImage ? "LayerNorm2d" : "nn.LayerNorm",
    arguments: [
      sized("normalized_shape", call.image.channels),
      optional("eps", number(call, "eps"), "0.00001"),
      optional("elementwise_affine", truth(call.flag("affine")), "True"),
    ],
  }),
  helper: (call) => (call.isImage ? "LayerNorm2d" : undefined),
};

const scale: TorchLayer = {
  hasState: true,
  module: (call) => ({
    callee: "Scale",
    arguments: [
      sized("num_features", call.image.channels),
      optional("bias", truth(call.flag("bias")), "True"),
    ],
  }),
  helper: () => "Scale",
};

/** PyTorch divides alpha by the size, and its even windows begin where netc's do. */
const lrn = both(
  "nn.LocalResponseNorm",
  (call, x) => `F.local_response_norm(${x}, ${texts(lrnOf(call))})`,
  lrnOf,
);

function lrnOf(call: LayerCall): readonly Argument[] {
  const divided = call.text("divide") === "size";
  return [
    sized("size", call.number("size")),
    named("alpha", String(call.number("alpha") * (divided ? 1 : call.number("size")))),
    named("beta", number(call, "beta")),
    named("k", number(call, "k")),
  ];
}

const reshape: TorchLayer = {
  module: (call) =>
    call.rank !== 2
      ? undefined
      : {
          callee: "nn.Unflatten",
          arguments: [
            named("dim", "1"),
            named("unflattened_size", tuple(call.output.slice(1).map(Number))),
          ],
        },
  apply: (call, [x]) => {
    const sizes = call.output.slice(1).join(", ");
    return `torch.reshape(${x}, (-1, ${sizes}))`;
  },
};

const padSides = (call: LayerCall) => torchSides(call.padding("size"));

/** Along any axis: numbers are added by `F.pad`; other elements are read by their places. */
function padAxis(call: LayerCall, x: string): string {
  const [{ axis, before, after }] = paddedAxes(call) as [ReturnType<typeof paddedAxes>[number]];
  if (call.text("mode") === "constant") {
    const behind = new Array<number>(2 * (call.rank - 1 - axis)).fill(0);
    const value = optional("value", number(call, "value"), "0");
    const given = [x, tuple([...behind, before, after]), texts([value])];
    return `F.pad(${given.filter((text) => text !== "").join(", ")})`;
  }
  const places = placesAround(Number(call.shape[axis]), { before, after }, call.text("mode"));
  return `${x}[${":, ".repeat(axis)}[${places.join(", ")}]]`;
}

/** Which elements of an axis there are along the longer one. */
const placesAround = (
  size: number,
  { before, after }: { readonly before: number; readonly after: number },
  mode: string,
): readonly number[] =>
  Array.from({ length: before + size + after }, (_, index) => {
    const place = index - before;
    if (mode === "circular") return (place + size) % size;
    if (mode === "replicate") return Math.min(Math.max(place, 0), size - 1);
    const mirrored = Math.abs(place);
    return mirrored < size ? mirrored : 2 * size - 2 - mirrored;
  });

/** Modules of PyTorch 1.13, which has none for circular padding. */
const PADS: Readonly<Record<string, string | undefined>> = {
  constant: "nn.ZeroPad2d",
  reflect: "nn.ReflectionPad2d",
  replicate: "nn.ReplicationPad2d",
};

const pad: TorchLayer = {
  module(call) {
    if (call.has("axis")) return undefined;
    const sides: Argument = { name: "padding", value: padSides(call), isPositional: true };
    const value = number(call, "value");
    if (value !== "0")
      return { callee: "nn.ConstantPad2d", arguments: [sides, named("value", value)] };
    const callee = PADS[call.text("mode")];
    return callee === undefined ? undefined : { callee, arguments: [sides] };
  },
  apply(call, [x]) {
    const mode = call.text("mode");
    if (call.has("axis")) return padAxis(call, x);
    const settings = [
      optional("mode", `"${mode}"`, '"constant"'),
      optional("value", number(call, "value"), "0"),
    ];
    const given = [x, padSides(call), texts(settings)].filter((text) => text !== "");
    return `F.pad(${given.join(", ")})`;
  },
};

/** Layers that compute nothing while predicting and training are written as nothing. */
export const isPassedOn = ({ kind, inputs, rank }: LayerCall): boolean =>
  kind === "identity" ||
  (kind === "concat" && inputs.length === 1) ||
  (kind === "flatten" && rank === 2);

const embedding: TorchLayer = {
  hasState: true,
  module: (call) => ({
    callee: "nn.Embedding",
    arguments: [
      sized("num_embeddings", call.vocabulary),
      sized("embedding_dim", call.number("width")),
      optional(
        "padding_idx",
        call.has("padding_index") ? number(call, "padding_index") : "None",
        "None",
      ),
    ],
  }),
};

const patches: TorchLayer = {
  hasState: true,
  module: (call) => ({
    callee: "Patches",
    arguments: [
      sized("in_channels", call.image.channels),
      sized("out_channels", Number(call.output[2])),
      named("kernel_size", number(call, "size")),
      named("stride", number(call, "size")),
      optional("bias", truth(call.flag("bias")), "True"),
    ],
  }),
  helper: () => "Patches",
};

const attention: TorchLayer = {
  hasState: true,
  module: (call) => (call.has("window") ? windowAttention(call) : selfAttention(call)),
  helper: (call) => (call.has("window") ? "WindowAttention" : helperOfSequences(call)),
};

/** PyTorch's `MultiheadAttention` knows one scale alone. */
const helperOfSequences = (call: LayerCall) =>
  call.has("scale") ? "ScaledAttention" : "SelfAttention";

const scaleOf = (call: LayerCall) =>
  optional("scale", call.has("scale") ? String(call.number("scale")) : "None", "None");

const selfAttention = (call: LayerCall) => ({
  callee: helperOfSequences(call),
  arguments: [
    sized("embed_dim", call.image.channels),
    sized("num_heads", call.number("heads")),
    optional("bias", truth(call.flag("bias")), "True"),
    optional("causal", truth(call.flag("causal")), "False"),
    optional("dropout", String(call.number("dropout")), "0"),
    scaleOf(call),
  ],
});

const windowAttention = (call: LayerCall) => ({
  callee: "WindowAttention",
  arguments: [
    sized("channels", call.image.channels),
    sized("num_heads", call.number("heads")),
    named("window_size", tuple(call.pair("window"))),
    named("shift_size", tuple(call.pair("shift"))),
    optional("bias", truth(call.flag("bias")), "True"),
    optional("dropout", String(call.number("dropout")), "0"),
    scaleOf(call),
  ],
});

/** One row for all examples, which goes with as many as the other value of a sum has. */
const parameter: TorchLayer = {
  hasState: true,
  module: ({ output }) => ({
    callee: "nn.Parameter",
    arguments: [sized("data", `torch.zeros(${output.slice(1).join(", ")})`)],
  }),
  apply: (_, __, self) => `${self}.unsqueeze(0)`,
};

const concat: TorchLayer = {
  apply: (call, inputs) => {
    const axis = chosenAxis(call, "axis");
    const callee = readsRows(call) ? "concatenated" : "torch.cat";
    return `${callee}([${inputs.join(", ")}], dim=${axis})`;
  },
  helper: (call) => (readsRows(call) ? "concatenated" : undefined),
};

/** Whether a value does not depend on the input, and is one row for all examples. */
function readsRows({ model: { network }, layer }: LayerCall): boolean {
  const isRow = (value: NetworkValue): boolean => {
    const { inputs } = value.from === "layer" ? network.layers[value.index]! : { inputs: [value] };
    return value.from === "layer" && inputs.every(isRow);
  };
  return layer.inputs.some(isRow);
}

export const torchLayers: Readonly<Record<string, TorchLayer>> = {
  conv,
  conv_transpose: convTranspose,
  linear,

  relu: both("nn.ReLU", (_, x) => `F.relu(${x})`),
  leaky_relu: both(
    "nn.LeakyReLU",
    (call, x) => `F.leaky_relu(${x}, ${number(call, "slope")})`,
    (call) => [{ name: "negative_slope", value: number(call, "slope"), isPositional: true }],
  ),
  relu6: both("nn.ReLU6", (_, x) => `F.relu6(${x})`),
  elu: both(
    "nn.ELU",
    (call, x) => `F.elu(${x}, ${number(call, "alpha")})`,
    (call) => [optional("alpha", number(call, "alpha"), "1")],
  ),
  gelu: both(
    "nn.GELU",
    (call, x) => `F.gelu(${x}, approximate="${call.text("approximate")}")`,
    (call) => [optional("approximate", `"${call.text("approximate")}"`, '"none"')],
  ),
  silu: both("nn.SiLU", (_, x) => `F.silu(${x})`),
  mish: both("nn.Mish", (_, x) => `F.mish(${x})`),
  hardswish: both("nn.Hardswish", (_, x) => `F.hardswish(${x})`),
  softplus: both(
    "nn.Softplus",
    (call, x) => `F.softplus(${x}, ${texts([named("beta", number(call, "beta")), above(call)])})`,
    (call) => [optional("beta", number(call, "beta"), "1"), above(call)],
  ),
  sigmoid: both("nn.Sigmoid", (_, x) => `torch.sigmoid(${x})`),
  hardsigmoid,
  tanh: both("nn.Tanh", (_, x) => `torch.tanh(${x})`),
  clip,
  softmax: overChannels("nn.Softmax", "torch.softmax"),
  prelu,
  selu: both("nn.SELU", (_, x) => `F.selu(${x})`),
  celu: both(
    "nn.CELU",
    (call, x) => `F.celu(${x}, ${number(call, "alpha")})`,
    (call) => [optional("alpha", number(call, "alpha"), "1")],
  ),
  softsign: both("nn.Softsign", (_, x) => `F.softsign(${x})`),
  softshrink: both(
    "nn.Softshrink",
    (call, x) => `F.softshrink(${x}, ${number(call, "lambd")})`,
    lambd,
  ),
  hardshrink: both(
    "nn.Hardshrink",
    (call, x) => `F.hardshrink(${x}, ${number(call, "lambd")})`,
    lambd,
  ),
  threshold: both(
    "nn.Threshold",
    (call, x) => `F.threshold(${x}, ${number(call, "threshold")}, ${number(call, "value")})`,
    (call) => [
      named("threshold", number(call, "threshold")),
      named("value", number(call, "value")),
    ],
  ),
  logsigmoid: both("nn.LogSigmoid", (_, x) => `F.logsigmoid(${x})`),
  glu: overChannels("nn.GLU", "F.glu"),
  softmin: overChannels("nn.Softmin", "F.softmin"),
  log_softmax: overChannels("nn.LogSoftmax", "F.log_softmax"),

  maxpool,
  avgpool,
  adaptive_avgpool: both(
    "nn.AdaptiveAvgPool2d",
    (call, x) => `F.adaptive_avg_pool2d(${x}, ${size(call, "size")})`,
    (call) => [{ name: "output_size", value: size(call, "size"), isPositional: true }],
  ),
  adaptive_maxpool: both(
    "nn.AdaptiveMaxPool2d",
    (call, x) => `F.adaptive_max_pool2d(${x}, ${size(call, "size")})`,
    (call) => [{ name: "output_size", value: size(call, "size"), isPositional: true }],
  ),
  global_avgpool: {
    module: (call) =>
      call.isSequence
        ? undefined
        : {
            callee: "nn.AdaptiveAvgPool2d",
            arguments: [{ name: "output_size", value: "1", isPositional: true }],
          },
    apply: (call, [x]) =>
      call.isSequence ? `torch.mean(${x}, dim=1)` : `F.adaptive_avg_pool2d(${x}, 1)`,
  },
  lp_pool: lpPool,
  upsample,
  crop,
  slice,
  channel_shuffle: counted("nn.ChannelShuffle", "F.channel_shuffle", "groups", "groups"),
  pixel_shuffle: counted("nn.PixelShuffle", "F.pixel_shuffle", "upscale_factor", "factor"),
  pixel_unshuffle: counted("nn.PixelUnshuffle", "F.pixel_unshuffle", "downscale_factor", "factor"),
  pad,

  lrn,
  batchnorm,
  groupnorm,
  instancenorm,
  layernorm,
  scale,

  sum: reduction("torch.sum"),
  mean: reduction("torch.mean"),
  max: reduction("torch.amax"),
  min: reduction("torch.amin"),
  logsumexp: reduction("torch.logsumexp"),

  dropout: {
    hasState: true,
    module: (call) => ({
      callee: call.isImage && call.flag("channels") ? "nn.Dropout2d" : "nn.Dropout",
      arguments: [{ name: "p", value: number(call, "rate"), isPositional: true }],
    }),
  },
  stochastic_depth: {
    hasState: true,
    module: (call) => ({
      callee: "nn.Dropout",
      arguments: [{ name: "p", value: number(call, "rate"), isPositional: true }],
    }),
    apply: (_, [x], self) => `drop_examples(${x}, ${self})`,
    helper: () => "drop_examples",
  },
  identity: {},
  stop: { apply: (_, [x]) => `${x}.detach()` },
  flatten: both("nn.Flatten", (_, x) => `torch.flatten(${x}, 1)`),
  reshape,

  add: { apply: (_, [x, y]) => `${x} + ${y}` },
  multiply: { apply: (_, [x, y]) => `${x} * ${y}` },
  concat,
  matmul: {
    apply: (call, [x, y]) => {
      const axes = `${call.rank - 2}, ${call.rank - 1}`;
      const other = call.flag("transposed") ? `torch.transpose(${y}, ${axes})` : y;
      return `torch.matmul(${x}, ${other})`;
    },
  },

  embedding,
  parameter,
  patches,
  signal: {
    apply(call, [x]) {
      if (call.rank === 4) return x;
      if (call.isSequence) return `torch.transpose(${x}, 1, 2).unsqueeze(2)`;
      return `torch.reshape(${x}, (-1, ${call.output.slice(1).join(", ")}))`;
    },
  },
  tokens: { apply: (_, [x]) => `torch.flatten(${x}, 2).transpose(1, 2)` },
  token: { apply: (call, [x]) => `torch.select(${x}, 1, ${number(call, "index")})` },
  transpose: {
    apply: (call, [x]) => {
      const moved = transposedAxes(call).flatMap((from, axis) => (from === axis ? [] : [axis]));
      return `torch.transpose(${x}, ${moved.join(", ")})`;
    },
  },
  permute: { apply: (call, [x]) => `torch.permute(${x}, ${tuple(permutedAxes(call))})` },
  attention,

  let: { apply: (call, inputs) => pythonFormula(call.formula, inputs) },
};
