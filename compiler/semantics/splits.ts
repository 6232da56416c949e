/** `split { branch { ... } ... }`: parts of a value, of which each branch takes one. */
import type { CallExpression, Expression, Span } from "../../grammar/ast.js";
import { bind } from "../calls/bind.js";
import { integers } from "../calls/argument-types.js";
import { nameOrNumber } from "../calls/axis-types.js";
import { type ArgumentValues, type Bound, optional, withDefault } from "../calls/signature.js";
import { formatShape, type Shape } from "../ir/shape.js";
import { AXES } from "../layers/channel-parts.js";
import {
  absentAxis,
  type ChosenAxis,
  elementsAlong,
  ownAxis,
  placeOfAxis,
} from "../layers/chosen-axes.js";
import type { Current, Place } from "./place.js";
import { synthesize } from "./synthesize.js";

/** What `split` needs of the reader of a network. */
interface SplitReader {
  readonly current: Current;
  lose(): void;
  readLayer(call: CallExpression, place: Place): void;
}

const splitArguments = {
  axis: withDefault(nameOrNumber(AXES), "channels", "what is divided, by name or number"),
  sizes: optional(integers({ minimum: 1 }), "how much each branch takes; equal parts if absent"),
};

/** What `split` takes, as if it were a layer. */
export const SPLIT = {
  name: "split",
  aliases: [],
  summary: "divides a value over branches, and concatenates what they make of it",
  positional: ["sizes"],
  arguments: splitArguments,
} as const;

interface Part {
  readonly axis: ChosenAxis;
  readonly start: number;
  readonly end: number;
}

export interface ReadSplit {
  /** By its name; by its number where axes have no names. */
  readonly axis: ChosenAxis;
  /** One for each branch; none where a mistake hides them. */
  readonly parts: readonly Part[];
}

/** The parts of the current value; undefined where the call itself has a mistake. */
export function readSplit(
  { current: { shape } }: SplitReader,
  call: CallExpression,
  branches: number,
  place: Place,
): ReadSplit | undefined {
  const bound = bind(call, SPLIT, place.environment);
  if (!bound) return undefined;
  const axis = shape ? chosenAxis(bound.values.axis, { shape, call, bound }, place) : "channels";
  if (axis === undefined) return undefined;
  const use = shape && branches > 0 ? { axis, shape, branches, call, bound } : undefined;
  let end = 0;
  const parts = ((use && sizesOf(use, place)) ?? []).map((size) => {
    const start = end;
    end += size;
    return { axis, start, end };
  });
  return { axis, parts };
}

/** Undefined after a report. */
function chosenAxis(
  chosen: ChosenAxis,
  { shape, call, bound }: Pick<Use, "shape" | "call" | "bound">,
  { environment: { reporter } }: Place,
): ChosenAxis | undefined {
  const axis = ownAxis(chosen, shape);
  if (axis !== undefined) return axis;
  const { message, ...said } = absentAxis(chosen, shape);
  return reporter.report("NET2035", {
    message: `\`split\`: ${message}`,
    span: bound.spans.get("axis") ?? call.callee.span,
    ...said,
  });
}

interface Use {
  readonly axis: ChosenAxis;
  readonly shape: Shape;
  readonly branches: number;
  readonly call: CallExpression;
  readonly bound: Bound<typeof splitArguments>;
}

/** How much each branch takes; undefined after a report. */
function sizesOf(use: Use, { environment: { reporter } }: Place): readonly number[] | undefined {
  const { axis, shape, branches, call, bound } = use;
  const { sizes }: ArgumentValues<typeof splitArguments> = bound.values;
  const size = Number(shape[placeOfAxis(axis, shape)!]);
  const elements = elementsAlong(axis);
  if (!sizes) {
    if (size % branches === 0) return new Array<number>(branches).fill(size / branches);
    return reporter.report("NET2036", {
      message: `\`split\` cannot divide ${size} ${elements} evenly over ${branches} branches`,
      span: call.callee.span,
      label: `of ${formatShape(shape)}`,
      notes: [`\`split(sizes=[...])\` says how many ${elements} each branch takes`],
    });
  }
  const total = sizes.reduce((sum, each) => sum + each, 0);
  if (sizes.length === branches && total === size) return sizes;
  const isCount = sizes.length !== branches;
  return reporter.report("NET2036", {
    message: isCount
      ? `\`split\` has ${branches} branches, but ${sizes.length} sizes`
      : `the sizes of \`split\` add up to ${total} ${elements}, but it receives ${size}`,
    span: bound.spans.get("sizes") ?? call.callee.span,
    label: isCount ? "one size for each branch" : `of ${formatShape(shape)}`,
  });
}

/** The part of a branch as a layer; a mistake hides it if it is undefined. */
export function readPart(
  reader: SplitReader,
  part: Part | undefined,
  { span, place }: { readonly span: Span; readonly place: Place },
): void {
  if (!part) return reader.lose();
  const number = (value: number): Expression => ({ kind: "number", value, isInteger: true, span });
  const axis: Expression =
    typeof part.axis === "number" ? number(part.axis) : { kind: "name", name: part.axis, span };
  const given = { axis, start: number(part.start), end: number(part.end) };
  reader.readLayer(synthesize("slice", span, given), place);
}
