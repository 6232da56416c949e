/** Layers that are applied to several values with one set of weights. */
import type { BodyMember, CallExpression, Identifier, Share, Span } from "../../grammar/ast.js";
import { type KnownLayer, kindOf } from "../network/describe.js";
import type { Group } from "../network/resolved.js";
import { formatShape, sameShape, type Shape } from "../ir/shape.js";
import { findLayer } from "../layers/index.js";
import type { NamedValues } from "./named-values.js";
import type { Current, Place } from "./place.js";
import type { NamedValue } from "./values.js";

/** What shared layers need of the reader of a network. */
interface ShareReader {
  current: Current;
  hasFailed: boolean;
  readonly layers: readonly KnownLayer[];
  readonly values: NamedValues;
  readonly shares: Map<string, SharedLayers>;
  nameAt(place: Place, kind: string, alias: Identifier | undefined, span: Span): string;
  enter(place: Place, name: string, group: Pick<Group, "kind" | "label" | "span">): Place;
  readMembers(members: readonly BodyMember[], around: Place): void;
  lose(): void;
  nameValue(
    layer: Pick<NamedValue, "name" | "layer" | "span" | "call"> & { readonly before: Current },
    alias: Identifier | undefined,
    place: Place,
  ): void;
}

/** What is known of a `share`. */
export interface SharedLayers {
  readonly declaration: Share;
  /** The top level of its model, with the names that its layers see. */
  readonly place: Place;
  /** What it was applied to first. */
  first?: {
    readonly shape: Shape;
    readonly vocabulary: number | undefined;
    readonly span: Span;
  };
  isUsed: boolean;
  hasFailed: boolean;
}

/** The name that a value has within shared layers: what they are applied to. */
const INPUT = "input";

/** Makes shared layers known under their name, which no section, block or layer may have. */
export function declareShare(reader: ShareReader, declaration: Share, place: Place): void {
  const { name } = declaration;
  const { names, reporter } = place.environment;
  names.define("share", name.name, name.span);
  reader.nameAt(place, "share", name, name.span);
  if (findLayer(name.name) ?? place.module.blocks.get(name.name)) {
    reader.hasFailed = true;
    reporter.report("NET1039", {
      message:
        `\`${name.name}\` is already a ${findLayer(name.name) ? "layer" : "block"}: ` +
        "shared layers need another name",
      span: name.span,
    });
    return;
  }
  reader.shares.set(name.name, { declaration, place, isUsed: false, hasFailed: false });
}

/** Puts shared layers into the place of their use. Their weights are those of every other use. */
export function readShare(
  reader: ShareReader,
  call: CallExpression,
  share: SharedLayers,
  place: Place,
): void {
  const { callee, alias, span } = call;
  const { declaration } = share;
  place.environment.names.use("share", callee.name, callee.span, declaration.name.span);
  share.isUsed = true;
  const name = reader.nameAt(place, callee.name, alias, callee.span);
  const before = reader.current;
  if (!checkUse(reader, call, share, place)) {
    reader.lose();
    // Known by its name all the same, so that what reads it is not reported.
    return reader.nameValue({ name, layer: callee.name, span, call, before }, alias, place);
  }
  const { reporter } = place.environment;
  const errorsBefore = reporter.errorCount;
  const inside = reader.enter(place, name, {
    kind: "block",
    label: callee.name,
    span: callee.span,
  });
  const within = withinShare(inside, name, call, share);
  const named = { name: `${name}.${INPUT}`, layer: INPUT, span, alias: undefined, call: undefined };
  const rest = { shape: before.shape, previous: undefined, current: before };
  reader.values.define({ ...named, ...rest }, within, undefined);
  reader.readMembers(declaration.members, within);
  // The same mistake again would say nothing new.
  share.hasFailed = reporter.errorCount > errorsBefore;
  const last = reader.layers.at(-1);
  const layer = last ? kindOf(last) : callee.name;
  reader.nameValue({ name, layer, span, call, before }, alias, place);
}

function withinShare(
  inside: Place,
  name: string,
  { callee }: CallExpression,
  { declaration, place }: SharedLayers,
): Place {
  const use = { block: callee.name, name, span: callee.span };
  const { environment } = inside;
  return {
    ...inside,
    module: place.module,
    outside: inside.path.length,
    shared: { use: name, share: declaration.name.name },
    uses: [...inside.uses, use],
    environment: {
      ...environment,
      scope: place.environment.scope,
      reporter: environment.reporter.within(use),
    },
  };
}

/** False after a report, or where a mistake hides what the layers would receive. */
function checkUse(
  reader: ShareReader,
  call: CallExpression,
  share: SharedLayers,
  place: Place,
): boolean {
  const { callee, span } = call;
  const { reporter } = place.environment;
  const report = (message: string, at: Span) => {
    reader.hasFailed = true;
    reporter.report("NET1039", { message, span: at });
    return false;
  };
  if (place.outside > 0) {
    const where = place.shared ? "other shared layers" : "a block";
    return report(`\`${callee.name}\` cannot be applied in ${where}`, callee.span);
  }
  if (call.hasParentheses) {
    return report(`\`${callee.name}\` takes no arguments: write its name alone`, span);
  }
  const { shape, vocabulary } = reader.current;
  if (!shape || share.hasFailed) return false;
  share.first ??= { shape, vocabulary, span: callee.span };
  const isSame = sameShape(shape, share.first.shape) && vocabulary === share.first.vocabulary;
  return isSame || reportShapes(reader, call, share, place);
}

function reportShapes(
  reader: ShareReader,
  { callee }: CallExpression,
  { first }: SharedLayers,
  { environment: { reporter } }: Place,
): false {
  const [shape, before] = [reader.current, first!].map(({ shape, vocabulary }) => {
    const tokens = vocabulary === undefined ? "" : ` of ${vocabulary} tokens`;
    return `${formatShape(shape!)}${tokens}`;
  });
  reader.hasFailed = true;
  reporter.report("NET2023", {
    message: `\`${callee.name}\` is applied to ${shape}, and before to ${before}`,
    span: callee.span,
    label: `receives ${shape}`,
    related: [{ span: first!.span, message: `receives ${before}` }],
    notes: ["layers with one set of weights receive one shape"],
  });
  return false;
}

/** Warns of shared layers that no value is given to. */
export function warnOfUnusedShares(reader: ShareReader): void {
  for (const { declaration, place, isUsed } of reader.shares.values()) {
    if (isUsed) continue;
    const { name } = declaration;
    place.environment.reporter.report("NET1038", {
      message: `the shared layers \`${name.name}\` are never applied`,
      span: name.span,
      notes: [`write \`${name.name}\` in a chain, like a layer`],
    });
  }
}

/** What the names of a layer's weights start with. */
export function weightsAt(name: string, { shared }: Place): string {
  return shared ? `${shared.share}${name.slice(shared.use.length)}` : name;
}
