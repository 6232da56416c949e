import type { Concat, Residual, Span } from "../../grammar/ast.js";
import type { Fix, Label } from "../diagnostics/diagnostic.js";
import { add } from "../layers/add.js";
import { AXES as AXIS_NAMES } from "../layers/channel-parts.js";
import { absentAxis, axisText, type ChosenAxis, ownAxis } from "../layers/chosen-axes.js";
import { concat as concatLayer, joinedShape } from "../layers/concat.js";
import { findLayer } from "../layers/index.js";
import {
  formatShape,
  imageShape,
  sameShape,
  spaceOf,
  type Shape,
  isSignal,
  isWide,
  writtenAxes,
} from "../ir/shape.js";
import { nameOrNumber } from "../calls/axis-types.js";
import { bind } from "../calls/bind.js";
import { insertAfter, setArgument } from "../calls/edits.js";
import { withDefault } from "../calls/signature.js";
import { readDrop } from "./drops.js";
import type { NetworkReader } from "./network.js";
import { readPart, readSplit } from "./splits.js";
import { synthesize } from "./synthesize.js";
import { type Current, type Place, valueOf } from "./place.js";
import type { Step } from "./trail.js";

// residual

/** `residual { ... } skip ...`: the sum of two branches of the current value. */
export function readResidual(reader: NetworkReader, residual: Residual, place: Place): void {
  const start = reader.current;
  const { span } = residual;
  const label = "residual";
  const group = reader.addGroup(
    { kind: "residual", label, name: place.path.join("."), span },
    place,
  );
  const inside = { ...place, group };
  reader.readMembers(residual.members, inside);
  if (reader.current.index === start.index) return reportNoBody(reader, residual, place);
  if (residual.header) readDrop(reader, residual.header, inside);
  const body = reader.current;
  reader.current = start;
  const skip = readSkip(reader, residual, body, inside);
  const name = reader.nameAt(place, "add", residual.alias, keywordSpan(span, "residual"));
  join(reader, residual, { name, start, body, skip }, inside);
  reader.nameValue(
    { name, layer: "add", span: keywordSpan(span, "residual"), call: undefined, before: body },
    residual.alias,
    place,
  );
}

interface Ways {
  readonly name: string;
  readonly start: Current;
  readonly body: Current;
  readonly skip: Current;
}

function join(
  reader: NetworkReader,
  residual: Residual,
  { name, body, skip }: Ways,
  place: Place,
): void {
  const span = keywordSpan(residual.span, "residual");
  reader.current = body;
  const { shape } = body;
  if (!shape || !skip.shape || skip.vocabulary !== undefined) {
    reader.lose();
  } else if (sameShape(shape, skip.shape)) {
    const step = { layer: "add", span, input: shape, output: shape, infer: (same: Shape) => same };
    reader.current = { ...body, trail: withStep(body, step) };
  } else {
    reportDisagreement(residual, body, skip, place);
    // What the body makes is most likely what was meant: layers below are checked with it.
    reader.hasFailed = true;
  }
  const inputs = [body, skip].map(valueOf);
  reader.list({
    name,
    kind: "add",
    resolved: { definition: add, values: {} },
    span,
    inputs,
    place,
  });
}

/** The value of the skip, from the residual's input. */
function readSkip(
  reader: NetworkReader,
  { skip, span }: Residual,
  body: Current,
  place: Place,
): Current {
  if (skip.kind === "identity") return reader.current;
  const { shape: from } = reader.current;
  const { shape: to } = body;
  if (skip.kind === "auto" && (!from || !to || sameShape(from, to))) return reader.current;
  const name = reader.nameAt(place, "skip", undefined, span);
  const inside = reader.enter(place, name, { kind: "skip", label: "skip", span: skip.span });
  if (skip.kind === "body") reader.readMembers(skip.members, inside);
  else readProjection(reader, skip.span, { from: from!, to: to! }, inside);
  return reader.current;
}

/**
 * `skip auto` between different shapes: a 1x1 convolution and batch normalization (He et al.,
 * arXiv:1512.03385).
 */
