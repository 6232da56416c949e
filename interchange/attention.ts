/**
 * Self-attention of several heads, which files have in dozens of nodes and in many orders. Nodes of
 * that form are followed: where each number goes is compared with netc's layer, so that what is
 * found is exact.
 */
import type { ForeignNode, ForeignTensor } from "./foreign-graph.js";
import { isNear } from "./operators/activations.js";
import { computed } from "./fold.js";
import { floats, scalarOf, transposed } from "./tensors.js";

export interface Attention {
  /** The value whose tokens attend. */
  readonly input: string;
  readonly heads: number;
  readonly causal: boolean;
  /** What scores are multiplied by, where that is not `1 / sqrt(C / heads)`. */
  readonly scale: number | undefined;
  /** Of queries, keys and values, `[3 * C, C]` and `[3 * C]`. */
  readonly inWeight: ForeignTensor;
  readonly inBias: ForeignTensor | undefined;
  /** `[C, C]` and `[C]`. */
  readonly outWeight: ForeignTensor;
  readonly outBias: ForeignTensor | undefined;
}

/** What the search may ask of the graph that is being mapped. */
export interface Surroundings {
  readonly makerOf: (value: string) => ForeignNode | undefined;
  /** Constants, and sizes for as many examples as `sequence` says. */
  readonly constantOf: (value: string) => ForeignTensor | undefined;
  /** `[N, T, C]` of a value that is a sequence; undefined for all others. */
  readonly sequenceOf: (value: string) => Sequence | undefined;
}

export type Sequence = readonly [examples: number, tokens: number, channels: number];

/** The attention that a node's output is; undefined where it is another value. */
export function attentionAt(node: ForeignNode, graph: Surroundings): Attention | undefined {
  if (!ENDS.has(node.operator)) return undefined;
  try {
    return new AttentionSearch(graph).at(node.outputs[0]!);
  } catch (error) {
    if (error instanceof AnotherForm) return undefined;
    throw error;
  }
}

/** The operators that the last of its nodes may be. */
const ENDS = new Set(["Add", "Gemm", "MatMul", "Transpose", "Reshape"]);
/** Operators that move numbers and change none. */
const MOVES = new Set([
  ...["Transpose", "Reshape", "Slice", "Split", "Gather", "Squeeze", "Unsqueeze", "Flatten"],
  ...["Identity", "Cast", "Dropout"],
]);
/** Nodes that are followed from one value back to another. */
const LONGEST_WAY = 12;
/** Most numbers that are followed: a batch of many millions is a wrong number. */
const MOST_PLACES = 2 ** 26;
/** Nodes that compute a shape, one behind the other. */
const DEEPEST = 64;
/** What masks have for minus infinity is below this. */
const MASKED = -1e4;

/** The nodes compute something else than attention, or attention that netc does not have. */
class AnotherForm extends Error {}

function require(condition: boolean): asserts condition {
  if (!condition) throw new AnotherForm();
}

interface Projection {
  readonly output: string;
  readonly input: string;
  readonly matrix: ForeignTensor;
  /** Whether the matrix is `[in, out]`. */
  readonly isTurned: boolean;
  readonly bias: ForeignTensor | undefined;
}

type Matrix = Pick<Projection, "matrix" | "isTurned">;

/** Numbers of outputs and inputs. */
function shapeOf({ matrix: { shape }, isTurned }: Matrix): readonly [number, number] {
  const [a, b] = shape as [number, number];
  return isTurned ? [b, a] : [a, b];
}

/** `[out, in]` */
const weightOf = ({ matrix, isTurned }: Matrix): ForeignTensor =>
  isTurned ? transposed(matrix, [1, 0]) : matrix;

/** A tensor of places, and what all of its numbers are multiplied by. */
interface Moved {
  readonly places: ForeignTensor;
  readonly factor: number;
}

class AttentionSearch {
  constructor(private readonly graph: Surroundings) {}

