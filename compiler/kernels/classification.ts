import { assemble, type Kernel } from "./kernel.js";
import { isNotFinite, nanWhere } from "./not-a-number.js";
import { placeConstants } from "./place.js";
import { CHANNELS, MAX, REDUCE_WORKGROUP, rowStart, SUM } from "./reduce.js";
import { LOWEST, wgsl } from "./wgsl.js";

export interface ClassificationVariant {
  readonly loss: boolean;
  readonly gradient: boolean;
  readonly topK: readonly number[];
  /** Whether images are mixtures of two, with a partner's label and the first one's share. */
  readonly mixed: boolean;
  /** How many classes have weights of their own; 0 where all count alike. */
  readonly weightedClasses: number;
  /** How many totals the frame has, if the kernel reads them. */
  readonly totals: number;
}

/**
 * Cross-entropy with label smoothing s, its gradient for the step's mean, and top-k hits, in one pass over the logits:
 * loss = log sum exp(z) - (1 - s) z_label - s mean(z); gradient = weight * (softmax(z) - (1 - s) [c = label] - s / C) / images.
 * With weights of classes or mixed images, each class has a target t_c instead: loss = sum t_c (log sum exp(z) - z_c), gradient = weight *
 * (sum(t) softmax(z) - t) / images. By class weights the mean is over these: the gradient is divided by the labels' weights over the whole
 * step, and the losses are left as they are, partners' apart, since theirs weigh otherwise. A label is among the k largest if fewer than k
 * logits are larger, equal ones counted in order of their index; where one is not finite, that is NaN.
 */
export function classification(variant: ClassificationVariant): Kernel {
  const { loss, gradient, topK, mixed, weightedClasses, totals } = variant;
  const needsSum = loss || gradient;
  const hasTargets = needsSum && (mixed || weightedClasses > 0);
  const losses = loss ? partsOf(variant).map(({ prefix }) => `${prefix}losses`) : [];
  const outputs = [...losses, ...topK.map((k) => `hits${k}`), ...(gradient ? ["result"] : [])];
  return assemble({
    name: nameOf(variant),
    summary: "Cross-entropy, its gradient and top-k hits of one example a workgroup.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "labels", access: "read", element: "u32" },
      ...(mixed ? [PARTNERS, SHARES] : []),
      ...outputs.map((name) => ({ name, access: "read_write", element: "f32" }) as const),
    ],
    ...(weightedClasses > 0 && { table: { name: CLASS_WEIGHTS, length: weightedClasses } }),
    totals,
    constants: [
      ...["pixels", "width", "channels", "smoothing", "weight"],
      ...(totals > 0 ? partsOf(variant).map(({ prefix }) => `${prefix}total`) : []),
      ...placeConstants("a"),
      ...(gradient ? placeConstants("y") : []),
    ],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [MAX, SUM, ...(hasTargets ? [targetOf(variant)] : [])],
    body: wgsl`
      ${rowStart(gradient ? ["a", "y"] : ["a"])}
      let label = labels[block];
      let label_logit = a[a_place + label];
      ${needsSum ? SUM_OF_EXPONENTIALS : ""}
      ${hasTargets ? targets(variant) : ""}
      ${topK.length > 0 ? RANK : ""}
      if (lane == 0u) {
        ${loss ? (hasTargets ? lossesOfTargets(variant) : LOSS) : ""}
        ${topK.map((k) => `hits${k}[block] = ${nanWhere("is_unfit", `select(0.0, 1.0, rank < ${float(k)})`)};`)}
      }
      ${gradient ? (hasTargets ? gradientOfTargets(variant) : GRADIENT) : ""}`,
  });
}

/** The table of the classes' weights among the kernel's constants. */
export const CLASS_WEIGHTS = "class_weights";

const PARTNERS = { name: "partners", access: "read", element: "u32" } as const;
const SHARES = { name: "shares", access: "read", element: "f32" } as const;

function nameOf(variant: ClassificationVariant): string {
  const { loss, gradient, topK, mixed, weightedClasses, totals } = variant;
  return [
    "classification",
    ...(mixed ? ["mixed"] : []),
    ...(weightedClasses > 0 ? [`weighted${weightedClasses}`] : []),
    ...(loss ? ["loss"] : []),
    ...topK.map((k) => `top${k}`),
    ...(gradient ? ["gradient"] : []),
    ...(totals > 4 ? [`of_${totals}_totals`] : []),
  ].join("_");
}

const float = (value: number) => `${value}.0`;