function readProjection(
  reader: NetworkReader,
  span: Span,
  { from, to }: { readonly from: Shape; readonly to: Shape },
  place: Place,
): void {
  const stride = strideBetween(from, to);
  if (stride === undefined || !findLayer("batchnorm")) {
    reader.lose();
    place.environment.reporter.report("NET2021", {
      message:
        `\`skip auto\` finds no stride that leads ` +
        `from ${formatShape(from)} to ${formatShape(to)}`,
      span,
      notes: [
        "it is a 1x1 convolution with a stride, and batch normalization",
        "write the layers of the skip yourself: `skip { ... }`",
      ],
    });
    return;
  }
  const conv = synthesize("conv", span, {
    out: { kind: "number", value: Number(to[1]), isInteger: true, span },
    kernel: { kind: "number", value: 1, isInteger: true, span },
    stride: {
      kind: "list",
      elements: (isSignal(from) ? stride.slice(1) : stride).map((value) => ({
        kind: "number",
        value,
        isInteger: true,
        span,
      })),
      span,
    },
    bias: { kind: "boolean", value: false, span },
  });
  reader.readLayer(conv, place);
  reader.readLayer(synthesize("batchnorm", span, {}), place);
}

/** Strides with which a 1x1 kernel makes an image of the other's size. */
function strideBetween(from: Shape, to: Shape): readonly [number, number] | undefined {
  if (from.length !== 4 || to.length !== 4) return undefined;
  const [before, after] = [imageShape(from), imageShape(to)];
  const vertical = strideOf(before.height, after.height);
  const horizontal = strideOf(before.width, after.width);
  return vertical && horizontal ? [vertical, horizontal] : undefined;
}

/** PyTorch's output size of a 1x1 kernel: floor((from - 1) / stride) + 1. */
function strideOf(from: number, to: number): number | undefined {
  const stride = Math.ceil(from / to);
  return Math.floor((from - 1) / stride) + 1 === to ? stride : undefined;
}

// Mistakes of residual

/** Passes on its input, so that the layers below are checked, too. */
function reportNoBody(reader: NetworkReader, { span }: Residual, { environment }: Place): void {
  reader.hasFailed = true;
  environment.reporter.report("NET2018", {
    message: "`residual` has no layers: it would add a value to itself",
    span: keywordSpan(span, "residual"),
  });
}

const AXES = ["batch", "channels =", "height", "width"];

const axisWord = (axis: number, shape: Shape): string =>
  isWide(shape) ? `axis ${axis} =` : isSignal(shape) && axis === 3 ? "length" : AXES[axis]!;

/** Says which axis of the two branches disagrees, and which layer changed it last on each. */
function reportDisagreement(
  residual: Residual,
  body: Current,
  skip: Current,
  { environment }: Place,
): void {
  const [ours, theirs] = [body.shape!, skip.shape!];
  const axis = ours.findIndex((size, index) => size !== theirs[index]);
  const isRank = ours.length !== theirs.length || isSignal(ours) !== isSignal(theirs);
  const what = isRank
    ? `the body gives ${formatShape(ours)} and the skip ${formatShape(theirs)}`
    : `the body gives ${axisWord(axis, ours)} ${ours[axis]!} and the skip ${theirs[axis]!}`;
  const same = (shape: Shape) => (isRank ? writtenAxes(shape).length : shape[axis]);
  environment.reporter.report("NET2017", {
    message: `the body and the skip of \`residual\` differ: ${what}`,
    span: keywordSpan(residual.span, "residual"),
    label: `${formatShape(ours)} + ${formatShape(theirs)}`,
    related: [
      lastChange(body, same),
      ...(skip.trail === body.trail ? [] : [lastChange(skip, same)]),
    ].flatMap((label) => label ?? []),
    notes: [
      residual.skip.kind === "identity"
        ? "without `skip`, the input itself is added: the body must keep its shape"
        : "both start from the same value and must end in the same shape",
    ],
    fixes: disagreementFixes(residual, body, skip),
  });
}

/** Where the part of the shape that `of` reads last changed on the way. */
function lastChange({ trail }: Current, of: (shape: Shape) => unknown): Label | undefined {
  const step = trail?.findLast(({ input, output }) => of(input) !== of(output));
  return step && { span: step.span, message: `gives ${formatShape(step.output)}` };
}

function disagreementFixes(residual: Residual, body: Current, skip: Current): readonly Fix[] {
  const fixes: Fix[] = [];
  if (residual.skip.kind === "identity") {
    const end = { ...residual.span, end: bodyEnd(residual) };
    fixes.push({ title: "add `skip auto`", edits: [insertAfter(end, " skip auto")] });
  }
  fixes.push(...strideFixes(body, skip), ...sizeFixes(body, "body"));
  return fixes;
}

function bodyEnd({ span, alias }: Residual) {
  // `} as sum`: the skip is between the brace and the alias.
  return alias
    ? {
        ...alias.span.start,
        offset: alias.span.start.offset - 4,
        column: alias.span.start.column - 4,
      }
    : span.end;
}

