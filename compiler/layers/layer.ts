import type { Fix } from "../diagnostics/diagnostic.js";
import type { DiagnosticCode } from "../diagnostics/catalogue/index.js";
import type { Builder } from "../ir/builder.js";
import type { Expression } from "../ir/expression.js";
import type { Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import type { ImageShape, Shape } from "../ir/shape.js";
import type {
  ArgumentDeclarations,
  ArgumentValues,
  CallValues,
  Described,
} from "../calls/signature.js";

/** A use of the layer that documentation shows and tests run. Shapes are without the batch axis. */
export interface LayerSample {
  readonly spec: string;
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** Of tokens as input: how many different ones there are. */
  readonly vocabulary?: number;
  /** Shapes of the other values that it names: `add(shortcut)`. */
  readonly others?: readonly (readonly number[])[];
}

/**
 * Which part of a shape a mistake is about; related labels point at where that part last changed.
 */
export type Axis = "channels" | "space" | "rank";

/** A mistake that a layer's shape rule found. */
export interface LayerProblem {
  readonly message: string;
  /** The argument to underline; the layer's name if left out or not written. */
  readonly at?: string;
  /** The text after the underline. */
  readonly label?: string;
  readonly axis?: Axis;
  readonly notes?: readonly string[];
  /** Proposals: each is applied and analyzed, and offered only if it helps. */
  readonly fixes?: readonly (Fix | undefined)[];
}

/** What makes a value that a layer names, as far as a shape rule may ask. */
export interface MadeBy {
  /** Its kind: `maxpool`. */
  readonly layer: string;
  readonly values: CallValues;
  /** Of what it reads. */
  readonly input: Shape;
}

/** What a shape rule may ask, and where it reports to. */
export interface InferenceContext {
  /** What messages call the layer: "conv `features.conv1`" without its section, "linear `fc6`". */
  readonly title: string;
  /** The last image on the way to this layer: what `flatten` made flat. */
  readonly lastImage: ImageShape | undefined;
  /** Shapes of the other values that the layer reads, see `LayerDefinition.others`. */
  readonly others: readonly Shape[];
  /** What makes each of them; undefined where no layer does, or where that is not known. */
  readonly makers: readonly (MadeBy | undefined)[];
  /** How many different tokens the input holds; undefined where it holds numbers. */
  readonly vocabulary: number | undefined;
  /**
   * Reports a mistake. A rule returns the output's shape all the same where it is known, so that
   * the layers below are checked too. Returns undefined, so that a rule can end with
   * `return context.report(...)`.
   */
  report(code: DiagnosticCode, problem: LayerProblem): undefined;
  /**
   * Which square inputs of the network would satisfy `test`, given the shape that this layer would
   * receive then: "inputs of 223 to 254". Undefined where none would, or where the input is not a
   * square image.
   */
  inputsWhere(test: (shape: Shape) => boolean): string | undefined;
  removeArgument(name: string, title: string): Fix | undefined;
  replaceArgument(name: string, text: string, title: string): Fix | undefined;
  /** Gives an argument by name, whether or not the call has it already. */
  setArgument(name: string, text: string, title: string): Fix | undefined;
  /** Inserts a layer before this one, or before the nearest `layer` above it. */
  insertBefore(text: string, title: string, layer?: string): Fix | undefined;
  /**
   * Declares the parameters that values are with axes of 1 in front of theirs: as many for each
   * value as `counts` says, the current one first. Undefined where one is not a parameter.
   */
  addAxes(counts: readonly number[], title: string): Fix | undefined;
  /** Declares the model's input, a sequence that reaches this layer as it is, as a signal. */
  declareSignal(): Fix | undefined;
}

/** Where a layer's ops go. */
export interface LayerContext {
  readonly builder: Builder;
  /** Its name is the layer's full name. */
  readonly origin: Origin;
  /** What names of weights start with: the layer's name, or that of the weights it shares. */
  readonly weights: string;
  /** The other values that the layer reads, see `LayerDefinition.others`. */
  readonly others: readonly Value[];
  /** How many different tokens the input holds; undefined where it holds numbers. */
  readonly vocabulary?: number | undefined;
  /** Their shapes as the spec has them, see `shape`. */
  readonly otherShapes: readonly Shape[];
  /**
   * The input's shape as the spec has it; the builder knows `asImage` of it. Empty for a layer that
   * reads nothing.
   */
  readonly shape: Shape;
  /** A stream of the random generator that no other layer of the network uses. */
  readonly nextStream: () => number;
}

/**
 * A layer that a user writes. One file a layer, all alike: arguments, documentation, samples, the
 * shape rule, and what it means in ops. Layers carry no gradients: those are derived from the ops.
 */
export interface LayerDefinition<
  Declarations extends ArgumentDeclarations = ArgumentDeclarations,
> extends Described<Declarations> {
  /** Markdown: shapes, the maths and its source. */
  readonly documentation: string;
  readonly samples: readonly LayerSample[];
  /**
   * Whether the layer reads other values in addition to the current one. They are named by its
   * first arguments (`add(shortcut)`, `concat(a, b)`), before those of `positional`. None if left
   * out.
   */
  readonly others?: "one" | "several";

  /** Whether its arguments say which axes the output has, so that a signal may become an image. */
  readonly saysShape?: true;

  /**
   * Whether it takes values of more axes than an image, and how: as they are, or along their last
   * axis alone, so that its rule and its ops see a sequence. Activations take them as they are:
   * they are the same for each element.
   */
  readonly takesWide?: true | "last axis";

  /** Whether it reads tokens, `u32[N, T]`; every other layer reads numbers. */
  readonly readsTokens?: true;

  /** Whether it makes a value and reads none: a parameter. */
  readonly readsNothing?: true;

  /** The least and the largest value that an activation gives, where it has limits. */
  readonly range?: readonly [least: number, largest: number];

  /** Whether it joins elements along the axes `over`. Formulas call it as `mean(x, over=rows)`. */
  readonly reduces?: true;

  /** Of an activation: what becomes of one element. Formulas call activations by this. */
  expression?(x: Expression, values: ArgumentValues<NoInfer<Declarations>>): Expression;

  /** The output's shape, or undefined after reporting why it is not known. */
  infer(
    input: Shape,
    values: ArgumentValues<NoInfer<Declarations>>,
    context: InferenceContext,
  ): Shape | undefined;

  /** Adds the layer's ops and returns its output. Called only with inputs that `infer` accepts. */
  lower(input: Value, values: ArgumentValues<NoInfer<Declarations>>, context: LayerContext): Value;

  /**
   * Multiply-adds per image, for layers that have any worth counting: convolutions and linear
   * layers.
   */
  macs?(input: Shape, output: Shape, values: ArgumentValues<NoInfer<Declarations>>): number;
}

/** Checks a definition's types while it is written. */
export function defineLayer<const Declarations extends ArgumentDeclarations>(
  definition: LayerDefinition<Declarations>,
): LayerDefinition {
  return definition;
}
