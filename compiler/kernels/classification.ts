import { ioOf, read, written, type Io } from "./bindings.js";
import {
  block,
  classTotal,
  code,
  frame,
  helper,
  joined,
  lane,
  LOWEST,
  named,
  text,
  type Code,
  type Declared,
} from "./code.js";
import type { ConstantCode } from "./constants.js";
import { defineKernel } from "./define-kernel.js";
import { isNotFinite, nanWhere } from "./not-a-number.js";
import { placeName } from "./pixels.js";
import { channelLoop, channelOf, MAX, REDUCE_WORKGROUP, ROWS, rowStart, SUM } from "./reduce.js";

export interface ClassificationVariant {
  readonly loss: boolean;
  readonly gradient: boolean;
  readonly topK: readonly number[];
  /** Whether images are mixtures of two, with a partner's label and the first one's share. */
  readonly mixed: boolean;
  /** How many classes have a weight each; 0 if all classes count equally. */
  readonly weightedClasses: number;
  /** How many totals the frame has, if the kernel reads them. */
  readonly totals: number;
}

/**
 * Cross-entropy with label smoothing s, its gradient for the step's mean, and top-k hits, in one
 * pass over the logits: loss = log sum exp(z) - (1 - s) z_label - s mean(z); gradient = weight *
 * (softmax(z) - (1 - s) [c = label] - s / C) / images. With weights of classes or mixed images,
 * each class has a target t_c instead: loss = sum t_c (log sum exp(z) - z_c), gradient = weight *
 * (sum(t) softmax(z) - t) / images. By class weights the mean is over these: the gradient is
 * divided by the labels' weights over the whole step, and the losses are left as they are,
 * partners' apart, since theirs weigh otherwise. A label is among the k largest if fewer than k
 * logits are larger, equal ones counted in order of their index; where one is not finite, that is
 * NaN.
 */
export const classification = defineKernel("classification", (variant: ClassificationVariant) => ({
  suffix: suffixOf(variant),
  summary: "Cross-entropy, its gradient and top-k hits of one example a workgroup.",
  bindings: bindingsOf(variant),
  constants: constantsOf(variant),
  lanes: REDUCE_WORKGROUP,
  declarations: [MAX, SUM],
  body: (scope) => new Classifier(variant, scope).body,
}));

function suffixOf(variant: ClassificationVariant): string {
  const { loss, gradient, topK, mixed, weightedClasses, totals } = variant;
  return [
    "",
    ...(mixed ? ["mixed"] : []),
    ...(weightedClasses > 0 ? [`weighted${weightedClasses}`] : []),
    ...(loss ? ["loss"] : []),
    ...topK.map((k) => `top${k}`),
    ...(gradient ? ["gradient"] : []),
    ...(totals > 4 ? [`of_${totals}_totals`] : []),
  ].join("_");
}

/** Names of what a variant writes, in the order of its node's outputs. */
export function classificationOutputs(variant: ClassificationVariant): readonly string[] {
  const { loss, topK, gradient } = variant;
  return [
    ...(loss ? ["losses"] : []),
    ...(loss && hasPartnersApart(variant) ? ["partner_losses"] : []),
    ...topK.map((k) => `hits${k}`),
    ...(gradient ? ["result"] : []),
  ];
}

const bindingsOf = (variant: ClassificationVariant) => ({
  input: read("f32"),
  labels: read("u32"),
  partners: variant.mixed ? read("u32") : undefined,
  shares: variant.mixed ? read("f32") : undefined,
  losses: variant.loss ? written("f32") : undefined,
  partner_losses: variant.loss && hasPartnersApart(variant) ? written("f32") : undefined,
  ...hitsOf(variant),
  result: variant.gradient ? written("f32") : undefined,
});

const hitsOf = ({ topK }: ClassificationVariant) =>
  Object.fromEntries(topK.map((k) => [`hits${k}`, written("f32")])) as Readonly<
    Record<`hits${number}`, ReturnType<typeof written>>
  >;