/** The skip's last convolution with the stride that makes its image as small as the body's. */
function strideFixes(body: Current, skip: Current): readonly Fix[] {
  const [ours, theirs] = [body.shape!, skip.shape!];
  const stride = strideBetween(theirs, ours);
  const conv = skip.trail?.findLast(({ layer }) => layer === "conv")?.call;
  if (!stride || stride[0] !== stride[1] || stride[0] === 1 || !conv) return [];
  const text = `stride=${strideWritten(body) ?? stride[0]}`;
  const title = `give the skip's \`conv\` ${text}`;
  return [{ title, edits: [setArgument(conv, "stride", text)] }];
}

/** The name that the body's strided layer has for its stride, as in `stride=stride`. */
function strideWritten({ trail }: Current): string | undefined {
  const argument = lastResized(trail)?.call?.arguments.find(({ name }) => name?.name === "stride");
  return argument?.value.kind === "name" ? argument.value.name : undefined;
}

/** The last layer on the way that changed the image's size. */
function lastResized(trail: Current["trail"]): Step | undefined {
  return trail?.findLast(
    ({ input, output }) => output.length === 4 && !sameShape(input.slice(2), output.slice(2)),
  );
}

// concat

/**
 * `concat { branch { ... } ... }`: the channels of several branches of the current value. With
 * `split`, each branch has a part of the value.
 */
export function readConcat(reader: NetworkReader, concat: Concat, place: Place): void {
  const start = reader.current;
  const { header } = concat;
  const keyword = header?.callee.name === "split" ? "split" : "concat";
  const span = keywordSpan(concat.span, keyword);
  const label = keyword;
  const split =
    header && keyword === "split"
      ? readSplit(reader, header, concat.branches.length, place)
      : undefined;
  const group = reader.addGroup({ kind: "concat", label, name: place.path.join("."), span }, place);
  const ends = concat.branches.map((branch, index) => {
    reader.current = start;
    const at = branch.name?.span ?? keywordSpan(branch.span, "branch");
    const name = reader.nameAt({ ...place, group }, "branch", branch.name, at);
    const own = name.split(".").at(-1)!;
    const inside = reader.enter({ ...place, group }, name, {
      kind: "branch",
      label: own,
      span: branch.span,
    });
    if (keyword === "split") readPart(reader, split?.parts[index], { span: at, place: inside });
    reader.readMembers(branch.members, inside);
    return { end: reader.current, name: own, span: at };
  });
  const name = reader.nameAt(place, "concat", concat.alias, span);
  if (ends.length === 0) return reportNoBranches(reader, { span, keyword }, place);
  const chosen = split?.axis ?? readAxis(reader, concat, place);
  const shape = ends.find(({ end }) => end.shape)?.end.shape;
  // Without a shape nothing is joined: a mistake before hides it.
  const axis = shape ? ownAxis(chosen, shape) : "channels";
  if (axis === undefined) {
    return reportNoAxis(reader, { keyword, chosen, shape: shape! }, span, place);
  }
  concatenate(reader, { name, span, start, ends, keyword, axis }, { ...place, group });
  reader.nameValue(
    { name, layer: "concat", span, call: undefined, before: start },
    concat.alias,
    place,
  );
}

/** What `concat` takes in front of branches. */
const JOIN = {
  name: "concat",
  aliases: [],
  summary: "concatenates branches of one value",
  positional: [],
  arguments: {
    axis: withDefault(nameOrNumber(AXIS_NAMES), "channels", "what is joined, by name or number"),
  },
} as const;

/** `concat(axis=rows) { ... }`; the channels without an argument, or after a report. */
function readAxis(reader: NetworkReader, { header }: Concat, place: Place): ChosenAxis {
  if (header?.callee.name !== "concat") return "channels";
  const bound = bind(header, JOIN, place.environment);
  if (!bound) reader.hasFailed = true;
  return bound?.values.axis ?? "channels";
}

interface End {
  readonly end: Current;
  readonly name: string;
  readonly span: Span;
}

interface Branches {
  readonly name: string;
  readonly span: Span;
  readonly start: Current;
  readonly ends: readonly End[];
  readonly keyword: "concat" | "split";
  readonly axis: ChosenAxis;
}

function concatenate(reader: NetworkReader, branches: Branches, place: Place): void {
  const { name, span, start, ends, axis } = branches;
  reader.current = start;
  const shapes = ends.map(({ end }) => end.shape);
  const agree = checkBranches(branches, place);
  const ofTokens = ends.some(({ end }) => end.vocabulary !== undefined);
  const output = agree && !ofTokens ? joined(shapes, axis) : undefined;
  if (!output || !start.shape) {
    reader.lose();
  } else {
    const step = concatStep(branches, start.shape, output);
    const trail = withStep(start, step);
    reader.current = { ...start, shape: output, trail, vocabulary: undefined };
  }
  const inputs = ends.map(({ end }) => valueOf(end));
  const resolved = { definition: concatLayer, values: { axis } };
  reader.list({ name, kind: "concat", resolved, span, inputs, place });
}

