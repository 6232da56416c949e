/** The parts of a spec's text as it is being put together: layers, what holds them, and blocks. */
import type { ResolvedLayer } from "../../compiler/network/resolved.js";

export type Body = readonly Item[];
export type Item =
  LayerItem | ResidualItem | BranchesItem | SectionItem | RepeatItem | ForItem | UseItem;

/** A number in the text that may differ where all else is alike: `width`, `stride`. */
export interface Slot {
  readonly argument: string;
  /** A number, or an expression of parameters. */
  readonly text: string;
}

/**
 * Layers are counted in the order of the text: an item holds those from `first` to `last`. In loops
 * and blocks, these are the layers of the first turn or use.
 */
interface Range {
  readonly first: number;
  readonly last: number;
}

export interface LayerItem extends Range {
  readonly form: "layer";
  readonly layer: ResolvedLayer;
  /** `depthwise` or `grouped` of such convolutions. */
  readonly role: string;
  /** Whether it belongs to the layer before it: batch normalization, an activation. */
  readonly isAttached: boolean;
  /** The layer whose value it reads first, if that is not the current one; -1 is the input. */
  readonly from?: number;
  /** Further values that it reads. */
  readonly others: readonly number[];
  readonly slots: readonly Slot[];
  /** The file's name for it, where it means something. */
  readonly alias?: string;
}

export interface ResidualItem extends Range {
  readonly form: "residual";
  readonly body: Body;
  readonly skip: "none" | "auto" | Body;
  readonly alias?: string;
}

export interface BranchesItem extends Range {
  readonly form: "branches";
  readonly branches: readonly { readonly name?: string; readonly body: Body }[];
  readonly alias?: string;
}

export interface SectionItem extends Range {
  readonly form: "section";
  readonly name: string;
  readonly body: Body;
}

export interface RepeatItem extends Range {
  readonly form: "repeat";
  readonly count: Slot;
  readonly body: Body;
}

export interface ForItem extends Range {
  readonly form: "for";
  readonly variables: readonly string[];
  /** A turn's values, one for each variable. */
  readonly rows: readonly (readonly string[])[];
  readonly body: Body;
}

export interface UseItem extends Range {
  readonly form: "use";
  readonly block: Block;
  readonly slots: readonly Slot[];
  readonly alias?: string;
}

export interface Block {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: Body;
}

export interface Parameter {
  readonly name: string;
  readonly otherwise?: string;
}

export function bodiesOf(item: Item): readonly Body[] {
  switch (item.form) {
    case "residual":
      return typeof item.skip === "string" ? [item.body] : [item.body, item.skip];
    case "branches":
      return item.branches.map(({ body }) => body);
    case "section":
    case "repeat":
    case "for":
      return [item.body];
    case "layer":
    case "use":
      return [];
  }
}

/** The same with other bodies, as many as `bodiesOf` gives. */
export function withBodies<Kind extends Item>(item: Kind, bodies: readonly Body[]): Kind {
  const [body, skip] = bodies;
  switch (item.form) {
    case "residual":
      return { ...item, body: body!, skip: skip ?? item.skip };
    case "branches": {
      const branches = item.branches.map((branch, index) => ({ ...branch, body: bodies[index]! }));
      return { ...item, branches };
    }
    case "section":
    case "repeat":
    case "for":
      return { ...item, body: body! };
    case "layer":
    case "use":
      return item;
  }
}

/** Its own numbers, those of its bodies not among them. */
export function ownSlots(item: Item): readonly Slot[] {
  if (item.form === "layer" || item.form === "use") return item.slots;
  if (item.form === "repeat") return [item.count];
  if (item.form !== "for") return [];
  return item.rows.flatMap((row) =>
    row.map((text, index) => ({ argument: item.variables[index]!, text })),
  );
}

export function withSlots<Kind extends Item>(item: Kind, slots: readonly Slot[]): Kind {
  if (item.form === "layer" || item.form === "use") return { ...item, slots };
  if (item.form === "repeat") return { ...item, count: slots[0]! };
  if (item.form !== "for") return item;
  const width = item.variables.length;
  const rows = item.rows.map((row, turn) =>
    row.map((_, index) => slots[turn * width + index]!.text),
  );
  return { ...item, rows };
}

/** Every number within, in the order of the text. */
export const slotsWithin = (body: Body): readonly Slot[] =>
  body.flatMap((item) => [...ownSlots(item), ...bodiesOf(item).flatMap(slotsWithin)]);

/** The body with every body in it changed, innermost first. */
export function changeBodies(body: Body, change: (body: Body) => Body): Body {
  return change(
    body.map((item) =>
      withBodies(
        item,
        bodiesOf(item).map((inner) => changeBodies(inner, change)),
      ),
    ),
  );
}

/** Whether it is a convolution, a linear layer or the like. */
export const isWeighted = (item: Item): item is LayerItem =>
  item.form === "layer" && item.layer.definition.macs !== undefined;

/** Without the file's name. */
export function unnamed<Kind extends Item>(item: Kind): Kind {
  const { ...rest } = item as Kind & { alias?: string };
  delete rest.alias;
  return rest;
}
