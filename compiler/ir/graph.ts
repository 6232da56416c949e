import type { Expression } from "./expression.js";
import type { Fusion } from "./fusion.js";
import type { Origin } from "./origin.js";
import type { Shape, StoredAxis } from "./shape.js";
import { stateNames, type CountingKind, type OptimizerSettings } from "../../program/optimizers.js";
import {
  SUMS_AT_ONCE,
  type ClassTotal,
  type Gives,
  type Initializer,
} from "../../program/program.js";
import type { Distribution } from "../../program/noise.js";
import type { LossScale } from "../../program/recipe.js";

/** A tensor: the output of one node, a parameter, or an input of the network. */
export interface Value {
  readonly id: number;
  readonly name: string;
  readonly shape: Shape;
  readonly type: "f32" | "u32";
  readonly origin: Origin;
}

export type Pair = readonly [height: number, width: number];

export interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export interface ConvolutionAttributes {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
  readonly dilation: Pair;
  readonly groups: number;
}

export interface PoolAttributes {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
}

/** The windows of a maximum: with holes, or those that divide the image evenly. */
export interface MaxPoolAttributes extends PoolAttributes {
  readonly dilation?: Pair;
  /** Of adaptive windows, as below: then `kernel` is the size of the largest one. */
  readonly outputSize?: Pair;
}

/** What averaging divides by, and which elements a window covers. */
export type AverageAttributes =
  | ({
      readonly windows: "sliding";
      /** Whether padded zeros count in the divisor (PyTorch's default: true). */
      readonly countPadding: boolean;
      /**
       * The part of the bottom and right padding that only completes the last windows (ceil mode):
       * it never counts.
       */
      readonly overhang?: { readonly bottom: number; readonly right: number };
    } & PoolAttributes)
  /**
   * PyTorch's adaptive pooling: window i of n covers floor(i * size / n) up to ceil((i + 1) * size
   * / n).
   */
  | { readonly windows: "adaptive"; readonly outputSize: Pair };

/**
 * An image in another size: each output pixel is an input pixel, or lies between two or four of
 * each axis.
 */
export interface ResampleAttributes {
  readonly outputSize: Pair;
  readonly mode: "nearest" | "bilinear" | "bicubic";
  /** Of all but nearest: whether the outer pixels' centers lie on each other, or their edges. */
  readonly alignCorners: boolean;
}

/**
 * Pixels around an image: those inside mirrored at its edge, the edge itself, those of the other
 * side, or a number.
 */
export interface ExtendAttributes {
  readonly padding: Padding;
  readonly mode: "reflect" | "replicate" | "circular" | "constant";
  /** Of a constant. */
  readonly value?: number;
}

/**
 * The shape of an input gradient: strides and floor division make it more than the output's shape
 * tells.
 */
export interface GradientShape {
  readonly inputShape: Shape;
}

/**
 * The code of a pooled output that no input element won: its window lies in the padding, or `relu`
 * made it 0. All bits are set, so that a code packed into a byte is 255, which no element of a
 * kernel of up to 255 elements has.
 */
export const NO_WINNER = 0xffffffff;

/**
 * Which element of x becomes which of y. Element [n, i, j, ...] of y is element start + i *
 * strides[0] + j * strides[1] ... of image n of x, counted in logical order.
 */
export interface RearrangeAttributes {
  readonly shape: Shape;
  readonly start: number;
  /**
   * Sizes of the axes i, j, ..., where these are not those of `shape` behind the batch but finer
   * ones: an axis of `shape` may be several of them, which in logical order come to the same.
   */
  readonly sizes?: readonly number[];
  /** One for each axis i, j, .... No two elements of y are the same one of x. */
  readonly strides: readonly number[];
}

/** Sizes of the axes along which y is counted. */
export const sizesOf = ({ shape, sizes }: RearrangeAttributes): readonly number[] =>
  sizes ?? shape.slice(1).map(Number);

/** An activation's elements along some of its axes as one. Tokens are columns. */
export interface ReduceAttributes {
  readonly by: "sum" | "max" | "logsumexp";
  readonly axes: readonly StoredAxis[];
}