/** The maximum may pass over NaN, and the sums keep it: with it, the loss is NaN, also without smoothing. */
const SUM_OF_EXPONENTIALS = wgsl`
  let smoothing = bitcast<f32>(constants.smoothing);
  let classes = f32(constants.channels);
  var most = ${LOWEST};
  ${CHANNELS} {
    most = max(most, a[a_place + c]);
  }
  most = largest(most, lane);
  var exponentials = 0f;
  var logits = 0f;
  ${CHANNELS} {
    exponentials += exp(a[a_place + c] - most);
    logits += a[a_place + c] - most;
  }
  exponentials = total(exponentials, lane);
  logits = total(logits, lane);`;

/** More than any rank: what a logit that is not finite adds to it. */
const UNFIT = "0x1p23";

const RANK = wgsl`
  var rank = 0f;
  ${CHANNELS} {
    let logit = a[a_place + c];
    let before = logit > label_logit || (logit == label_logit && c < label);
    rank += select(select(0.0, 1.0, before), ${UNFIT}, ${isNotFinite("logit")});
  }
  rank = total(rank, lane);
  let is_unfit = rank >= ${UNFIT};`;

const LOSS =
  "losses[block] = log(exponentials) - (1.0 - smoothing) * (label_logit - most) - smoothing * logits / classes;";

const GRADIENT = wgsl`
  let share = bitcast<f32>(constants.weight) / f32(frame.step_images);
  ${CHANNELS} {
    let expected = select(0.0, 1.0 - smoothing, c == label) + smoothing / classes;
    let probability = exp(a[a_place + c] - most) / exponentials;
    result[y_place + c] = share * (probability - expected);
  }`;

/** What a class counts in the loss of an example with a label. */
const targetOf = ({ weightedClasses }: ClassificationVariant) => wgsl`
  fn target_of(c: u32, label: u32) -> f32 {
    let smoothing = bitcast<f32>(constants.smoothing);
    let given = select(0.0, 1.0 - smoothing, c == label) + smoothing / f32(constants.channels);
    return ${weightedClasses > 0 ? `table_${CLASS_WEIGHTS}(c) * given` : "given"};
  }`;

/** A part of a loss that is a mean of its own. */
interface LossPart {
  /** Of the names of what belongs to it. */
  readonly prefix: "" | "partner_";
  /** The target of class c. */
  readonly expected: string;
}

function partsOf({ mixed, weightedClasses }: ClassificationVariant): readonly LossPart[] {
  const own = "target_of(c, label)";
  if (!mixed) return [{ prefix: "", expected: own }];
  const [first, second] = [`label_share * ${own}`, "(1.0 - label_share) * target_of(c, partner)"];
  if (weightedClasses === 0) return [{ prefix: "", expected: `${first} + ${second}` }];
  return [
    { prefix: "", expected: first },
    { prefix: "partner_", expected: second },
  ];
}

/** Of each part `mass`, the sum of the targets, and `cost`, the loss but for `mass * log(exponentials)`. */
const targets = (variant: ClassificationVariant) => wgsl`
  ${variant.mixed ? "let partner = partners[block];\nlet label_share = shares[block];" : ""}
  ${partsOf(variant).map(
    ({ prefix, expected }) => wgsl`
    var ${prefix}mass = 0f;
    var ${prefix}cost = 0f;
    ${CHANNELS} {
      let expected = ${expected};
      ${prefix}mass += expected;
      ${prefix}cost += expected * (most - a[a_place + c]);
    }
    ${prefix}mass = total(${prefix}mass, lane);
    ${prefix}cost = total(${prefix}cost, lane);`,
  )}`;

const lossesOfTargets = (variant: ClassificationVariant) =>
  partsOf(variant).map(
    ({ prefix }) => `${prefix}losses[block] = ${prefix}mass * log(exponentials) + ${prefix}cost;`,
  );

/** What a mean over the step divides by. */
function divisor(variant: ClassificationVariant, { prefix }: LossPart): string {
  if (variant.weightedClasses === 0) return "f32(frame.step_images)";
  const at = `constants.${prefix}total`;
  return `frame.totals[${at} / 4u][${at} % 4u]`;
}

function gradientOfTargets(variant: ClassificationVariant): string {
  const parts = partsOf(variant);
  const slopes = parts.map(
    ({ prefix, expected }) => `${prefix}share * (${prefix}mass * probability - (${expected}))`,
  );
  return wgsl`
  ${parts.map((part) => {
    return `let ${part.prefix}share = bitcast<f32>(constants.weight) / ${divisor(variant, part)};`;
  })}
  ${CHANNELS} {
    let probability = exp(a[a_place + c] - most) / exponentials;
    result[y_place + c] = ${slopes.join(" + ")};
  }`;
}