  at(end: string): Attention {
    const out = this.projectionBehind(end);
    const product = this.back(out.input, "MatMul");
    const [shares, values] = product.inputs as [string, string];
    const softmax = this.back(shares, "Softmax");
    const { scores, factor, causal } = this.scoresOf(softmax.inputs[0]!);
    const [queries, keys] = scores.inputs as [string, string];
    const projections = [queries, keys, values].map((value) => this.projectionBehind(value));
    const input = this.sequenceBehind(projections[0]!.input);
    const sequence = this.graph.sequenceOf(input)!;
    const [examples, tokens, channels] = sequence;
    require(3 * examples * tokens * channels <= MOST_PLACES);
    const whole = iota([examples, tokens, channels]);
    const columns = columnsOf(projections, channels);
    const [q, k, v] = [queries, keys, values].map((value, index) => {
      const from = projections[index]!;
      const rows = this.rowsOf(from.input, { [input]: whole }, channels);
      const places = projected(rows, { columns, index, width: shapeOf(from)[0] });
      return this.trace(value, { [from.output]: places });
    }) as [Moved, Moved, Moved];
    const size = q.places.shape.at(-1)!;
    const heads = channels / size;
    const scale = factor * q.factor * k.factor;
    require(scale > 0 && v.factor === 1);
    requireAxis(softmax, q.places.shape.length);
    const attended = attendedPlaces([q.places, k.places, v.places], { sequence, size });
    const rows = this.rowsOf(out.input, { [product.outputs[0]!]: attended }, channels);
    const wide = projected(rows, { columns: { total: channels, starts: [0] }, index: 0 });
    const { places, factor: last } = this.trace(end, { [out.output]: wide });
    require(last === 1 && isSame(places, whole));
    const mask = causal && this.isCausal(causal, tokens);
    require(mask !== false);
    return {
      input,
      heads,
      causal: mask === true,
      scale: isNear(scale, 1 / Math.sqrt(size)) ? undefined : withDigits(scale),
      inWeight: joined(projections, (each) => weightOf(each).values, [3 * channels, channels]),
      inBias: joinedBias(projections, channels),
      outWeight: weightOf(out),
      outBias: out.bias,
    };
  }

  /** The node that made a value, which may have been moved since. */
  private back(value: string, operator: string): ForeignNode {
    let name = value;
    for (let step = 0; step < LONGEST_WAY; step++) {
      const node: ForeignNode | undefined = this.graph.makerOf(name);
      require(node !== undefined);
      if (node.operator === operator) return node;
      name = this.movedFrom(node);
    }
    throw new AnotherForm();
  }

  /** What a node moves, or multiplies by a number. */
  private movedFrom({ operator, inputs }: ForeignNode): string {
    const [a, b] = inputs;
    require(a !== undefined);
    if (MOVES.has(operator)) return a;
    require((operator === "Mul" || operator === "Div") && b !== undefined);
    if (operator === "Mul" && scalarOf(this.graph.constantOf(a)) !== undefined) return b;
    require(scalarOf(this.graph.constantOf(b)) !== undefined);
    return a;
  }

  /** The linear layer that a value is moved from. */
  private projectionBehind(value: string): Projection {
    let name = value;
    for (let step = 0; step < LONGEST_WAY; step++) {
      const node: ForeignNode | undefined = this.graph.makerOf(name);
      require(node !== undefined);
      const found = this.projectionOf(node);
      if (found) return { ...found, output: name };
      name = this.movedFrom(node);
    }
    throw new AnotherForm();
  }

  private projectionOf(node: ForeignNode): Omit<Projection, "output"> | undefined {
    const { operator, inputs, attributes } = node;
    const [a, b, c] = inputs;
    if (a === undefined || b === undefined) return undefined;
    if (operator === "Add") {
      const [value, bias] = this.graph.constantOf(a) ? [b, a] : [a, b];
      const product = this.graph.makerOf(value);
      const found = product?.operator === "MatMul" ? this.projectionOf(product) : undefined;
      return found && { ...found, bias: this.biasOf(bias, found) };
    }
    const matrix = this.graph.constantOf(b);
    if (matrix?.shape.length !== 2) return undefined;
    if (operator === "MatMul") {
      return { input: a, matrix, isTurned: true, bias: undefined };
    }
    if (operator !== "Gemm") return undefined;
    const { alpha = 1, beta = 1, transA = 0, transB = 0 } = attributes;
    require(alpha === 1 && beta === 1 && transA === 0);
    const found = { input: a, matrix, isTurned: transB !== 1 };
    return { ...found, bias: c === undefined ? undefined : this.biasOf(c, found) };
  }

  private biasOf(name: string, projection: Matrix): ForeignTensor {
    const [out] = shapeOf(projection);
    const bias = this.graph.constantOf(name);
    require(bias !== undefined && bias.values.length === out && bias.shape.at(-1) === out);
    return { ...bias, shape: [bias.values.length] };
  }

