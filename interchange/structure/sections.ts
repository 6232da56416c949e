/** Sections and names of the file, where items next to each other have them. */
import type { Path } from "../names.js";
import {
  bodiesOf,
  changeBodies,
  withBodies,
  type Body,
  type Item,
  type LayerItem,
} from "./items.js";

/** @param paths of the layers, in the order of the text */
export function withSections(body: Body, paths: readonly Path[]): Body {
  return lone(new Sections(paths).body(body, 0));
}

class Sections {
  constructor(private readonly paths: readonly Path[]) {}

  /** @param depth how many sections are around the body already */
  body(body: Body, depth: number): Body {
    const parts = this.partsOf(body, depth);
    const split = splitNames(parts);
    const items: Item[] = [];
    for (let at = 0; at < body.length;) {
      const part = parts[at];
      let end = at + 1;
      while (end < body.length && parts[end] === part) end++;
      const run = body.slice(at, end);
      if (part === undefined || split.has(part)) {
        items.push(...run.map((item) => this.inside(item, depth)));
      } else {
        items.push(...section(part, this.body(run, depth + 1)));
      }
      at = end;
    }
    return items;
  }

  private inside(item: Item, depth: number): Item {
    if (item.form === "layer") return this.named(item);
    const own = this.alias(item.last);
    if (item.form === "branches") {
      const branches = item.branches.map(({ body }) => this.branch(body, depth));
      return { ...item, branches: distinctNames(branches), ...own };
    }
    const bodies = bodiesOf(item).map((body) => this.body(body, depth));
    const changed = withBodies(item, bodies);
    return changed.form === "residual" ? { ...changed, ...own } : changed;
  }

  /** A branch whose layers are one section is called like it. */
  private branch(body: Body, depth: number) {
    const parts = new Set(this.partsOf(body, depth));
    const [name] = parts;
    if (parts.size !== 1 || name === undefined) return { body: this.body(body, depth) };
    const inner = this.body(body, depth + 1);
    return isCount(name) || isAutomatic(name) ? { body: inner } : { name, body: inner };
  }

  private named(item: LayerItem): Item {
    return { ...item, ...this.alias(item.last) };
  }

  private alias(layer: number) {
    const own = this.paths[layer]?.own;
    return own === undefined ? {} : { alias: own };
  }

  /** Of each item, its section; an activation that the file does not name is in the one before. */
  private partsOf(body: Body, depth: number): readonly (string | undefined)[] {
    let before: string | undefined;
    return body.map((item) => {
      const follows = item.form === "layer" && item.isAttached && this.paths[item.last]!.isGuessed;
      if (!follows) before = this.sharedPath(item)[depth];
      return before;
    });
  }

  /** The sections around all layers that the file names; around all if it names none. */
  private sharedPath({ first, last }: Item): readonly string[] {
    const all = this.paths.slice(first, last + 1);
    const said = all.filter(({ isGuessed }) => !isGuessed);
    return (said.length > 0 ? said : all).map(({ sections }) => sections).reduce(commonStart);
  }
}

/** Names that items have which are not next to each other. */
function splitNames(parts: readonly (string | undefined)[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const split = new Set<string>();
  parts.forEach((part, index) => {
    if (part === undefined || part === parts[index - 1]) return;
    if (seen.has(part)) split.add(part);
    seen.add(part);
  });
  return split;
}

function distinctNames<Each extends { readonly name?: string; readonly body: Body }>(
  branches: readonly Each[],
) {
  const names = branches.map(({ name }) => name);
  return branches.map(({ name, body }) =>
    name !== undefined && names.indexOf(name) === names.lastIndexOf(name)
      ? { name, body }
      : { body },
  );
}

/** A number is not a name: what it holds is not a section. */
const isCount = (part: string) => part.startsWith("#");
const isAutomatic = (name: string) => /^branch_?\d*$/.test(name);

/** A section; the name of a layer, where there is one with what belongs to it. */
function section(name: string, body: Body): Body {
  if (isCount(name)) return body;
  const [first, ...others] = body as [Item, ...Item[]];
  const isOne = others.every((item) => item.form === "layer" && item.isAttached);
  if (first.form === "layer" && isOne) return [{ ...first, alias: first.alias ?? name }, ...others];
  return [{ form: "section", name, body, first: first.first, last: body.at(-1)!.last }];
}

/** Without sections that have no name: their layers are in what is around them. */
export function withoutUnnamed(body: Body): Body {
  return lone(changeBodies(body, (each) => without(each, new Set([""]))));
}

/**
 * Sections whose name is there once. Those that come again in the place of one name (`conv` in each
 * of several blocks that had numbers alone) were parts of what had no name.
 */
function lone(body: Body): Body {
  let left = body;
  for (let again = namesAgain(left); again.size > 0; again = namesAgain(left)) {
    left = without(left, again);
  }
  return left.map(loneInside);
}

function namesAgain(body: Body): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(sectionNames(body).filter((name) => seen.size === seen.add(name).size));
}

/** The layers of these sections without them; branches without these names. */
function without(body: Body, names: ReadonlySet<string>): Body {
  return body.flatMap((item) => {
    if (item.form === "section") return names.has(item.name) ? item.body : [item];
    if (item.form === "residual") return [{ ...item, body: without(item.body, names) }];
    if (item.form !== "branches") return [item];
    const branches = item.branches.map(({ name, body }) =>
      name === undefined || names.has(name) ? { body } : { name, body },
    );
    return [{ ...item, branches }];
  });
}

/** Names in sections, branches and skips are their own. */
function loneInside(item: Item): Item {
  if (item.form !== "residual") return withBodies(item, bodiesOf(item).map(lone));
  const body = item.body.map(loneInside);
  return typeof item.skip === "string"
    ? { ...item, body }
    : { ...item, body, skip: lone(item.skip) };
}

/** Of the sections and branches whose layers have the same names before them. */
function sectionNames(body: Body): readonly string[] {
  return body.flatMap((item): readonly string[] => {
    if (item.form === "section") return [item.name];
    if (item.form === "branches") return item.branches.flatMap(({ name }) => name ?? []);
    return item.form === "residual" ? sectionNames(item.body) : [];
  });
}

function commonStart(a: readonly string[], b: readonly string[]): readonly string[] {
  const differs = a.findIndex((part, index) => part !== b[index]);
  return differs < 0 ? a : a.slice(0, differs);
}