function constantsOf(variant: ClassificationVariant) {
  const { loss, gradient, weightedClasses, totals } = variant;
  const needsSum = loss || gradient;
  const u32 = (used: boolean) => (used ? ("u32" as const) : undefined);
  const float = (used: boolean) => (used ? ("f32" as const) : undefined);
  return {
    class_weights: weightedClasses > 0 ? { table: weightedClasses } : undefined,
    ...ROWS,
    smoothing: float(needsSum),
    weight: float(gradient),
    total: u32(totals > 0),
    partner_total: u32(totals > 0 && hasPartnersApart(variant)),
    input: "place",
    result: gradient ? ("place" as const) : undefined,
  } as const;
}

/** A part of a loss that is a separate mean. */
interface LossPart {
  /** Of the names of what belongs to it. */
  readonly prefix: "" | "partner_";
  /** The target of class c. */
  readonly expected: Code;
}

/** By class weights, partners' losses weigh otherwise than the examples' own. */
const hasPartnersApart = ({ mixed, weightedClasses }: ClassificationVariant) =>
  mixed && weightedClasses > 0;

/** More than any rank: what a logit that is not finite adds to it. */
const UNFIT = named("UNFIT", text("0x1p23"));

const [LOGIT, CHANNEL_OF_RESULT] = [channelOf("input"), channelOf("result")];

/** Makes the statements of a variant. */
class Classifier {
  private readonly loop: Code;
  private readonly logit: Code;
  private readonly hasTargets: boolean;
  private readonly parts: readonly LossPart[];

  constructor(
    private readonly variant: ClassificationVariant,
    private readonly scope: {
      readonly io: Io<ReturnType<typeof bindingsOf>>;
      readonly k: ConstantCode<ReturnType<typeof constantsOf>>;
    },
  ) {
    this.loop = channelLoop(scope.k.channels);
    this.logit = scope.io.input.load(LOGIT);
    this.hasTargets = this.needsSum && (variant.mixed || variant.weightedClasses > 0);
    this.parts = this.hasTargets ? partsOf(variant, this.targetOf()) : [];
  }

  private get needsSum(): boolean {
    return this.variant.loss || this.variant.gradient;
  }

  get body(): Code {
    const { io, k } = this.scope;
    const { loss, gradient, topK } = this.variant;
    return code`
      ${rowStart(k, k.result ? { input: k.input, result: k.result } : { input: k.input })}
      let label = ${io.labels.load(block)};
      let label_logit = ${io.input.load(code`${placeName("input")} + label`)};
      ${this.needsSum && this.sumOfExponentials()}
      ${this.hasTargets && this.targets()}
      ${topK.length > 0 && this.rank()}
      // Write.
      if (${lane} == 0u) {
        ${loss && (this.hasTargets ? this.lossesOfTargets() : this.lossOfLabel())}
        ${topK.map((k) => this.hit(k))}
      }
      ${gradient && (this.hasTargets ? this.gradientOfTargets() : this.gradientOfLabel())}`;
  }

  /**
   * The maximum may pass over NaN, and the sums keep it: with it, the loss is NaN, also without
   * smoothing.
   */
  private sumOfExponentials(): Code {
    const { channels, smoothing } = this.scope.k;
    return code`
      let smoothing = ${smoothing};
      let classes = f32(${channels});
      // The largest: less it, no exponential overflows.
      var most = ${LOWEST};
      ${this.loop} {
        most = max(most, ${this.logit});
      }
      most = ${MAX}(most, ${lane});
      // Softmax.
      var exponentials = 0f;
      var logits = 0f;
      ${this.loop} {
        exponentials += exp(${this.logit} - most);
        logits += ${this.logit} - most;
      }
      exponentials = ${SUM}(exponentials, ${lane});
      logits = ${SUM}(logits, ${lane});`;
  }

  private rank(): Code {
    return code`
      // Logits before the label's.
      var rank = 0f;
      ${this.loop} {
        let logit = ${this.logit};
        let before = logit > label_logit || (logit == label_logit && channel < label);
        rank += select(select(0.0, 1.0, before), ${UNFIT}, ${isNotFinite(code`logit`)});
      }
      rank = ${SUM}(rank, ${lane});
      let is_unfit = rank >= ${UNFIT};`;
  }

  private hit(k: number): Code {
    const isHit = code`select(0.0, 1.0, rank < ${float(k)})`;
    return ioOf(hitsOf(this.variant))[`hits${k}`]!.store(block, nanWhere(code`is_unfit`, isHit));
  }

