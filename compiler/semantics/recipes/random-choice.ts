/** Transforms that a spec leaves to chance: `one_of(...)` and `random_apply(...)`. */
import {
  isMixing,
  type Chance,
  type MixturePart,
  type Transform,
} from "../../../program/transforms.js";
import type { CallExpression, ListExpression } from "../../../grammar/ast.js";
import type { Fix } from "../../diagnostics/diagnostic.js";
import { plural } from "../../diagnostics/plural.js";
import type { Environment } from "../../calls/environment.js";
import { mismatch } from "../../calls/argument-types.js";
import { asCalls, resolveCall, type Resolved } from "./definition.js";
import type { Branch, TransformUse } from "./image-flow.js";
import { transforms, type TransformRule } from "./transforms.js";

type ChoiceRule = Extract<TransformRule, { readonly kind: "one_of" | "random_apply" }>;

/** A transform, or a choice between chains of them. */
type Part =
  | { readonly kind: "use"; readonly use: TransformUse }
  | { readonly kind: "choice"; readonly call: CallExpression; readonly ways: readonly Way[] };

interface Way {
  readonly share: number;
  readonly parts: readonly Part[];
}

/**
 * The transforms of a split in order, those of a choice one after the other, each with what must be
 * drawn for it. Undefined after reporting.
 */
export function readTransforms(
  calls: readonly CallExpression[],
  environment: Environment,
): readonly TransformUse[] | undefined {
  const parts = readParts(calls, environment);
  const counter = { choices: 0 };
  return parts?.flatMap((part) => usesOf(part, { when: [], within: [] }, counter));
}

function readParts(
  calls: readonly CallExpression[],
  environment: Environment,
): readonly Part[] | undefined {
  const read = calls.map((call) => readPart(call, environment));
  return read.every((parts) => parts !== undefined) ? read.flat() : undefined;
}

/** None for `identity`. */
function readPart(call: CallExpression, environment: Environment): readonly Part[] | undefined {
  const isChoice = ["one_of", "random_apply"].includes(call.callee.name);
  const named = call.arguments.filter(({ name }) => name);
  const written = isChoice ? { ...call, arguments: named } : call;
  const resolved = resolveCall(written, transforms, environment);
  if (!resolved) return undefined;
  const { result, bound } = resolved;
  if (result.kind === "identity") return [];
  if (result.kind === "one_of" || result.kind === "random_apply")
    return readChoice(call, { ...resolved, result }, environment);
  return [{ kind: "use", use: { transform: result, call, bound } }];
}

function readChoice(
  call: CallExpression,
  { result, bound }: Resolved<TransformRule> & { readonly result: ChoiceRule },
  environment: Environment,
): readonly Part[] | undefined {
  const inner = innerCalls(call, environment);
  if (!inner || !isComplete(call, inner, result, environment)) return undefined;
  const read = inner.map((each) => readParts([each], environment));
  if (!read.every((parts) => parts !== undefined)) return undefined;
  if (result.kind === "random_apply") {
    const { probability } = result;
    const ways = [
      { share: probability, parts: read.flat() },
      { share: 1 - probability, parts: [] },
    ];
    return checked({ kind: "choice", call, ways }, environment);
  }
  const shares = result.probabilities ?? inner.map(() => 1 / inner.length);
  const span = bound.spans.get("probabilities") ?? call.span;
  if (!areProbabilities(shares, inner.length, { call, span }, environment)) return undefined;
  const ways = read.map((parts, index) => ({ share: shares[index]!, parts }));
  return checked({ kind: "choice", call, ways }, environment);
}

/** What is in the parentheses without a name, which must be transforms. */
function innerCalls(
  call: CallExpression,
  environment: Environment,
): readonly CallExpression[] | undefined {
  const { name } = call.callee;
  const given = call.arguments.filter((argument) => !argument.name);
  const inner = given.map(({ value }) => {
    const [only, ...others] = asCalls(value) ?? [];
    if (only && others.length === 0) return only;
    const reader = { ...environment, subject: `each argument of \`${name}\` without a name` };
    return mismatch(value, reader, "a transform such as `hflip`", undefined, {
      fixes: value.kind === "list" ? withoutBrackets(value) : [],
    });
  });
  return inner.every((each) => each !== undefined) ? inner : undefined;
}

