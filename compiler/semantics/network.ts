import type {
  BodyMember,
  CallExpression,
  Chain,
  ChainElement,
  For,
  From,
  Identifier,
  If,
  Repeat,
  Section,
  Span,
} from "../../grammar/ast.js";
import { membersWithin } from "../../grammar/ast.js";
import { formatShape, elementCount, isSignal } from "../ir/shape.js";
import { findLayer } from "../layers/index.js";
import { inferOutput, inferShape } from "../layers/infer.js";
import type { MadeBy } from "../layers/layer.js";
import { costOf } from "../network/costs.js";
import { isResolved, type KnownLayer, shownCall } from "../network/describe.js";
import type { Group, ResolvedLayer } from "../network/resolved.js";
import { adviseLayer } from "./advise-layer.js";
import { bind } from "../calls/bind.js";
import { NAME_CODES } from "../calls/conditions.js";
import { readBlock } from "./blocks.js";
import { readCondition } from "./conditions.js";
import { readConcat, readResidual } from "./joins.js";
import { type LayerUse, type NewLayer, reportingContext } from "./layer-context.js";
import { LayerNames } from "./layer-names.js";
import { readFunctionLayer, readLet } from "./lets.js";
import { readCount, readTurns } from "./loops.js";
import type { Modules } from "./modules.js";
import { NamedValues, reportNoValue } from "./named-values.js";
import { readShare, type SharedLayers, weightsAt } from "./shares.js";
import { splitOthers } from "./others.js";
import { type Current, lost, originAt, type Place, valueOf } from "./place.js";
import { checkTokens, type TokenInputs } from "./tokens.js";
import type { NamedValue } from "./values.js";
import { readWeight } from "./weights.js";

/** More layers than this are a mistake: a loop in a loop in a block. */
const MOST_LAYERS = 10_000;

/** The same for turns of loops, sections and uses of blocks, which may have no layers in them. */
const MOST_TURNS = 4 * MOST_LAYERS;

/** Sections, loops, branches and blocks in one another: more could overflow the stack. */
const DEEPEST_NESTING = 100;

/**
 * Numbers of one value of an image, or of a layer's weights: 4 GiB of f32, more than any buffer
 * holds.
 */
const MOST_NUMBERS = 2 ** 30;

/**
 * Reads the layers of a model from top to bottom: names, arguments and shapes, as far as mistakes
 * let it. `current` is the value that the next layer receives.
 */
export class NetworkReader {
  readonly layers: KnownLayer[] = [];
  readonly groups: Group[] = [];
  readonly names = new LayerNames();
  values = new NamedValues();
  /** Values of bodies that are not taken, which only such bodies see. */
  private untaken = new NamedValues();
  /** Shared layers that are declared so far, by name. */
  readonly shares = new Map<string, SharedLayers>();
  hasFailed = false;
  /** Whether it gave up, so that layers further down are missing. */
  isTooLong = false;
  /** Turns of loops, sections, branches and uses of blocks that were read so far. */
  private turns = 0;

  /**
   * @param current the model's input
   * @param later names of layers with the places where they are given, for messages about values
   * used too early
   * @param tokenInputs the inputs that hold tokens
   */
  constructor(
    readonly modules: Modules,
    public current: Current,
    private readonly later: ReadonlyMap<string, Span>,
    private readonly tokenInputs: TokenInputs,
  ) {}

  // Members

  readMembers(members: readonly BodyMember[], around: Place): void {
    const place = { ...around, depth: around.depth + 1 };
    this.turns++;
    for (const member of members) {
      if (place.depth > DEEPEST_NESTING) return this.reportTooDeep(member, place);
      if (this.isTooLarge) return this.reportTooMany(member, place);
      this.readMember(member, place);
    }
  }

  private get isTooLarge(): boolean {
    return this.layers.length > MOST_LAYERS || this.turns > MOST_TURNS;
  }

  private readMember(member: BodyMember, place: Place): void {
    switch (member.kind) {
      case "weight":
        return this.noting(place, () => readWeight(this, member, place));
      case "let":
        return this.noting(place, () => readLet(this, member, place));
      case "section":
        return this.readSection(member, place);
      case "repeat":
        return this.readRepeat(member, place);
      case "for":
        return this.readFor(member, place);
      case "if":
        return this.readIf(member, place);
      case "chain":
        return this.readChain(member, place);
    }
  }