  /** The product of queries and keys, what it is multiplied by, and the mask that is added. */
  private scoresOf(value: string) {
    let [name, factor] = [value, 1];
    let causal: ForeignTensor | undefined;
    for (let step = 0; step < LONGEST_WAY; step++) {
      const node: ForeignNode | undefined = this.graph.makerOf(name);
      const [a, b] = node?.inputs ?? [];
      require(node !== undefined && a !== undefined);
      if (node.operator === "MatMul") return { scores: node, factor, causal };
      if (node.operator === "Add" && b !== undefined) {
        const isFirst = this.graph.constantOf(a) !== undefined;
        require(causal === undefined && factor === 1);
        causal = this.graph.constantOf(isFirst ? a : b);
        require(causal !== undefined);
        name = isFirst ? b : a;
      } else {
        require(node.operator === "Mul" || node.operator === "Div" || node.operator === "Identity");
        factor *= this.factorOf(node);
        name = this.movedFrom(node);
      }
    }
    throw new AnotherForm();
  }

  private factorOf({ operator, inputs: [a, b] }: ForeignNode): number {
    if (operator !== "Mul" && operator !== "Div") return 1;
    const right = scalarOf(this.graph.constantOf(b!));
    if (operator === "Div") return 1 / right!;
    return right ?? scalarOf(this.graph.constantOf(a!))!;
  }

  /** Whether a mask leaves each token itself and those before it, and nothing else. */
  private isCausal({ shape, values }: ForeignTensor, tokens: number): boolean {
    const isOne = shape.slice(0, -2).every((size) => size === 1);
    if (!isOne || shape.at(-1) !== tokens || shape.at(-2) !== tokens) return false;
    return values.every((value: number, place: number) => {
      const isLater = place % tokens > Math.floor(place / tokens);
      return isLater ? value <= MASKED : value === 0;
    });
  }

  /** The nearest value that is known to be a sequence. */
  private sequenceBehind(value: string): string {
    let name = value;
    for (let step = 0; step < LONGEST_WAY; step++) {
      if (this.graph.sequenceOf(name)) return name;
      const node: ForeignNode | undefined = this.graph.makerOf(name);
      require(node !== undefined && MOVES.has(node.operator));
      name = node.inputs[0]!;
    }
    throw new AnotherForm();
  }

  /** A value's rows, each a whole row of the value that it is moved from, by their numbers. */
  private rowsOf(
    value: string,
    from: Readonly<Record<string, ForeignTensor>>,
    channels: number,
  ): ForeignTensor {
    const { places, factor } = this.trace(value, from);
    require(factor === 1 && places.shape.at(-1) === channels);
    require(
      places.values.every((place: number, index: number) => {
        return place % channels === index % channels;
      }),
    );
    const rows = places.values.filter((_: number, index: number) => index % channels === 0);
    const numbers = rows.map((place: number) => place / channels);
    require(
      places.values.every((place: number, index: number) => {
        return Math.floor(place / channels) === numbers[Math.floor(index / channels)];
      }),
    );
    return { kind: "float", shape: places.shape.slice(0, -1), values: numbers };
  }

  /** Where the numbers of a value come from, by the nodes between. */
  private trace(value: string, from: Readonly<Record<string, ForeignTensor>>): Moved {
    const [start] = Object.values(from) as [ForeignTensor];
    const traced = new Map<string, Moved>();
    const follow = (name: string, depth: number): Moved => {
      const known = traced.get(name);
      if (known) return known;
      require(depth < DEEPEST);
      const given = Object.hasOwn(from, name) ? from[name] : this.graph.constantOf(name);
      const moved = given
        ? { places: given, factor: 1 }
        : this.moved(name, (input) => follow(input, depth + 1), 3 * start.values.length);
      traced.set(name, moved);
      return moved;
    };
    return follow(value, 0);
  }

  /** @param most numbers that a value may have */
  private moved(value: string, follow: (input: string) => Moved, most: number): Moved {
    const node = this.graph.makerOf(value);
    require(node !== undefined);
    const inputs = node.inputs.map((name) => (name ? follow(name) : undefined));
    const [first] = inputs;
    const isOfSizes = inputs.every((input) => !input || input.places.kind !== "float");
    if (!isOfSizes && !MOVES.has(node.operator) && node.operator !== "Shape") {
      const [a, b] = inputs.map((input) => scalarOf(input?.places));
      require((node.operator === "Mul" || node.operator === "Div") && inputs.length === 2);
      const moved = b === undefined && node.operator === "Mul" ? inputs[1]! : first!;
      require((b === undefined) !== (a === undefined));
      return { ...moved, factor: moved.factor * this.factorOf(node) };
    }
    const tensors = inputs.map((input) => input?.places);
    const places = computed(node, tensors, most)?.[node.outputs.indexOf(value)];
    require(places !== undefined);
    return { places, factor: node.operator === "Shape" ? 1 : (first?.factor ?? 1) };
  }
}