/** torchvision's `RandomChoice([...])` has the transforms in a list. */
function withoutBrackets({ span, elements }: ListExpression): readonly Fix[] {
  const [first, last] = [elements[0], elements.at(-1)];
  if (!first || !last) return [];
  const edits = [
    { span: { ...span, end: first.span.start }, newText: "" },
    { span: { ...span, start: last.span.end }, newText: "" },
  ];
  return [{ title: "write the transforms without brackets", edits }];
}

function isComplete(
  { callee: { name, span } }: CallExpression,
  inner: readonly CallExpression[],
  { kind }: ChoiceRule,
  { reporter }: Environment,
): boolean {
  const least = kind === "one_of" ? 2 : 1;
  if (inner.length >= least) return true;
  const [only] = inner;
  reporter.report("NET1007", {
    message: only
      ? `\`${name}\` needs at least 2 transforms to choose from, but has only ` +
        `\`${only.callee.name}\``
      : `\`${name}\` needs transforms in its parentheses`,
    span,
    notes: [
      kind === "one_of"
        ? "for instance `one_of(hflip(1), gaussian_blur(3))`; `random_apply` does one or nothing"
        : "for instance `random_apply(gaussian_blur(3), probability=0.2)`",
    ],
  });
  return false;
}

/** Sums of a few decimal fractions differ from 1 by less. */
const ROUNDING = 1e-6;

function areProbabilities(
  shares: readonly number[],
  count: number,
  { call, span }: Pick<CallExpression, "span"> & { readonly call: CallExpression },
  { reporter }: Environment,
): boolean {
  const { name } = call.callee;
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.length === count && Math.abs(sum - 1) <= ROUNDING) return true;
  const short = String(Number(sum.toPrecision(6)));
  reporter.report("NET1010", {
    message:
      shares.length === count
        ? `\`probabilities\` of \`${name}\` must sum to 1, not to ${short}`
        : `\`${name}\` has ${plural(count, "transform")}, but ` +
          `${shares.length === 1 ? "1 probability" : `${shares.length} probabilities`}`,
    span,
    notes: [
      "one for each transform, in order; without `probabilities` all are equally likely",
      ...(shares.length === count && sum > 0 && sum < 1
        ? ["`identity` leaves images as they are: give it what is left"]
        : []),
    ],
  });
  return false;
}

/** A choice of transforms that may be left to chance; mixtures become one transform. */
function checked(
  choice: Part & { readonly kind: "choice" },
  environment: Environment,
): readonly Part[] | undefined {
  const { call } = choice;
  const uses = flat([choice]);
  const fixed = uses.find(({ transform: { kind } }) => kind === "normalize" || kind === "ten_crop");
  if (fixed) return misplaced(fixed, call, environment);
  const mixing = uses.filter(({ transform }) => isMixing(transform));
  if (mixing.length === 0) return [choice];
  const other = uses.find(({ transform }) => !isMixing(transform));
  if (other) return reportMixed(mixing[0]!, other, environment);
  const perImage = mixing.find(({ transform }) => isOfImages(transform));
  if (perImage) return reportPerImage(perImage, environment);
  const of = mixtureOf(choice, 1);
  if (!of) return reportTwice(call, environment);
  const transform = { kind: "mixture", each: "batch", of: withEnds(of) } as const;
  return [{ kind: "use", use: { transform, call, bound: mixing[0]!.bound } }];
}

const flat = (parts: readonly Part[]): readonly TransformUse[] =>
  parts.flatMap((part) =>
    part.kind === "use" ? [part.use] : part.ways.flatMap((way) => flat(way.parts)),
  );