  /** The body whose condition is true; the others are checked for their names. */
  private readIf({ condition, members, otherwise }: If, place: Place): void {
    const isTrue = this.noting(place, () => readCondition(condition, place.environment));
    if (isTrue) this.readMembers(members, place);
    else this.skipMembers(members, place);
    if (!otherwise) return isTrue === undefined ? this.lose() : undefined;
    if (isTrue === false && otherwise.kind === "if") return this.readIf(otherwise, place);
    if (isTrue === false) return this.readMembers(otherwise.members, place);
    this.skipMembers(membersWithin(otherwise), place);
    if (isTrue === undefined) this.lose();
  }

  /** Reads layers that are not part of the network: only their names are checked. */
  private skipMembers(members: readonly BodyMember[], place: Place): void {
    const { environment } = place;
    const reader = new NetworkReader(
      this.modules,
      lost(this.current),
      this.later,
      this.tokenInputs,
    );
    reader.values = this.values.with(this.untaken);
    reader.untaken = this.untaken;
    for (const [name, share] of this.shares) reader.shares.set(name, share);
    const reporter = environment.reporter.limitedTo(NAME_CODES);
    const inside = { ...place, group: undefined, environment: { ...environment, reporter } };
    this.noting(place, () => reader.readMembers(members, inside));
    this.untaken = reader.values;
    this.turns += reader.turns;
  }

  private readSection({ name, members, span }: Section, place: Place): void {
    place.environment.names.define("section", name.name, name.span);
    const full = this.nameAt(place, "section", name, name.span);
    this.readMembers(
      members,
      this.enter(place, full, { kind: "section", label: full.split(".").at(-1)!, span }),
    );
  }

  private readRepeat(repeat: Repeat, place: Place): void {
    const count = this.noting(place, () => readCount(repeat, place.environment));
    if (count === undefined) return this.lose();
    const body = { ...place, isRepeated: true };
    for (let turn = 0; turn < count; turn++) {
      if (this.isTooLarge) return this.reportTooMany(repeat, place);
      this.readMembers(repeat.members, body);
    }
  }

  private readFor(loop: For, place: Place): void {
    const { environment } = place;
    const turns = this.noting(place, () => readTurns(loop, environment));
    if (!turns) return this.lose();
    for (const scope of turns) {
      if (this.isTooLarge) return this.reportTooMany(loop, place);
      const body = { ...place, isRepeated: true, environment: { ...environment, scope } };
      this.readMembers(loop.members, body);
    }
  }

  /** What `read` gives; the network is known to be wrong if it reported an error. */
  private noting<Result>({ environment: { reporter } }: Place, read: () => Result): Result {
    const before = reporter.errorCount;
    const result = read();
    if (reporter.errorCount > before) this.hasFailed = true;
    return result;
  }

  private readChain({ elements }: Chain, place: Place): void {
    for (const element of elements) this.readElement(element, place);
  }

  private readElement(element: ChainElement, place: Place): void {
    switch (element.kind) {
      case "from":
        return this.readFrom(element, place);
      case "residual":
        return readResidual(this, element, place);
      case "concat":
        return readConcat(this, element, place);
      case "call":
        return this.readCall(element, place);
    }
  }

  private readFrom({ path, span: whole }: From, place: Place): void {
    const name = path.map((part) => part.name).join(".");
    const span = path[0] ? { ...whole, start: path[0].span.start } : whole;
    const found = this.findValue(name, span, place);
    this.current = found?.current ?? lost({ ...this.current, call: undefined });
    if (!found) this.hasFailed = true;
  }

  private readCall(call: CallExpression, place: Place): void {
    const share = this.shares.get(call.callee.name);
    if (share && (place.outside === 0 || !isKnown(call.callee.name, place))) {
      return readShare(this, call, share, place);
    }
    const block = place.module.blocks.get(call.callee.name);
    const declared = place.module.functions.get(call.callee.name);
    if (block) readBlock(this, call, block, place);
    else if (declared) this.noting(place, () => readFunctionLayer(this, call, declared, place));
    else if (place.module.missing.has(call.callee.name)) this.lose();
    else this.readLayer(call, place);
  }

  // Layers

