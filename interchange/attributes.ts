/** A node's attributes, read by their types. Attributes that were not read are an error. */
import {
  isTensor,
  type ForeignAttribute,
  type ForeignAttributes,
  type ForeignTensor,
} from "./foreign-graph.js";

export class Attributes {
  private readonly unread: Set<string>;

  constructor(private readonly attributes: ForeignAttributes) {
    this.unread = new Set(Object.keys(attributes));
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  number(name: string, otherwise: number): number {
    const value = this.find(name);
    if (value === undefined) return otherwise;
    if (typeof value !== "number") throw wrongType(name, "a number");
    return value;
  }

  /** An integer that means false or true. */
  flag(name: string, otherwise: boolean): boolean {
    return this.number(name, otherwise ? 1 : 0) !== 0;
  }

  text(name: string, otherwise: string): string {
    const value = this.find(name) ?? otherwise;
    if (typeof value !== "string") throw wrongType(name, "a text");
    return value;
  }

  numbers(name: string): readonly number[] | undefined {
    const value = this.find(name);
    if (value === undefined) return undefined;
    if (!isNumbers(value)) throw wrongType(name, "a list of numbers");
    return value;
  }

  tensor(name: string): ForeignTensor | undefined {
    const value = this.find(name);
    if (value === undefined) return undefined;
    if (!isTensor(value)) throw wrongType(name, "a tensor");
    return value;
  }

  /** Marks attributes that say nothing about what the node computes. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.unread.delete(name);
  }

  /** Names of attributes that were not read so far. */
  get left(): readonly string[] {
    return [...this.unread];
  }

  private find(name: string): ForeignAttribute | undefined {
    this.unread.delete(name);
    return Object.hasOwn(this.attributes, name) ? this.attributes[name] : undefined;
  }
}

function isNumbers(value: ForeignAttribute): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === "number");
}

const wrongType = (name: string, expected: string) =>
  new RefusedNode(`its attribute \`${name}\` is not ${expected}`);

/** Why a node cannot become layers; whoever maps the graph adds the node's name and place. */
export class RefusedNode extends Error {
  override readonly name = "RefusedNode";

  constructor(
    message: string,
    /** What to use instead. */
    readonly instead?: string,
  ) {
    super(message);
  }
}
