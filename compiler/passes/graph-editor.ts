import type { Builder } from "../ir/builder.js";
import { readsOf, withReads } from "../ir/fusion.js";
import type { AnyNode, Graph, Value } from "../ir/graph.js";
import { Uses } from "../ir/uses.js";
import { GraphBuilder } from "../ops/builder.js";
import { hasEffect } from "./dead-nodes.js";

/** A node's place in a graph's order. The node may change, the place stays. */
export interface Place {
  node: AnyNode;
  /** Grows along the list. */
  order: number;
  before: Place | undefined;
  after: Place | undefined;
  /** Whether the graph has the node no more. The place remains, so that places keep their order. */
  isGone: boolean;
}

/** Builds what takes a node's place, and returns the replacement of each of its outputs. */
export type Replacement = (builder: Builder) => readonly Value[];

/**
 * Nodes that take the places of others, with values of the same graph; `undefined` leaves a place
 * empty.
 */
export type Joined = readonly (readonly [AnyNode, AnyNode | undefined])[];

/**
 * A graph that is changed node by node: a linked list whose uses follow every change, at a cost
 * that does not depend on the graph's size. Nodes whose results nothing reads any more are removed.
 */
export class GraphEditor extends Uses {
  private readonly places = new Map<AnyNode, Place>();
  private first: Place | undefined;
  private last: Place | undefined;
  private outputs: Graph["outputs"];
  private metrics: Graph["metrics"];
  private madeBuilder: GraphBuilder | undefined;
  /** Values whose maker or readers changed since they were last taken. */
  private readonly changed = new Set<Value>();

  constructor(private readonly graph: Graph) {
    super(graph);
    this.outputs = graph.outputs;
    this.metrics = graph.metrics;
    for (const node of graph.nodes) this.insert(node, undefined);
  }

  override readers(value: Value): readonly AnyNode[] {
    const readers = super.readers(value);
    if (readers.length < 2) return readers;
    return readers.toSorted((a, b) => this.placeOf(a).order - this.placeOf(b).order);
  }

  /** The places of all nodes, in order. */
  get order(): readonly Place[] {
    return this.allPlaces().filter(({ isGone }) => !isGone);
  }

  /** The places of the nodes that make or read what changed since the last call. */
  takeChanged(): readonly Place[] {
    const nodes = new Set<AnyNode>();
    for (const value of this.changed) {
      const maker = this.makers.get(value);
      if (maker) nodes.add(maker);
      for (const reader of this.readersOf.get(value) ?? []) nodes.add(reader);
    }
    this.changed.clear();
    return [...nodes].map((node) => this.placeOf(node));
  }

  /**
   * Puts what `replacement` builds in a node's place, and its results in that of the node's
   * outputs.
   */
  rebuild(node: AnyNode, replacement: Replacement): void {
    const place = this.placeOf(node);
    const added = this.builder.collect(replacement);
    for (const each of added.nodes) {
      this.insert(each, place);
      this.connect(each);
      this.noteChange(each);
    }
    node.outputs.forEach((output, index) => this.standIn(output, added.values[index]!));
    this.removeDead([node]);
  }

  /** Puts nodes in the places of others. */
  join(joined: Joined): void {
    for (const [old] of joined) this.disconnect(old);
    for (const [old, node] of joined) {
      if (node) this.put(this.placeOf(old), node);
      else this.leave(this.placeOf(old));
    }
    const read = joined.flatMap(([node]) => readsOf(node));
    this.removeDead(read.flatMap((value) => this.makers.get(value) ?? []));
  }

  finish(): Graph {
    const { graph, outputs, metrics } = this;
    return { ...graph, nodes: this.order.map(({ node }) => node), outputs, metrics };
  }

  /** Some rules only join nodes, and build none. */
  private get builder(): GraphBuilder {
    return (this.madeBuilder ??= GraphBuilder.withoutNodes(this.graph));
  }

  private placeOf(node: AnyNode): Place {
    const place = this.places.get(node);
    if (!place) throw new Error(`${node.kind} of ${node.origin.name} is not in the graph`);
    return place;
  }

  /** Adds a node before a place, or at the end. */
  private insert(node: AnyNode, after: Place | undefined): void {
    const before = after ? after.before : this.last;
    const place: Place = { node, order: 0, before, after, isGone: false };
    if (before) before.after = place;
    else this.first = place;
    if (after) after.before = place;
    else this.last = place;
    this.places.set(node, place);
    place.order = between(before?.order, after?.order);
    if (place.order === before?.order || place.order === after?.order) this.renumber();
  }

  /** Halving runs out of digits after some fifty nodes in one place. */
  private renumber(): void {
    this.allPlaces().forEach((place, index) => (place.order = index));
  }

  private allPlaces(): readonly Place[] {
    const places: Place[] = [];
    for (let place = this.first; place; place = place.after) places.push(place);
    return places;
  }

  private put(place: Place, node: AnyNode): void {
    this.places.delete(place.node);
    place.node = node;
    this.places.set(node, place);
    this.connect(node);
    this.noteChange(node);
  }

  private leave(place: Place): void {
    this.places.delete(place.node);
    place.isGone = true;
  }

  private disconnect(node: AnyNode): void {
    for (const output of node.outputs) {
      if (this.makers.get(output) === node) this.makers.delete(output);
    }
    for (const value of readsOf(node)) this.readersOf.get(value)?.delete(node);
    this.noteChange(node);
  }

  private noteChange(node: AnyNode): void {
    for (const value of readsOf(node)) this.changed.add(value);
    for (const value of node.outputs) this.changed.add(value);
  }

  /** All that reads a value reads another one from now on. */
  private standIn(value: Value, other: Value): void {
    for (const reader of this.readersOf.get(value) ?? []) {
      for (const read of readsOf(reader)) this.readersOf.get(read)?.delete(reader);
      const changed = withReads(reader, (read) => (read === value ? other : read));
      this.put(this.placeOf(reader), changed);
    }
    if (!this.results.delete(value)) return;
    this.results.add(other);
    this.outputs = this.outputs.map((port) =>
      port.value === value ? { ...port, value: other } : port,
    );
    this.metrics = this.metrics.map((score) => ({
      ...score,
      terms: score.terms.map((term) => (term.value === value ? { ...term, value: other } : term)),
    }));
  }

  /** Removes unused nodes, then the nodes whose results only those read. */
  private removeDead(nodes: readonly AnyNode[]): void {
    const open = [...nodes];
    for (let node = open.pop(); node; node = open.pop()) {
      const place = this.places.get(node);
      if (!place || hasEffect(node) || node.outputs.some((output) => this.isNeeded(output)))
        continue;
      this.disconnect(node);
      this.leave(place);
      open.push(...readsOf(node).flatMap((value) => this.makers.get(value) ?? []));
    }
  }

  private isNeeded(value: Value): boolean {
    return this.isResult(value) || (this.readersOf.get(value)?.size ?? 0) > 0;
  }
}

function between(before: number | undefined, after: number | undefined): number {
  if (before === undefined) return after === undefined ? 0 : after - 1;
  return after === undefined ? before + 1 : (before + after) / 2;
}