/**
 * Scaled dot-product attention: softmax(q k / sqrt(size of a head)) v for each of `heads` equal
 * parts of the channels. `causal`: a token attends to itself and those before it.
 */
export interface AttentionAttributes {
  readonly heads: number;
  readonly causal: boolean;
  /** What products of queries and keys are multiplied by. */
  readonly scale: number;
  /** Of images: a pixel attends to the pixels of its window. Windows fill the image. */
  readonly window?: AttentionWindow;
  /** In training, which of the shares of keys are 0, from the generator's `stream`. */
  readonly dropout?: { readonly rate: number; readonly stream: number } | undefined;
}

/**
 * Windows are counted from row and column `shift`, and around the border of the image; pixels of a
 * window that only meet around the border do not see each other.
 */
export interface AttentionWindow {
  readonly size: Pair;
  readonly shift: Pair;
}

/** What keeps a division by the deviation of equal values finite. */
export interface NormalizeAttributes {
  readonly epsilon: number;
}

/** Whether sums over the batch are those of all ranks that train together; false if absent. */
export interface SharedAttributes {
  readonly isShared?: true;
}

/**
 * Which values of an image are normalized together: a group of its channels, at all pixels or at
 * each.
 */
export interface GroupNormalizeAttributes extends NormalizeAttributes {
  readonly groups: number;
  readonly pixels: "together" | "apart";
}

/** A loss of each element. Operand 0 is the prediction, operand 1 the target. */
export interface ElementLossAttributes {
  readonly expression: Expression;
  /**
   * Its derivative by the prediction; absent for metrics. Spelled out because a kink's two sides
   * make different sums.
   */
  readonly slope?: Expression;
}

/** What a cross-entropy makes of labels. */
export interface LabelRule {
  /** Share of the target probability that is spread over all classes. */
  readonly smoothing: number;
  /**
   * What each class counts, one for each; all count alike if absent. The mean is then over what
   * they count.
   */
  readonly classWeights?: readonly number[];
}

/** The same for the pixels of masks, and for tokens. */
export interface PixelRule extends LabelRule {
  /**
   * Above 0: a pixel's loss counts (1 - p) to this power, p being the probability of its label
   * (Lin et al., "Focal loss for dense object detection", 2017).
   */
  readonly focus?: number;
}

/** What parts of a loss of boxes count, as in YOLO. */
export interface DetectionAttributes {
  /** Places and sizes of boxes. */
  readonly coord: number;
  /** Cells without a box. */
  readonly noobj: number;
}

/**
 * What follows a gradient, and how: a parameter by an optimizer, or the sum of the gradients of a
 * step's slices.
 */
export type UpdateRule = OptimizerSettings["kind"] | "accumulate";

/**
 * How a parameter follows its gradient: by which optimizer, and what the parameter's own settings
 * make of the optimizer's.
 */
export interface UpdateAttributes {
  readonly optimizer: UpdateRule;
  /** Whether each element of the gradient is limited in magnitude. */
  readonly clipsValue: boolean;
  readonly learningRateFactor: number;
  readonly decayFactor: number;
  /** What gradients are multiplied by first: one over a static loss scale. 1 if absent. */
  readonly gradientFactor?: number;
  /** LARS's: length of a step as a share of the weights' norm. */
  readonly trustCoefficient?: number;
}

export type DynamicLossScale = Extract<LossScale, { kind: "dynamic" }>;

/** How a dynamic loss scale is adjusted, and whether the norm of all gradients is limited. */
export interface LossScaleAttributes extends Omit<DynamicLossScale, "kind"> {
  readonly clipsNorm: boolean;
  /** Whether the scale stays as it is, and no step is skipped: only updates are counted. */
  readonly isStatic: boolean;
  /** Whose corrections depend on the number of updates in another way than Adam's. */
  readonly counts?: CountingKind;
  /** NAdam's: how fast the momentum grows. */
  readonly momentumDecay?: number;
}