/** The joined shape, if all are known and agree in all but the axis. */
const joined = (shapes: readonly (Shape | undefined)[], axis: ChosenAxis): Shape | undefined =>
  shapes.every((shape) => shape !== undefined) ? joinedShape(shapes, axis) : undefined;

/** All branches as one step on the way of a trail. */
function concatStep({ span, ends, start, axis }: Branches, input: Shape, output: Shape): Step {
  const before = start.trail?.length ?? 0;
  const infer = (shape: Shape) =>
    joined(
      ends.map(({ end }) =>
        end.trail
          ?.stepsFrom(before)
          .reduce<Shape | undefined>((current, step) => current && step.infer(current), shape),
      ),
      axis,
    );
  return { layer: "concat", span, input, output, infer };
}

function withStep({ trail }: Current, step: Step): Current["trail"] {
  return trail?.with(step);
}

/** Reports each branch that has another size than the first. */
function checkBranches({ ends, keyword, axis }: Branches, place: Place): boolean {
  const { environment } = place;
  const [first, ...others] = ends.filter(
    ({ end }) => end.shape !== undefined && end.vocabulary === undefined,
  );
  if (!first) return false;
  const expected = first.end.shape!;
  const wrong = others.filter(({ end }) => !joinedShape([expected, end.shape!], axis));
  const isOfChannels = axis === "channels";
  for (const { end, name, span } of wrong) {
    const space = (shape: Shape) =>
      isOfChannels ? spaceOf(shape).join("x") || "flat" : formatShape(shape);
    environment.reporter.report("NET2019", {
      message:
        `branch \`${name}\` gives ${formatShape(end.shape!)}, but \`${first.name}\` gives ` +
        `${formatShape(expected)}: \`${keyword}\` joins ${axisText(axis)}, ` +
        "everything else must agree",
      span,
      label: `expected ${space(expected)}, got ${space(end.shape!)}`,
      related: [lastChange(end, space), lastChange(first.end, space)].flatMap(
        (label) => label ?? [],
      ),
      notes: isWide(expected)
        ? []
        : ["padding of half the kernel keeps an image's size where the stride is 1"],
      fixes: sizeFixes(end, "branch"),
    });
  }
  return wrong.length === 0;
}

interface NoAxis {
  readonly keyword: string;
  readonly chosen: ChosenAxis;
  readonly shape: Shape;
}

function reportNoAxis(
  reader: NetworkReader,
  { keyword, chosen, shape }: NoAxis,
  span: Span,
  { environment }: Place,
): void {
  const { message, ...said } = absentAxis(chosen, shape);
  environment.reporter.report("NET2035", { message: `\`${keyword}\`: ${message}`, span, ...said });
  reader.lose();
}

/** Padding for the last layer of a branch or body that changed its size, or a stride of 1. */
function sizeFixes({ trail }: Current, noun: "branch" | "body"): readonly Fix[] {
  const step = lastResized(trail);
  if (!step?.call || step.input.length !== 4) return [];
  const { call, layer } = step;
  const difference = Number(step.input[2]) - Number(step.output[2]);
  const padding = `padding=${difference / 2}`;
  const propose = (text: string): Fix => ({
    title: `give the ${noun}'s \`${layer}\` ${text}`,
    edits: [setArgument(call, text.split("=")[0]!, text)],
  });
  const canPad = difference > 0 && difference % 2 === 0;
  return [propose("stride=1"), ...(canPad ? [propose(padding)] : [])];
}

/** Passes on its input, so that the layers below are checked, too. */
function reportNoBranches(
  reader: NetworkReader,
  { span, keyword }: Pick<Branches, "span" | "keyword">,
  { environment }: Place,
): void {
  reader.hasFailed = true;
  const other = keyword === "split" ? "" : "maxpool(3, stride=1, padding=1) ";
  environment.reporter.report("NET2020", {
    message: `\`${keyword}\` has no branches to join`,
    span,
    notes: [`for instance \`${keyword} { branch { conv(64, kernel=1) } branch { ${other}} }\``],
  });
}

/**
 * The keyword that a construct starts with: what messages underline of something that fills many
 * lines.
 */
function keywordSpan({ file, start }: Span, keyword: string): Span {
  const { offset, line, column } = start;
  const end = { offset: offset + keyword.length, line, column: column + keyword.length };
  return { file, start, end };
}
