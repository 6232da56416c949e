import { plural } from "../../diagnostics/plural.js";
import type { CallExpression } from "../../../grammar/ast.js";
import type { DataSource } from "../../../program/recipe.js";
import {
  sidesOf,
  type CropSize,
  type Transform,
  type TransformOf,
} from "../../../program/transforms.js";
import type { Fix } from "../../diagnostics/diagnostic.js";
import type { AnalyzedModel } from "../analysis.js";
import { insertAfter } from "../../calls/edits.js";
import type { Environment } from "../../calls/environment.js";
import type { Bound } from "../../calls/signature.js";
import { sizeAfter, type ImageSize } from "../../../program/image-size.js";

/** A transform as a spec writes it. */
export interface TransformUse {
  readonly transform: Transform;
  readonly call: CallExpression;
  readonly bound: Bound;
  /** The choices that it is part of, the outermost first. */
  readonly within?: readonly Branch[];
}

/** One of the chains that a choice is between. */
export interface Branch {
  readonly call: CallExpression;
  readonly index: number;
  readonly count: number;
}

/** A model's input, where it is an image. */
export interface ImageInput {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly span: NonNullable<AnalyzedModel["input"]>["span"];
}

export function imageInput({ input }: AnalyzedModel): ImageInput | undefined {
  const [channels, height, width] = input?.shape ?? [];
  if (!input || channels === undefined || height === undefined || width === undefined)
    return undefined;
  return { channels, height, width, span: input.span };
}

/**
 * Follows the size of an image through the transforms and checks each of them against the model's
 * input.
 */
export function checkTransforms(
  uses: readonly TransformUse[],
  start: {
    readonly size: ImageSize;
    readonly source: CallExpression;
    readonly kind: DataSource["kind"];
  },
  input: ImageInput,
  environment: Environment,
): void {
  const flow: Flow = { input, environment, lastSized: undefined };
  const size = follow(uses, start.size, 0, flow);
  if (!size) return;
  const { lastSized } = flow;
  if (!fits(size, input)) reportSize({ size, lastSized, source: start.source }, input, environment);
  // The images of IDX files have one size, which shows with the first of them.
  else if (size.kind === "shorter" && lastSized && start.kind !== "idx")
    warnOfShape(lastSized, input, environment);
}

interface Flow {
  readonly input: ImageInput;
  readonly environment: Environment;
  lastSized: TransformUse | undefined;
}

/** The size after a chain at this depth of choices; undefined where it differs by what is drawn. */
function follow(
  uses: readonly TransformUse[],
  start: ImageSize,
  depth: number,
  flow: Flow,
): ImageSize | undefined {
  let size: ImageSize | undefined = start;
  for (let at = 0; at < uses.length && size;) {
    const use = uses[at]!;
    const choice = use.within?.[depth]?.call;
    const next = uses.findIndex(
      (each, index) => index > at && (!choice || each.within?.[depth]?.call !== choice),
    );
    const end: number = next < 0 ? uses.length : next;
    size = choice
      ? followChoice(uses.slice(at, end), size, depth, flow)
      : followOne(use, size, flow);
    at = end;
  }
  return size;
}

function followOne(use: TransformUse, size: ImageSize, flow: Flow): ImageSize {
  const { input, environment } = flow;
  if (use.transform.kind === "normalize") checkNormalize(use, use.transform, input, environment);
  checkColors(use, input, environment);
  checkCrop(use, size, environment);
  if ("size" in use.transform) flow.lastSized = use;
  return sizeAfter(use.transform, size);
}

/** The size that all chains of a choice give. */
function followChoice(
  uses: readonly TransformUse[],
  start: ImageSize,
  depth: number,
  flow: Flow,
): ImageSize | undefined {
  const { call, count } = uses[0]!.within![depth]!;
  const chains = Array.from({ length: count }, (_, index) =>
    uses.filter(({ within }) => within![depth]!.index === index),
  );
  const sizes = chains.map((chain) => follow(chain, start, depth + 1, flow));
  if (!sizes.every((size) => size !== undefined)) return undefined;
  const [first, ...others] = sizes as [ImageSize, ...ImageSize[]];
  const other = others.find((size) => JSON.stringify(size) !== JSON.stringify(first));
  if (!other) return first;
  const { name } = call.callee;
  return flow.environment.reporter.report("NET3040", {
    message:
      `\`${name}\` gives images of different sizes: ` +
      [first, other].map(describeChosen).join(", or "),
    span: call.span,
    notes: ["all that it chooses from must give the same size, for instance `center_crop(32)`"],
  });
}

const describeChosen = (size: ImageSize) =>
  size.kind === "unknown" ? "as large as they come to it" : describeSize(size);

/** An image that is larger than the input in one direction after `resize`. */
const PHOTOGRAPH = [480, 640] as const;

/** After `resize` alone the longer side depends on the image. */
function warnOfShape(use: TransformUse, input: ImageInput, { reporter }: Environment): void {
  const { call } = use;
  const { height, width, span } = input;
  const size = Math.min(height, width);
  const longer = Math.floor((PHOTOGRAPH[1] * size) / PHOTOGRAPH[0]);
  const isSquare = height === width;
  const crop = `center_crop(${size})`;
  reporter.report("NET3063", {
    message:
      `after \`${call.callee.name}(${size})\`, ` +
      `only ${isSquare ? "square images" : `images of the shape ${height}:${width}`} ` +
      `fit the model's ${height}x${width}`,
    span: call.span,
    label: "scales the shorter side",
    related: [{ span, message: `wants ${height}x${width}` }],
    notes: [`an image of ${PHOTOGRAPH.join("x")} comes out ${size}x${longer}`],
    fixes: isSquare
      ? [{ title: `insert \`${crop}\` after it`, edits: [insertAfter(call.span, ` -> ${crop}`)] }]
      : sizeFixes(use, sizeFor(use, input)),
  });
}