/**
 * The primitives, each with its attributes. Inputs and outputs, in order:
 *
 * - convolution: x [N, C, H, W], w (row-major as [O, C/groups, kh, kw]) -> [N, O, OH, OW]. A linear
 *   layer is the convolution with a 1x1 kernel on [N, F] and w [O, F]. Where w has rank 2, so has
 *   the result: a kernel that covers the whole of x [N, C, H, W] gives [N, O] from w [O, C * H * W]
 * - convolutionInputGradient: dy, w -> dx; convolutionWeightGradient: x, dy -> dw, in w's shape
 * - pointwise: operands of one shape (and [C] operands, read by `channel`) -> the same shape
 * - maxPool: x -> y, code. The code of an output names the winner in its window (kernel row *
 *   kernel width + column); with `relu`, an output of 0 has no winner. maxPoolGradient: dy, code ->
 *   dx
 * - maxUnpool: x, code -> the pool's input with each element at its window's winner, and zeros
 *   elsewhere; maxUnpoolGradient: dy, code -> dx
 * - averagePool: x -> y; averagePoolGradient: dy -> dx
 * - resample: x -> y of another size; resampleGradient: dy -> dx
 * - extend: x -> y, with pixels around it; extendGradient: dy -> dx
 * - channelWindowSum: x -> y, the sum over channels c - before ... c + after
 * - channelSum: x [N, C, H, W] -> [C], over batch and space: the gradient of a bias
 * - channelStatistics: x, and running mean and variance [C] -> mean, variance [C], over batch and
 *   space; moves the running ones towards them, in place. The variance is the biased one; the
 *   running one is unbiased
 * - normalize: x, its channelStatistics, and weight and bias [C] if it has any -> (x - mean) /
 *   sqrt(variance + epsilon), times weight plus bias. Its gradient takes into account that the
 *   statistics depend on x, and they have no gradient
 * - normalizeScale: known mean and variance, and weight and bias if it has any -> scale, shift [C]:
 *   normalize is then x * scale + shift
 * - scaledWeights: w, scale [O] -> w, each output channel times its scale
 * - normalizeGradient: dy, x, and its channelStatistics -> [C] each: the gradients of bias and
 *   weight, and the slope and offset of dx = weight / sqrt(variance + epsilon) * (dy - slope * x -
 *   offset)
 * - groupNormalize: x -> (x - mean) / sqrt(variance + epsilon), statistics over each group of
 *   channels; groupNormalizeGradient: x, dy -> dx
 * - softmax: x -> y over channels; softmaxGradient: y, dy -> dx
 * - crossEntropy: logits [N, C], labels [N], and of images that are mixtures of two also the
 *   partner's label [N] and the share of the first [N] -> loss per example [N], which is what it
 *   adds to the sum of a mean by class weights; of mixed images with class weights that of its
 *   label, and that of its partner's [N], since the means are over other weights.
 *   crossEntropyGradient: the same -> `weight` times the gradient of the step's mean loss, [N, C]
 * - elementLoss: prediction, and if the expression reads it a target of one shape -> [N], the mean
 *   of an expression of both over each example's elements, NaN where an element of the prediction
 *   is not finite
 * - accuracy: logits, labels -> [N], 1 where the label is among the k largest logits, NaN where a
 *   logit is not finite
 * - pixelCrossEntropy: logits [N, C, H, W], labels of pixels [N, H, W] -> [N, H], the sums over
 *   each row of what its pixels add to a mean by class weights. Labels of C and more are ignored.
 *   Here and below, logits [N, T, C] and labels of tokens [N, T] are a row of T pixels.
 *   pixelCrossEntropyGradient: the same -> `weight` times the gradient of the step's mean loss
 * - pixelHits: the same -> [N, H], how many pixels of a row have their label among the k
 *   largest logits
 * - pixelOverlaps: the same -> [N, H, 2 C], for each class how many pixels of a row have it as
 *   label and as prediction, and then for each class how many have it as either
 * - diceSums: the same -> [N, H, 2 C], for each class the probabilities of a row's pixels that have
 *   it as label, and then for each class those of all its pixels and 1 for each with this label.
 *   diceSumsGradient: the same, dy -> the gradient of the logits
 * - dice: such sums -> [N], one minus the mean over the classes of (2 I + smooth) / (S + smooth),
 *   I and S being the sums over the rows. diceGradient: the same -> `weight` times the gradient of
 *   the step's mean
 * - detectionLoss: a grid of predictions [N, 5 + C, H, W] and boxes [N, M, 5] -> [N], the sum of
 *   each example's losses (ops/detection.ts). detectionLossGradient: the same -> `weight` times the
 *   gradient of the step's mean
 * - exampleSum: x [N, K] -> [N], the sum of each example's elements
 * - classification: the three above in one pass over the logits: crossEntropy's inputs -> [loss per
 *   example and hits per example ..., one [N] each], and the gradient last if `gradient`
 * - batchSums: [N] ..., and then [N, T, K] ... -> sums over the batch, of shares without what is
 *   not finite, K sums over batch and rows of each of the latter, and behind all sums, for each
 *   SUMS_AT_ONCE of the [N], the number of examples of which a value is not finite
 * - concatenate: x, x2 ... of one batch and space -> y, their channels one after the other, or
 *   values that differ in their tokens, rows or columns only, one after the other along these
 * - reshape: x -> y, the same elements in logical (row-major) order
 * - rearrange: x -> y, elements of x in another order, each at most once; rearrangeGradient: dy ->
 *   dx
 * - joinChannels: x, x2 ... of one batch and space -> y, elements of what their channels are one
 *   after the other, in another order
 * - reduce: x -> y, the sum, the largest or the logarithm of the sum of exponentials of its
 *   elements along some axes, each of which has one element in y; spread: x -> y, the same element
 *   everywhere along axes of which x has one
 * - table: nothing -> [C], constants by channel
 * - broadcast: a parameter of K elements -> [N, K], the same for each example. Its gradient is a
 *   channelSum
 * - embedding: tokens [N] or [N, T], integers, and a table [V, C] -> [N, C] or [N, T, C], the row
 *   of each token; embeddingGradient: tokens, dy -> the table's gradient, 0 in the row `padding`
 * - oneHot: labels [N], [N, H, W] or [N, T] -> [N, C], [N, C, H, W] or [N, T, C], 1 in the channel
 *   of each label's class; 0 throughout where a label is C or more
 * - labelMean: x [N, K, H, W], labels [N, H, W] -> [N, H], the sums over each row of its pixels'
 *   means over their channels, but for pixels with labels of `classes` and more; labelMeanGradient:
 *   labels -> `weight` times the gradient of the step's mean over the pixels that count
 * - matmul: a [N, T, K], b [N, K, C] -> [N, T, C], the product of each example's matrices;
 *   `transposed`: b is [N, C, K]. Several `matrices` of an example lie one below the other:
 *   a [N, matrices * T, K], b [N, matrices * K, C]
 * - attention: queries, keys and values [N, T, 3 * C], one after the other for each token -> y
 *   [N, T, C], and the logarithm of each row's sum of exponentials [N, T, heads]. With `window`,
 *   images [N, 3 * C, H, W] -> [N, C, H, W] and [N, heads, H, W], and another input [N, (2h - 1) *
 *   (2w - 1) * heads]: what scores gain by how many rows and columns a query is from its key, from
 *   -(h - 1) and -(w - 1) on. attentionGradient: the same input, y, these logarithms, dy, and the
 *   gains if there are any -> the input's gradient, the products of y and dy by row, and the
 *   gradient of the gains
 * - sumGradients: two gradients of one parameter -> their sum, in its shape
 * - squareSum: dw, and another squareSum if given -> [1], the sum of squares, added to the other's
 * - scaleGradient: dy, and the state of a dynamic loss scale [LOSS_SCALE_WORDS] -> dy times the
 *   scale
 * - adjustLossScale: the state of the loss scale, and the squareSum of all gradients (not with
 *   `isStatic`, unless `clipsNorm`) -> [4]: the
 *   factor of the gradients, 0 where this step is to change nothing; Adam's two bias corrections
 *   after this many updates, and NAdam's or RAdam's `adjustment`. Changes the state in place
 * - update: w, dw, the optimizer's states of w -> nothing; changes w and the states in place. With
 *   `clipsNorm`, a last input is the squareSum of all gradients; with `skips`, what adjustLossScale
 *   made of it. By the rule `accumulate`, w is the sum of a parameter's gradients over the slices
 *   of a step.
 */