  /**
   * A layer as a call, which may also be one that is not in the text: the convolution of `skip
   * auto`.
   */
  readLayer(call: CallExpression, place: Place): void {
    const definition = findLayer(call.callee.name);
    if (!definition && call.isDoubtful) {
      this.hasFailed = true;
      return;
    }
    if (!definition) this.reportUnknownLayer(call, place);
    const kind = definition?.name ?? call.callee.name;
    const name = this.nameAt(place, kind, call.alias, call.callee.span);
    const { others, rest } = splitOthers(call, definition, this, place);
    const isOfSignal = this.current.shape !== undefined && isSignal(this.current.shape);
    const bound = definition && others && bind(rest, definition, place.environment, { isOfSignal });
    const shortName = name.split(".").at(-1)!;
    const shapes = others?.flatMap(({ shape }) => (shape ? [shape] : [])) ?? [];
    const resolved = definition && bound && { definition, values: bound.values };
    const before = this.current;
    if (resolved && shapes.length === others?.length) {
      const makers = others.map(({ current }) => this.makerOf(current));
      const { spans } = bound;
      const { vocabulary } = before;
      const own = { spans, call: rest, shortName, others: shapes, makers, vocabulary };
      const otherTrails = others.map(({ current }) => current.trail);
      const use = { ...resolved, ...own, otherTrails };
      this.applyLayer(use, place);
      this.checkSize(call, use, before, place);
    } else {
      this.lose();
    }
    const inputs = [before, ...(others?.map(({ current }) => current) ?? [])].map(valueOf);
    const receives = before.shape;
    this.list({ name, kind, resolved, span: call.span, inputs, receives, place });
    this.nameValue({ name, layer: kind, span: call.span, call, before }, call.alias, place);
  }

  /** The layer that makes a value. */
  private makerOf({ index, trail }: Current): MadeBy | undefined {
    const layer = this.layers[index];
    const step = trail?.last;
    if (!layer || !isResolved(layer) || step?.layer !== layer.definition.name) return undefined;
    return { layer: step.layer, values: layer.values, input: step.input };
  }

  /** Reports a layer that makes, or has, more numbers than any device could hold. */
  private checkSize(call: CallExpression, use: LayerUse, before: Current, place: Place): void {
    const { shape } = this.current;
    const made = shape ? elementCount(shape) : 0;
    const { parameters } = costOf(use, before.shape);
    if (Math.max(made, parameters) <= MOST_NUMBERS) return;
    this.lose();
    const what =
      shape && made > MOST_NUMBERS
        ? `makes ${formatShape(shape)}, ${made} numbers for each image`
        : `has ${parameters} weights`;
    place.environment.reporter.report("NET2052", {
      message:
        `${use.definition.name} \`${use.shortName}\` ${what}: ` +
        `a device holds at most ${MOST_NUMBERS} in one piece`,
      span: call.span,
    });
  }

  applyLayer(use: LayerUse, place: Place): void {
    const { shape: input, trail, vocabulary } = this.current;
    // `list` reports tokens that a layer of numbers would read.
    const isOfTokens = vocabulary !== undefined && !use.definition.readsTokens;
    if (!input || !trail || isOfTokens) return this.lose();
    const context = reportingContext(use, trail, place.environment.reporter);
    const output = inferOutput(use, input, context);
    if (context.hasReported || !output) this.hasFailed = true;
    if (!output) return this.lose();
    const step = {
      layer: use.definition.name,
      span: use.call.span,
      call: use.call,
      input,
      output,
      infer: (shape: typeof input) => inferShape(use, shape),
    };
    const trailed = trail.with(step);
    this.current = { ...this.current, shape: output, trail: trailed, vocabulary: undefined };
  }

  /** From here on the shape is not known: layers below are checked for all else. */
  lose(): void {
    this.hasFailed = true;
    this.current = lost(this.current);
  }

  /** Lists a layer whose output is the current value. */
  list({ name, kind, resolved, span, inputs, receives, place }: NewLayer): void {
    const { group } = place;
    if (resolved) checkTokens({ ...resolved, inputs, span }, this.tokenInputs, place);
    const origin = originAt(name, span, place);
    const common = {
      name,
      inputs,
      weights: weightsAt(name, place),
      group,
      origin,
    };
    const { shape } = this.current;
    const type = shape && ({ dtype: "f32", shape } as const);
    this.layers.push(
      resolved && type
        ? { ...common, ...resolved, type }
        : { ...common, kind, call: resolved ? shownCall(resolved, receives) : kind, type },
    );
    this.current = { ...this.current, index: this.layers.length - 1, target: undefined };
  }