function misplaced(
  { call: { callee, span }, transform }: TransformUse,
  { callee: { name } }: CallExpression,
  { reporter }: Environment,
): undefined {
  return reporter.report("NET3040", {
    message: `\`${callee.name}\` has no place in \`${name}\``,
    span,
    label: `outside of \`${name}\``,
    notes: [
      transform.kind === "normalize"
        ? `all images have the same \`normalize\`: put it after \`${name}\``
        : "`ten_crop` is for an eval split, where nothing is left to chance",
    ],
  });
}

function reportMixed(
  mixing: TransformUse,
  other: TransformUse,
  { reporter }: Environment,
): undefined {
  const [first, second] = [mixing, other].map(({ call }) => `\`${call.callee.name}\``);
  return reporter.report("NET3040", {
    message: `${first} mixes whole batches, but the choice is also between ${second}`,
    span: mixing.call.span,
    label: "comes last, by itself",
    related: [{ span: other.call.span, message: "changes one image" }],
    notes: ["for instance `random_apply(gaussian_blur(3)) -> one_of(mixup(0.2), cutmix)`"],
  });
}

const isOfImages = (transform: Transform) =>
  transform.kind === "mixture" && transform.each === "image";

function reportPerImage({ call }: TransformUse, { reporter }: Environment): undefined {
  const { name } = call.callee;
  return reporter.report("NET3040", {
    message: `\`${name}\` chooses for each image, but a choice around it is for each batch`,
    span: call.span,
    notes: ["name what the choice is between: `one_of(mixup(0.2), cutmix, identity)`"],
  });
}

function reportTwice({ callee, span }: CallExpression, { reporter }: Environment): undefined {
  return reporter.report("NET3040", {
    message: `\`${callee.name}\` mixes a batch twice`,
    span,
    notes: ["a split mixes once: `one_of(mixup(0.2), cutmix)` chooses for each batch"],
  });
}

type Share = MixturePart extends infer Part
  ? Part extends unknown
    ? Omit<Part, "to"> & { readonly share: number }
    : never
  : never;

/** What a choice of mixtures comes to; undefined where one would follow another. */
function mixtureOf(part: Part, share: number): readonly Share[] | undefined {
  if (part.kind === "use") {
    const { transform } = part.use;
    if (transform.kind === "mixup" || transform.kind === "cutmix")
      return [{ kind: transform.kind, alpha: transform.alpha, share }];
    if (transform.kind !== "mixture") return undefined;
    let from = 0;
    return transform.of.map(({ to, ...own }) => {
      const width = to - from;
      from = to;
      return { ...own, share: share * width };
    });
  }
  const ways = part.ways.map((way) => {
    const [only, ...others] = way.parts;
    if (!only) return [{ kind: "identity", share: share * way.share } as const];
    return others.length > 0 ? undefined : mixtureOf(only, share * way.share);
  });
  return ways.every((way) => way !== undefined) ? ways.flat() : undefined;
}

/** Where each share ends; the last at 1. */
function withEnds(shares: readonly Share[]): readonly MixturePart[] {
  const known = shares.filter(({ share }) => share > 0);
  let end = 0;
  return known.map(({ share, ...own }, index) => {
    end += share;
    return { ...own, to: index === known.length - 1 ? 1 : end };
  });
}

interface Place {
  readonly when: readonly Chance[];
  readonly within: readonly Branch[];
}

function usesOf(part: Part, place: Place, counter: { choices: number }): readonly TransformUse[] {
  if (part.kind === "use") return [placed(part.use, place)];
  const { call, ways } = part;
  const choice = counter.choices++;
  let end = 0;
  return ways.flatMap(({ share, parts }, index) => {
    const from = end;
    end = index === ways.length - 1 ? 1 : from + share;
    const when = [...place.when, { choice, from, to: end }];
    const within = [...place.within, { call, index, count: ways.length }];
    return parts.flatMap((each) => usesOf(each, { when, within }, counter));
  });
}

function placed(use: TransformUse, { when, within }: Place): TransformUse {
  if (when.length === 0) return use;
  return { ...use, transform: { ...use.transform, when }, within };
}