export interface OpAttributes {
  convolution: ConvolutionAttributes;
  convolutionInputGradient: ConvolutionAttributes & GradientShape;
  convolutionWeightGradient: ConvolutionAttributes & {
    readonly weightShape: Shape;
  };
  pointwise: { readonly expression: Expression };
  maxPool: MaxPoolAttributes & { readonly relu: boolean };
  maxPoolGradient: MaxPoolAttributes & GradientShape;
  maxUnpool: MaxPoolAttributes & GradientShape;
  maxUnpoolGradient: MaxPoolAttributes & GradientShape;
  averagePool: AverageAttributes;
  averagePoolGradient: AverageAttributes & GradientShape;
  resample: ResampleAttributes;
  resampleGradient: ResampleAttributes & GradientShape;
  extend: ExtendAttributes;
  extendGradient: ExtendAttributes & GradientShape;
  channelWindowSum: {
    readonly before: number;
    readonly after: number;
  };
  /** The shape of the result, if it is not [C]. */
  channelSum: { readonly shape?: Shape };
  /**
   * How far the running statistics move: 0 not at all, 1 all the way. `isKept`: they are wanted, so
   * that the node stays where nothing reads its outputs.
   */
  channelStatistics: SharedAttributes & { readonly momentum: number; readonly isKept?: boolean };
  normalize: NormalizeAttributes;
  normalizeScale: NormalizeAttributes;
  scaledWeights: Record<never, never>;
  normalizeGradient: NormalizeAttributes & SharedAttributes;
  groupNormalize: GroupNormalizeAttributes;
  groupNormalizeGradient: GroupNormalizeAttributes;
  softmax: Record<never, never>;
  softmaxGradient: Record<never, never>;
  crossEntropy: LabelRule;
  crossEntropyGradient: LabelRule & { readonly weight: number };
  accuracy: { readonly k: number };
  classification: LabelRule & {
    readonly topK: readonly number[];
    readonly gradient: boolean;
    /** Of the gradient: what the loss counts in a sum of losses. */
    readonly weight: number;
  };
  pixelCrossEntropy: PixelRule;
  pixelCrossEntropyGradient: PixelRule & { readonly weight: number };
  pixelHits: { readonly k: number };
  pixelOverlaps: Record<never, never>;
  diceSums: Record<never, never>;
  diceSumsGradient: Record<never, never>;
  dice: { readonly smooth: number };
  diceGradient: { readonly smooth: number; readonly weight: number };
  detectionLoss: DetectionAttributes;
  detectionLossGradient: DetectionAttributes & { readonly weight: number };
  exampleSum: Record<never, never>;
  elementLoss: ElementLossAttributes;
  oneHot: { readonly classes: number };
  labelMean: { readonly classes: number };
  labelMeanGradient: GradientShape & { readonly classes: number; readonly weight: number };
  /** Which of the inputs are shares: of these, what is not finite counts as 0. */
  batchSums: { readonly shares: readonly boolean[] };
  /** Channels if absent. */
  concatenate: { readonly axis?: "tokens" | "rows" | "columns" };
  /** The shape of the result. */
  reshape: { readonly shape: Shape };
  rearrange: RearrangeAttributes;
  rearrangeGradient: RearrangeAttributes & GradientShape;
  /** Of the concatenation. */
  joinChannels: RearrangeAttributes;
  reduce: ReduceAttributes;
  /** The shape of the result. */
  spread: { readonly shape: Shape };
  table: { readonly values: readonly number[] };
  broadcast: Record<never, never>;
  /** The row that has no gradient. */
  embedding: { readonly padding?: number | undefined };
  /** The table's shape. */
  embeddingGradient: { readonly padding?: number | undefined; readonly shape: Shape };
  /** Whether b is transposed, and how many matrices each example has: one if absent. */
  matmul: { readonly transposed: boolean; readonly matrices?: number };
  attention: AttentionAttributes;
  attentionGradient: AttentionAttributes;
  sumGradients: Record<never, never>;
  squareSum: Record<never, never>;
  scaleGradient: Record<never, never>;
  adjustLossScale: LossScaleAttributes;
  update: UpdateAttributes & { readonly clipsNorm: boolean; readonly skips?: boolean };
}

