/** How an imported model was trained becomes a spec's loss, data and recipe. */
import type { ResolvedNetwork } from "../compiler/network/resolved.js";
import { ImportError } from "./error.js";
import type { ForeignTraining, TensorFactors } from "./foreign-training.js";
import type { ImportedModel } from "./import-graph.js";

/**
 * The text of a model with its target, loss and metrics, followed by its data and its recipe.
 * `images` is how many there are for training: netc counts epochs. Throws an ImportError without
 * it.
 */
export function trainedText(
  model: ImportedModel,
  training: ForeignTraining,
  images: number | undefined,
): string {
  const { iterations, batch } = training;
  if (images === undefined) {
    throw new ImportError(
      `the solver runs ${iterations} iterations of ${batch} images, and netc counts epochs`,
      ["--images N says how many images there are for training"],
    );
  }
  const { network, text } = model;
  return [
    withScores(text, network, training.accuracies),
    dataText(network.name, training),
    `train Base of ${network.name} on Images {`,
    `// ${iterations} iterations of ${batch} images, for ${images} images.`,
    `epochs = ${Math.max(1, Math.round(iterations / Math.ceil(images / batch)))}`,
    `batch = ${batch}`,
    ...training.settings.map(([name, value]) => `${name} = ${value}`),
    ...factorSettings(model, training.factors).map(([name, value]) => `${name} = ${value}`),
    "}",
    "",
  ].join("\n");
}

/** The model's text ends in its closing brace, and its inputs come first. */
function withScores(
  model: string,
  { layers, outputs }: ResolvedNetwork,
  accuracies: readonly number[],
): string {
  const last = layers[outputs[0]!.value.index]!;
  const classes = Number(last.type.shape[1]);
  const scored = `${last.name.split(".").at(-1)!}, label`;
  const start = model.lastIndexOf("\n  input ");
  const lineEnd = model.indexOf("\n", start + 1);
  const end = model.lastIndexOf("}");
  const metrics = accuracies.map((k) =>
    k === 1
      ? `  metric top1 = accuracy(${scored})`
      : `  metric top${k} = accuracy(${scored}, k=${k})`,
  );
  return [
    model.slice(0, lineEnd),
    `  target label: u32[N] in 0..${classes}`,
    model.slice(lineEnd + 1, end),
    `  loss cross_entropy(${scored})`,
    ...metrics,
    "}",
    "",
  ].join("\n");
}

const share = (value: number) => Number((value / 255).toPrecision(6));

function dataText(model: string, { transforms, normalization }: ForeignTraining): string {
  const normalize =
    normalization &&
    `normalize(mean=[${normalization.mean.map(share).join(", ")}], ` +
      `std=[${normalization.mean.map(() => share(1 / normalization.scale)).join(", ")}])`;
  const split = (name: "train" | "eval") => {
    const steps = [...transforms[name], ...(normalize === undefined ? [] : [normalize])];
    return `  ${name} folder("${name}")${steps.length > 0 ? ` { ${steps.join(" -> ")} }` : ""}`;
  };
  return [
    "// Folders of images, one for each class: netc does not read Caffe's databases.",
    `data Images for ${model} {`,
    split("train"),
    split("eval"),
    "}",
    "",
  ].join("\n");
}

const UNCHANGED: TensorFactors = { rate: 1, decay: 1 };

/** What all biases share is said of `*.bias`; everything else weight by weight. */
function factorSettings(
  { tensors, report }: ImportedModel,
  factors: ForeignTraining["factors"],
): readonly (readonly [string, string])[] {
  const layers = new Map(report.mapped.map(({ layer, from }) => [layer, from]));
  const own = tensors.flatMap(({ name }) => {
    const [, layer, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
    if (layer === undefined) return [];
    const known = factors.get(layers.get(layer) ?? "")?.[kind === "weight" ? 0 : 1];
    const { rate, decay } = known ?? UNCHANGED;
    return [{ name, kind, rate, decay }];
  });
  const named = (isMeant: (each: (typeof own)[number]) => boolean) => {
    const meant = own.filter(isMeant).map(({ name }) => name);
    const biases = own.filter(({ kind }) => kind === "bias").map(({ name }) => name);
    const isAllBiases = biases.length > 0 && biases.every((name) => meant.includes(name));
    if (!isAllBiases) return meant;
    return ["*.bias", ...meant.filter((name) => !biases.includes(name))];
  };
  const frozen = named(({ rate }) => rate === 0);
  const spared = named(({ decay, rate }) => decay === 0 && rate !== 0);
  const rates = [...new Set(own.map(({ rate }) => rate))].filter(
    (rate) => rate !== 0 && rate !== 1,
  );
  const pairs = rates.flatMap((rate) =>
    named((each) => each.rate === rate).map((name) => `(${name}, ${rate})`),
  );
  const list = (items: readonly string[]) => `[${items.join(", ")}]`;
  return [
    ...(frozen.length > 0 ? ([["freeze", list(frozen)]] as const) : []),
    ...(pairs.length > 0 ? ([["lr_factors", list(pairs)]] as const) : []),
    ...(spared.length > 0 ? ([["no_decay", list(spared)]] as const) : []),
  ];
}