function fits(size: ImageSize, { height, width }: ImageInput): boolean {
  if (size.kind === "exact") return size.height === height && size.width === width;
  return size.kind === "unknown" || size.size === Math.min(height, width);
}

function checkCrop(
  { transform, bound, call }: TransformUse,
  size: ImageSize,
  { reporter }: Environment,
) {
  if (!isCrop(transform)) return;
  const padding = transform.kind === "random_crop" ? transform.padding : 0;
  const wanted = sidesOf(transform.size);
  const lacking = sidesKnown(size).find(({ least, of }) => least + 2 * padding < of(wanted));
  if (!lacking) return;
  const { side, least, of } = lacking;
  const available = least + 2 * padding;
  const sum = padding ? `${least}+2*${padding} = ${available}` : `${available}`;
  const { size: cut } = transform;
  reporter.report("NET3018", {
    message:
      `\`${call.callee.name}\` cuts ${of(wanted)} pixels out ` +
      `of images whose ${side} has only ${sum}`,
    span: bound.spans.get("size") ?? call.span,
    label: `at most ${available}`,
    notes: [`put \`resize(${writeSides(cut)})\` before it, or cut less`],
  });
}

const writeSides = (size: CropSize) =>
  typeof size === "number" ? `${size}` : `[${size.join(", ")}]`;

/** Sides of an image that are known, and how much of them a crop takes. */
function sidesKnown(size: ImageSize) {
  const smaller = ({ height, width }: Sides) => Math.min(height, width);
  const shorter = (least: number) => [{ side: "shorter side", least, of: smaller }];
  if (size.kind === "unknown") return [];
  if (size.kind === "shorter") return shorter(size.size);
  const { height, width } = size;
  if (height === width) {
    const larger = (sides: Sides) => Math.max(sides.height, sides.width);
    return [{ side: "shorter side", least: height, of: larger }];
  }
  return [
    { side: "height", least: height, of: (sides: Sides) => sides.height },
    { side: "width", least: width, of: (sides: Sides) => sides.width },
  ];
}

type Sides = ReturnType<typeof sidesOf>;

function isCrop(
  transform: Transform,
): transform is TransformOf<"center_crop" | "random_crop" | "ten_crop"> {
  return ["center_crop", "random_crop", "ten_crop"].includes(transform.kind);
}

function checkColors(
  { transform, call }: TransformUse,
  { channels, span }: ImageInput,
  { reporter }: Environment,
): void {
  if (transform.kind !== "pca_noise" || channels === 3) return;
  reporter.report("NET3041", {
    message: `\`pca_noise\` is for images of 3 channels, but the model's input has ${channels}`,
    span: call.span,
    related: [{ span, message: `starts with ${plural(channels, "channel")}` }],
  });
}

/** What a normalized example has: channels of an image, or features. */
interface NormalizedInput extends Pick<ImageInput, "channels" | "span"> {
  readonly noun?: "channels" | "features";
}

export function checkNormalize(
  { call, bound }: TransformUse,
  { mean, std }: Extract<Transform, { kind: "normalize" }>,
  { channels, span, noun = "channels" }: NormalizedInput,
  { reporter }: Environment,
): void {
  const name = mean.length === channels ? "std" : "mean";
  const count = name === "mean" ? mean.length : std.length;
  if (count === channels) return;
  const has = channels === 1 ? `1 ${noun.slice(0, -1)}` : `${channels} ${noun}`;
  const whose = noun === "channels" ? "the model's images have" : "the model's input has";
  reporter.report("NET3010", {
    message: `\`${name}\` of \`${call.callee.name}\` has ${numbers(count)}, but ${whose} ${has}`,
    span: bound.spans.get(name)!,
    label: `expected ${numbers(channels)}`,
    related: [{ span, message: noun === "channels" ? `${channels} x height x width` : has }],
  });
}

function numbers(count: number): string {
  return count === 1 ? "1 number" : `${count} numbers`;
}

interface SizeMistake {
  readonly size: ImageSize;
  readonly lastSized: TransformUse | undefined;
  readonly source: CallExpression;
}

function reportSize(
  { size, lastSized, source }: SizeMistake,
  input: ImageInput,
  { reporter }: Environment,
): void {
  const wanted = `${input.height}x${input.width}`;
  const came = describeSize(size);
  reporter.report("NET3011", {
    message: `the images come out ${came}, but the model's input is ${wanted}`,
    span: lastSized?.bound.spans.get("size") ?? source.span,
    label: `gives images ${came}`,
    related: [{ span: input.span, message: `wants ${wanted}` }],
    fixes: lastSized ? sizeFixes(lastSized, sizeFor(lastSized, input)) : [],
    notes: lastSized ? [] : ["add a transform, for instance `resize` or `center_crop`"],
  });
}

function describeSize(size: ImageSize): string {
  if (size.kind === "exact") return `${size.height}x${size.width}`;
  return size.kind === "shorter" ? `${size.size} on their shorter side` : "of any size";
}

/** The size that a transform needs for an input; `resize` alone gives one that is not square. */
function sizeFor({ transform }: TransformUse, { height, width }: ImageInput): string | undefined {
  if (height === width) return String(height);
  return transform.kind === "ten_crop" ? undefined : `[${height}, ${width}]`;
}

function sizeFixes({ call }: TransformUse, size: string | undefined): readonly Fix[] {
  const argument = call.arguments.find(({ name }) => !name || name.name === "size");
  if (!argument || size === undefined) return [];
  const edits = [{ span: argument.value.span, newText: size }];
  return [{ title: `write \`${call.callee.name}(${size})\``, edits }];
}