export type OpKind = keyof OpAttributes;

export interface Node<Kind extends OpKind = OpKind> {
  readonly kind: Kind;
  /** What the op itself reads; `readsOf` (fusion.ts) has what its fusion reads, too. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: OpAttributes[Kind];
  readonly fusion?: Fusion;
  readonly origin: Origin;
}

/** A node of any kind, discriminated by `kind`. */
export type AnyNode = { [Kind in OpKind]: Node<Kind> }[OpKind];

/**
 * What a parameter is to training: a weight follows its gradient; a statistic is measured on the
 * way (a running mean), has no gradient and counts in no sum of parameters.
 */
export type ParameterRole = "weight" | "statistic";

/** A tensor that outlives a step, with what a layer's arguments say of it. */
export interface Parameter {
  /** `features.conv1.weight`; its shape is PyTorch's. */
  readonly value: Value;
  readonly role: ParameterRole;
  readonly initializer: Initializer;
  readonly learningRateFactor: number;
  readonly decayFactor: number;
  /** Whether the value is trained; a frozen parameter gets no gradient. */
  readonly trainable: boolean;
  /** In files, where it differs: `[out, in, k]`, as PyTorch's `Conv1d` has it. */
  readonly fileShape?: Shape | undefined;
  /** Whether it is of layers that only losses compare with (`Teacher` of program/recipe.ts). */
  readonly isTeacher?: boolean | undefined;
  /** Of running statistics: whether training normalizes by them, and leaves them as they are. */
  readonly isKept?: boolean | undefined;
}

/** The shape of a parameter in files. */
export const fileShapeOf = ({ fileShape, value }: Parameter): readonly number[] =>
  (fileShape ?? value.shape).map(Number);

/**
 * What a tensor is to a graph. Of training data that mix two examples, `partner` is the other one's
 * label and `share` what the first one counts; `loss scale` is the state of a dynamic loss scale.
 */
export type PortRole = "input" | "target" | "partner" | "share" | "loss scale" | "prediction";

/** A tensor that comes into a graph or leaves it. */
export interface Port {
  readonly name: string;
  readonly role: PortRole;
  readonly value: Value;
  /** Whether specs call it a signal; its value is an image of one row. */
  readonly isSignal?: true | undefined;
  /** Of more axes than an image has: those of the spec, without the batch. Its value is flat. */
  readonly sizes?: readonly number[] | undefined;
  /** Of labels: they are integers in 0 .. classes - 1. */
  readonly classes?: number;
  /** Of labels of pixels or tokens: another label, of those that count in no score. */
  readonly ignore?: number;
  /** Of boxes: their classes are integers in 0 .. boxClasses - 1, or -1 where there is no box. */
  readonly boxClasses?: number;
  /** Of an input of noise, which only predictions are given. */
  readonly distribution?: Distribution | undefined;
  /** Of a prediction. */
  readonly gives?: Gives;
}

/**
 * A network as primitives. Every node comes after the nodes that make its inputs.
 */
export interface Graph {
  readonly name: string;
  /** What comes in; of a training graph with a dynamic loss scale, also its state. */
  readonly inputs: readonly Port[];
  readonly parameters: readonly Parameter[];
  /** What the optimizer keeps of each trained parameter; empty before differentiation. */
  readonly states: readonly Value[];
  readonly nodes: readonly AnyNode[];
  /** What `predict` returns; none in a graph that only updates parameters. */
  readonly outputs: readonly Port[];
  /** Loss and metrics, in the order of their names. Loss first. */
  readonly metrics: readonly Score[];
}

/** A loss or a metric: a sum of means over the examples of a step or a split. */
export interface Score {
  readonly name: string;
  /** Whether it is a share of something: an example that has no value counts as 0. */
  readonly isShare?: true;
  /** Whether it is e to the power of its mean. */
  readonly isExponential?: true;
  readonly terms: readonly ScoreTerm[];
}

/**
 * A mean, times a factor. What it is taken over is known when all examples are: until then, its sum
 * and what that is divided by stay apart.
 */
export interface ScoreTerm {
  /**
   * [N]: what each example adds to the sum; NaN where it has no value. [N, H, 2 C] of a mean over
   * classes: overlaps by row, and then unions, which each class's sum is divided by.
   */
  readonly value: Value;
  readonly factor: number;
  /** What the sum is divided by; the number of examples if absent. */
  readonly over?: ClassTotal;
  /** Of a mean over classes: the one that it leaves out, since its pixels count in no score. */
  readonly without?: number;
}

/** The values of a role, in their order. */
export function portsOf(
  { inputs, outputs }: Pick<Graph, "inputs" | "outputs">,
  role: PortRole,
): readonly Value[] {
  const ports = role === "prediction" ? outputs : inputs;
  return ports.flatMap((port) => (port.role === role ? [port.value] : []));
}

/** The one value of a role. Throws where there is none, or several. */
export function portOf(graph: Pick<Graph, "name" | "inputs" | "outputs">, role: PortRole): Value {
  const [value, ...others] = portsOf(graph, role);
  if (value && others.length === 0) return value;
  throw new Error(`${graph.name}: expected one ${role}, got ${value ? others.length + 1 : 0}`);
}

/** What must be there whoever else reads it: predictions, and the values of loss and metrics. */
export function resultsOf(graph: Pick<Graph, "outputs" | "metrics">): readonly Value[] {
  return [...graph.outputs.map(({ value }) => value), ...scoreValues(graph)];
}

/** The values of loss and metrics, in the order in which `batchSums` reads them. */
export function scoreValues(graph: Pick<Graph, "metrics">): readonly Value[] {
  return scoreTerms(graph).map(({ term }) => term.value);
}

/** Whether a term has sums for each class, rather than one number an example. */
export const isByClass = ({ value }: Pick<ScoreTerm, "value">): boolean => value.shape.length > 1;

/** The terms of all scores: those with one number an example first. */
export function scoreTerms({ metrics }: Pick<Graph, "metrics">) {
  const all = metrics.flatMap((score) => score.terms.map((term) => ({ score, term })));
  const byClass = all.filter(({ term }) => isByClass(term));
  return [...all.filter(({ term }) => !isByClass(term)), ...byClass];
}

/** The sums over the batch that a value comes to. */
export const sumsOfValue = ({ shape }: Value): number =>
  shape.length === 1 ? 1 : Number(shape.at(-1));

/** The inputs of a `batchSums` by the kernels that sum them. */
export function sumChunks<Input>(inputs: readonly Input[]): readonly (readonly Input[])[] {
  const chunks = Math.ceil(inputs.length / SUMS_AT_ONCE);
  return Array.from({ length: chunks }, (_, index) =>
    inputs.slice(index * SUMS_AT_ONCE, (index + 1) * SUMS_AT_ONCE),
  );
}

/** What a graph's means divide by, other than the number of examples, each once. */
export function classTotals({ metrics }: Pick<Graph, "metrics">): readonly ClassTotal[] {
  const totals = metrics.flatMap(({ terms }) => terms.flatMap(({ over }) => over ?? []));
  return totals.filter((total, index) => indexOfTotal(totals, total) === index);
}

/** The place of a total among others; -1 if it is missing. */
export function indexOfTotal(totals: readonly ClassTotal[], wanted: ClassTotal): number {
  return totals.findIndex(
    ({ of, target, weights }) =>
      of === wanted.of &&
      target === wanted.target &&
      weights.length === wanted.weights.length &&
      weights.every((weight, index) => weight === wanted.weights[index]),
  );
}

/** The values that no node makes: inputs, parameters and the optimizer's states. */
export function externalValues(graph: Graph): readonly Value[] {
  return [
    ...graph.inputs.map(({ value }) => value),
    ...graph.parameters.map((parameter) => parameter.value),
    ...graph.states,
  ];
}

/** Tensors that a rule keeps of each parameter from step to step. */
export const stateCount = ({ optimizer }: Pick<UpdateAttributes, "optimizer">): number =>
  optimizer === "accumulate" ? 0 : stateNames({ kind: optimizer }).length;