  private lossOfLabel(): Code {
    const ofLabel = code`(1.0 - smoothing) * (label_logit - most)`;
    const loss = code`log(exponentials) - ${ofLabel} - smoothing * logits / classes`;
    return this.scope.io.losses.store(block, loss);
  }

  private gradientOfLabel(): Code {
    const slope = code`share * (probability - expected)`;
    return code`
      let share = ${this.scope.k.weight} / f32(${frame.step_images});
      ${this.loop} {
        let expected = select(0.0, 1.0 - smoothing, channel == label) + smoothing / classes;
        let probability = exp(${this.logit} - most) / exponentials;
        ${this.scope.io.result.store(CHANNEL_OF_RESULT, slope)}
      }`;
  }

  /** What a class counts in the loss of an example with a label. */
  private targetOf(): Declared {
    const { smoothing, channels, class_weights: weightOf } = this.scope.k;
    const made = weightOf ? code`${weightOf(code`channel`)} * given` : code`given`;
    return helper(
      "target_of",
      code`
        fn target_of(channel: u32, label: u32) -> f32 {
          let smoothing = ${smoothing};
          let given = select(0.0, 1.0 - smoothing, channel == label) + smoothing / f32(${channels});
          return ${made};
        }`,
    );
  }

  /**
   * Of each part `mass`, the sum of the targets, and `cost`, the loss but for
   * `mass * log(exponentials)`.
   */
  private targets(): Code {
    const { partners, shares } = this.scope.io;
    const ofPart = ({ prefix, expected }: LossPart) => {
      const [mass, cost] = [text(`${prefix}mass`), text(`${prefix}cost`)];
      return code`
        var ${mass} = 0f;
        var ${cost} = 0f;
        ${this.loop} {
          let expected = ${expected};
          ${mass} += expected;
          ${cost} += expected * (most - ${this.logit});
        }
        ${mass} = ${SUM}(${mass}, ${lane});
        ${cost} = ${SUM}(${cost}, ${lane});`;
    };
    const mixed = partners && [
      code`let partner = ${partners.load(block)};`,
      code`let label_share = ${shares.load(block)};`,
    ];
    return code`
      ${mixed}
      ${this.parts.map(ofPart)}`;
  }

  private lossesOfTargets(): readonly Code[] {
    const { losses, partner_losses: partnerLosses } = this.scope.io;
    return this.parts.map(({ prefix }) => {
      const [mass, cost] = [text(`${prefix}mass`), text(`${prefix}cost`)];
      const written = prefix === "" ? losses : partnerLosses;
      return written.store(block, code`${mass} * log(exponentials) + ${cost}`);
    });
  }

  /** What a mean over the step divides by. */
  private divisor({ prefix }: LossPart): Code {
    const { totals, weightedClasses } = this.variant;
    if (weightedClasses === 0) return code`f32(${frame.step_images})`;
    const { total, partner_total: partnerTotal } = this.scope.k;
    return classTotal(totals, (prefix === "" ? total : partnerTotal)!);
  }

  private gradientOfTargets(): Code {
    const slopes = this.parts.map(({ prefix, expected }) => {
      const [share, mass] = [text(`${prefix}share`), text(`${prefix}mass`)];
      return code`${share} * (${mass} * probability - (${expected}))`;
    });
    const { weight } = this.scope.k;
    const shares = this.parts.map((part) => {
      return code`let ${text(`${part.prefix}share`)} = ${weight} / ${this.divisor(part)};`;
    });
    return code`
      ${shares}
      ${this.loop} {
        let probability = exp(${this.logit} - most) / exponentials;
        ${this.scope.io.result.store(CHANNEL_OF_RESULT, joined(slopes, " + "))}
      }`;
  }
}

const float = (value: number) => text(`${value}.0`);

function partsOf(variant: ClassificationVariant, targetOf: Declared): readonly LossPart[] {
  const own = code`${targetOf}(channel, label)`;
  if (!variant.mixed) return [{ prefix: "", expected: own }];
  const first = code`label_share * ${own}`;
  const second = code`(1.0 - label_share) * ${targetOf}(channel, partner)`;
  if (!hasPartnersApart(variant)) return [{ prefix: "", expected: code`${first} + ${second}` }];
  return [
    { prefix: "", expected: first },
    { prefix: "partner_", expected: second },
  ];
}