  /** The layers of a network without mistakes. */
  get resolvedLayers(): readonly ResolvedLayer[] {
    const resolved = this.layers.filter(isResolved);
    if (resolved.length < this.layers.length) throw new Error("a layer's mistake was not reported");
    return resolved;
  }

  // Names

  /** The full name of something at a place. */
  nameAt(place: Place, kind: string, alias: Identifier | undefined, span: Span): string {
    const { path, isRepeated, environment } = place;
    return this.names.take({ path, kind, alias, span, isRepeated }, environment.reporter);
  }

  /** The place within a group that gives its layers a prefix: the last part of `name`. */
  enter(
    place: Place,
    name: string,
    { kind, label, span }: Pick<Group, "kind" | "label" | "span">,
  ): Place {
    const group = this.addGroup({ kind, label, span, name }, place);
    return { ...place, path: name.split("."), isRepeated: false, group };
  }

  addGroup(group: Omit<Group, "parent">, place: Place): number {
    const parent = place.group;
    return this.groups.push({ ...group, parent }) - 1;
  }

  /** Makes the current value known under a layer's name. */
  nameValue(
    layer: Pick<NamedValue, "name" | "layer" | "span" | "call"> & { readonly before: Current },
    alias: Identifier | undefined,
    place: Place,
  ): void {
    const { before, ...named } = layer;
    if (alias) place.environment.names.define("value", alias.name, alias.span);
    const { shape } = this.current;
    const previous = before.call;
    this.current = { ...this.current, call: named.call };
    const { current } = this;
    this.values.define({ ...named, alias, shape, previous, current }, place, alias);
  }

  /** The value of a name, or undefined after a report. */
  findValue(name: string, span: Span, place: Place): NamedValue | undefined {
    const found = this.values.find(name, place);
    if (!found) {
      const later = this.later.get(name.split(".").at(-1)!);
      const isSeen = place.outside === 0 && later?.file === span.file;
      const isLater = isSeen && later.start.offset > span.start.offset;
      const { values } = this;
      return reportNoValue(name, span, place, { values, later: isLater ? later : undefined });
    }
    place.environment.names.use("value", name, span, found.alias?.span ?? found.span);
    return found;
  }

  private reportUnknownLayer(call: CallExpression, place: Place): void {
    const { name, span } = call.callee;
    if (this.values.find(name, place)) return this.reportValueAsLayer(call, place);
    const { question, notes, fixes } = adviseLayer(call, place.module);
    place.environment.reporter.report("NET1001", {
      message: `there is no layer \`${name}\`${question}`,
      span,
      notes,
      fixes,
    });
  }

  private reportValueAsLayer({ callee: { name, span } }: CallExpression, place: Place): void {
    place.environment.reporter.report("NET1001", {
      message: `\`${name}\` is a value, and no layer`,
      span,
      notes: [
        `\`from ${name}\` continues from it, \`add(${name})\` and \`concat(${name})\` join it, ` +
          `and \`let y = 0.5 * ${name}\` computes with it`,
      ],
    });
  }

  private reportTooDeep({ span }: BodyMember, { environment }: Place): void {
    this.lose();
    environment.reporter.report("NET1037", {
      message: `layers are nested more than ${DEEPEST_NESTING} deep here`,
      span,
      notes: ["blocks count with everything in them: look at blocks that use other blocks"],
    });
  }

  private reportTooMany({ span }: Pick<BodyMember, "span">, { environment }: Place): void {
    if (this.isTooLong) return;
    this.isTooLong = true;
    this.lose();
    environment.reporter.report("NET1029", {
      message: `the model has more than ${MOST_LAYERS} layers here`,
      span,
      notes: ["loops and blocks multiply: look at their counts"],
    });
  }
}

/**
 * Whether a name has a meaning in a block, which sees no shared layers of the network around it.
 */
const isKnown = (name: string, { module }: Place) =>
  module.blocks.has(name) ||
  module.functions.has(name) ||
  module.missing.has(name) ||
  findLayer(name) !== undefined;
