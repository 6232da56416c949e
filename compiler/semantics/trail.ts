import { plural } from "../diagnostics/plural.js";
import type { CallExpression, Span } from "../../grammar/ast.js";
import type { Label } from "../diagnostics/diagnostic.js";
import {
  formatShape,
  imageShape,
  type ImageShape,
  isSignal,
  isWide,
  ROW,
  sameShape,
  sizeText,
  type Shape,
} from "../ir/shape.js";
import type { Axis } from "../layers/layer.js";

/** One layer on the way, with its shape rule, so that the way can be tried with other inputs. */
export interface Step {
  /** The layer's kind: `conv`. */
  readonly layer: string;
  readonly span: Span;
  /** The layer's call; absent for joins. */
  readonly call?: CallExpression;
  readonly input: Shape;
  readonly output: Shape;
  /** The output for another input; undefined where the layer would refuse it. */
  readonly infer: (input: Shape) => Shape | undefined;
}

/** The model's input, or a parameter. */
interface TrailStart {
  readonly shape: Shape;
  readonly span: Span;
  /** Where its declaration says what it holds: `f32`. */
  readonly element?: Span;
  /** Where the declaration of a parameter says its first size. */
  readonly size?: Span | undefined;
}

/**
 * How a value came about: the network's input, and the layers since. Trails share their beginnings.
 */
export class Trail {
  private constructor(
    readonly start: TrailStart,
    private readonly before: Trail | undefined,
    /** The layer that makes the value. */
    readonly last: Step | undefined,
    /** How many layers. */
    readonly length: number,
  ) {}

  static from(start: TrailStart): Trail {
    return new Trail(start, undefined, undefined, 0);
  }

  /** The trail with one more layer. */
  with(step: Step): Trail {
    return new Trail(this.start, this, step, this.length + 1);
  }

  /** The last layer that passes a test. */
  findLast(test: (step: Step) => boolean): Step | undefined {
    for (const { last } of this.backwards()) if (last && test(last)) return last;
    return undefined;
  }

  /** The layers in order, from the one with the index `first` on. */
  stepsFrom(first: number): readonly Step[] {
    const steps: Step[] = [];
    for (const { last, length } of this.backwards()) {
      if (!last || length <= first) break;
      steps.push(last);
    }
    return steps.reverse();
  }

  /** This trail, the one without its last layer, and so on. */
  private *backwards(): Generator<Trail> {
    yield this;
    for (let { before } = this as Trail; before; { before } = before) yield before;
  }
}

/** Where the axis in question began and where it last changed, as labels. At most two. */
export function explainAxis(trail: Trail, axis: Axis): readonly Label[] {
  const start = {
    span: trail.start.span,
    message: startText(trail.start.shape, axis),
  };
  const change = trail.findLast((step) => changes(step, axis));
  if (!change) return axis === "rank" ? [] : [start];
  const last = { span: change.span, message: `gives ${formatShape(change.output)}` };
  return axis === "space" ? [start, last] : [last];
}

function startText(shape: Shape, axis: Axis): string {
  if (shape.length !== 4) return `starts as ${formatShape(shape)}`;
  const image = imageShape(shape);
  const { channels, height, width } = image;
  if (axis === "space") return `starts as ${sizeText(image, [height, width])}`;
  return `starts with ${plural(channels, "channel")}`;
}

function changes({ input, output }: Step, axis: Axis): boolean {
  if (axis === "rank") return input.length !== output.length;
  // A flat value has no rows and columns: what counts is the image before `flatten`.
  if (axis === "space") return output.length === 4 && !sameShape(input.slice(2), output.slice(2));
  if (isWide(input) || isWide(output)) return !sameShape(input, output);
  return imageShape(input).channels !== imageShape(output).channels;
}

/** The last image on the way, the current value included. */
export function lastImage(trail: Trail): ImageShape | undefined {
  const step = trail.findLast(({ output }) => output.length === 4);
  const shape = step?.output ?? trail.start.shape;
  return shape.length === 4 ? imageShape(shape) : undefined;
}

const LARGEST_TRIED = 1024;

/**
 * The square inputs, or signals, near the present one whose shape at the trail's end passes
 * `test`: "inputs of 223 to 254". Undefined where there are none up to 1024, and where the input is
 * neither a square image nor a signal.
 */
export function inputsWhere(trail: Trail, test: (shape: Shape) => boolean): string | undefined {
  const [batch, channels, height, width] = trail.start.shape;
  const isOfSignal = isSignal(trail.start.shape);
  if (batch === undefined || channels === undefined) return undefined;
  if (height !== width && !isOfSignal) return undefined;
  const passes = (size: number): boolean => {
    const shape = replay(trail, [batch, channels, isOfSignal ? ROW : size, size]);
    return shape !== undefined && test(shape);
  };
  const sizes = Array.from({ length: LARGEST_TRIED }, (_, index) => index + 1).filter(passes);
  const nearest = nearestTo(Number(width), sizes);
  if (nearest === undefined) return undefined;
  const first = edgeOfRun(sizes, nearest, -1);
  const last = edgeOfRun(sizes, nearest, 1);
  return describeRun(first, last);
}

function replay(trail: Trail, input: Shape): Shape | undefined {
  let shape: Shape | undefined = input;
  for (const step of trail.stepsFrom(0)) shape = shape && step.infer(shape);
  return shape;
}

function nearestTo(target: number, sizes: readonly number[]): number | undefined {
  return sizes.toSorted((a, b) => Math.abs(a - target) - Math.abs(b - target))[0];
}

function edgeOfRun(sizes: readonly number[], from: number, direction: 1 | -1): number {
  const known = new Set(sizes);
  let edge = from;
  while (known.has(edge + direction)) edge += direction;
  return edge;
}

function describeRun(first: number, last: number): string {
  if (last === LARGEST_TRIED) return `inputs of ${first} and more`;
  return first === last ? `inputs of ${first}` : `inputs of ${first} to ${last}`;
}