interface Columns {
  readonly total: number;
  /** Of queries, keys and values in the joined weight. */
  readonly starts: readonly number[];
}

/** One linear layer for all three, or one for each. */
function columnsOf(projections: readonly Projection[], channels: number): Columns {
  const [first] = projections as [Projection];
  const isOne = projections.every(({ output }) => output === first.output);
  const width = isOne ? 3 * channels : channels;
  require(projections.every((each) => shapeOf(each).join() === [width, channels].join()));
  return { total: 3 * channels, starts: isOne ? [0, 0, 0] : [0, channels, 2 * channels] };
}

interface Projected {
  readonly columns: Columns;
  readonly index: number;
  readonly width?: number;
}

/** What a linear layer makes of rows, by the numbers of row and column. */
function projected(
  rows: ForeignTensor,
  { columns: { total, starts }, index, width = total }: Projected,
): ForeignTensor {
  const values = new Float64Array(rows.values.length * width);
  rows.values.forEach((row: number, at: number) => {
    for (let column = 0; column < width; column++) {
      values[at * width + column] = row * total + starts[index]! + column;
    }
  });
  return { kind: "float", shape: [...rows.shape, width], values };
}

/**
 * Where the numbers of the attended values belong. Each group of queries, keys and values must be
 * one head of one example.
 */
function attendedPlaces(
  [q, k, v]: readonly [ForeignTensor, ForeignTensor, ForeignTensor],
  { sequence, size }: { readonly sequence: Sequence; readonly size: number },
): ForeignTensor {
  const [examples, tokens, channels] = sequence;
  const before = q.shape.slice(0, -2).join();
  const isShaped = (tensor: ForeignTensor, rows: number, columns: number) =>
    tensor.shape.slice(0, -2).join() === before &&
    tensor.shape.at(-2) === rows &&
    tensor.shape.at(-1) === columns;
  require(isShaped(q, tokens, size) && isShaped(k, size, tokens) && isShaped(v, tokens, size));
  require(channels % size === 0 && q.values.length === examples * tokens * channels);
  const values = new Float64Array(q.values.length);
  const group = tokens * size;
  for (let place = 0; place < values.length; place++) {
    const [start, within] = [place - (place % group), place % group];
    const [token, own] = [Math.floor(within / size), within % size];
    const first = q.values[start]!;
    const [row, column] = [Math.floor(first / (3 * channels)), first % (3 * channels)];
    const wanted = (row + token) * 3 * channels + column + own;
    require(row % tokens === 0 && column % size === 0 && column < channels);
    require(q.values[place] === wanted);
    require(k.values[start + own * tokens + token] === wanted + channels);
    require(v.values[place] === wanted + 2 * channels);
    values[place] = (row + token) * channels + column + own;
  }
  return { ...q, values };
}

function iota(shape: readonly number[]): ForeignTensor {
  const length = shape.reduce((a, b) => a * b, 1);
  return { kind: "float", shape, values: Float64Array.from({ length }, (_, place) => place) };
}

function isSame(a: ForeignTensor, b: ForeignTensor): boolean {
  if (a.shape.join() !== b.shape.join()) return false;
  return a.values.every((value: number, place: number) => value === b.values[place]);
}

/** Softmax over the keys, which are the last axis. */
function requireAxis({ attributes: { axis = -1 } }: ForeignNode, rank: number): void {
  require(axis === -1 || axis === rank - 1);
}

/** As many digits as a float of 32 bits has. */
const withDigits = (value: number): number => Number(Math.fround(value).toPrecision(9));

function joined(
  projections: readonly Projection[],
  valuesOf: (projection: Projection) => ForeignTensor["values"],
  shape: readonly number[],
): ForeignTensor {
  const parts = [...new Map(projections.map((each) => [each.output, each])).values()].map(valuesOf);
  return floats(
    shape,
    parts.length === 1 ? parts[0]! : Float32Array.from(parts.flatMap((part) => [...part])),
  );
}

function joinedBias(
  projections: readonly Projection[],
  channels: number,
): ForeignTensor | undefined {
  if (projections.every(({ bias }) => bias === undefined)) return undefined;
  const zeros = (each: Projection) => new Float32Array(shapeOf(each)[0]);
  return joined(projections, (each) => each.bias?.values ?? zeros(each), [3 * channels]);
}
