import { assemble, type Kernel } from "./kernel.js";
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
}

/**
 * Cross-entropy with label smoothing s, its gradient for the batch's mean, and top-k hits, in one pass over the logits:
 * loss = log sum exp(z) - (1 - s) z_label - s mean(z); gradient = weight * (softmax(z) - (1 - s) [c = label] - s / C) / batch.
 * With weights of classes or mixed images, each class has a target t_c instead: loss = sum t_c (log sum exp(z) - z_c), gradient = weight *
 * (sum(t) softmax(z) - t) / batch. A label is among the k largest if fewer than k logits are larger, equal ones counted in order
 * of their index.
 */
export function classification(variant: ClassificationVariant): Kernel {
  const { loss, gradient, topK, mixed, weightedClasses } = variant;
  const needsSum = loss || gradient;
  const hasTargets = needsSum && (mixed || weightedClasses > 0);
  const outputs = [
    ...(loss ? ["losses"] : []),
    ...topK.map((k) => `hits${k}`),
    ...(gradient ? ["result"] : []),
  ];
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
    constants: [
      ...["pixels", "width", "channels", "smoothing", "weight"],
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
        ${loss ? (hasTargets ? LOSS_OF_TARGETS : LOSS) : ""}
        ${topK.map((k) => `hits${k}[block] = select(0.0, 1.0, rank < ${float(k)});`)}
      }
      ${gradient ? (hasTargets ? gradientOfTargets(variant) : GRADIENT) : ""}`,
  });
}

/** The table of the classes' weights among the kernel's constants. */
export const CLASS_WEIGHTS = "class_weights";

const PARTNERS = { name: "partners", access: "read", element: "u32" } as const;
const SHARES = { name: "shares", access: "read", element: "f32" } as const;

function nameOf({ loss, gradient, topK, mixed, weightedClasses }: ClassificationVariant): string {
  return [
    "classification",
    ...(mixed ? ["mixed"] : []),
    ...(weightedClasses > 0 ? [`weighted${weightedClasses}`] : []),
    ...(loss ? ["loss"] : []),
    ...topK.map((k) => `top${k}`),
    ...(gradient ? ["gradient"] : []),
  ].join("_");
}

const float = (value: number) => `${value}.0`;

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

const RANK = wgsl`
  var rank = 0f;
  ${CHANNELS} {
    let logit = a[a_place + c];
    let before = logit > label_logit || (logit == label_logit && c < label);
    rank += select(0.0, 1.0, before);
  }
  rank = total(rank, lane);`;

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

/** Weights are brought to a mean of 1 over the labels of the batch, or of the slice: the mean of the losses is then the weighted mean. */
const scaleOf = (labels: string) => wgsl`
  var ${labels}_weight = 0f;
  for (var image = lane; image < frame.batch; image += ${REDUCE_WORKGROUP}u) {
    ${labels}_weight += table_${CLASS_WEIGHTS}(${labels}[image]);
  }
  let ${labels}_scale = f32(frame.batch) / total(${labels}_weight, lane);`;

/** `mass`, the sum of the targets, and `cost`, the loss but for `mass * log(exponentials)`. */
const targets = (variant: ClassificationVariant) => wgsl`
  ${variant.mixed ? "let partner = partners[block];\nlet label_share = shares[block];" : ""}
  ${scales(variant)}
  var mass = 0f;
  var cost = 0f;
  ${CHANNELS} {
    let expected = ${expectedOf(variant)};
    mass += expected;
    cost += expected * (most - a[a_place + c]);
  }
  mass = total(mass, lane);
  cost = total(cost, lane);`;

const scales = ({ mixed, weightedClasses }: ClassificationVariant) =>
  weightedClasses > 0 ? ["labels", ...(mixed ? ["partners"] : [])].map(scaleOf) : [];

function expectedOf({ mixed, weightedClasses }: ClassificationVariant): string {
  const scaled = (labels: string, target: string) =>
    weightedClasses > 0 ? `${labels}_scale * ${target}` : target;
  const first = scaled("labels", "target_of(c, label)");
  const second = scaled("partners", "target_of(c, partner)");
  return mixed ? `label_share * ${first} + (1.0 - label_share) * ${second}` : first;
}

const LOSS_OF_TARGETS = "losses[block] = mass * log(exponentials) + cost;";

const gradientOfTargets = (variant: ClassificationVariant) => wgsl`
  let share = bitcast<f32>(constants.weight) / f32(frame.step_images);
  ${CHANNELS} {
    let expected = ${expectedOf(variant)};
    let probability = exp(a[a_place + c] - most) / exponentials;
    result[y_place + c] = share * (mass * probability - expected);
  }`;
