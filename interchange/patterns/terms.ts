/** Looks through a graph for what a value is made of. */
import type { FoldedGraph } from "../fold.js";
import type { ForeignNode, ForeignTensor } from "../foreign-graph.js";
import { scalarOf } from "../tensors.js";

/** A value as a number times factors, or as a number plus terms. */
export interface Combined {
  readonly number: number;
  /** Names of values. */
  readonly parts: readonly string[];
}

/** Longest chain of products or sums that is followed. */
const MOST_PARTS = 4;

export class Terms {
  private readonly makers = new Map<string, ForeignNode>();

  constructor(private readonly graph: FoldedGraph) {
    for (const node of graph.nodes) {
      const [output] = node.outputs;
      if (output !== undefined) this.makers.set(output, node);
    }
  }

  maker(value: string | undefined, ...operators: readonly string[]): ForeignNode | undefined {
    const node = value === undefined ? undefined : this.makers.get(value);
    return node && operators.includes(node.operator) ? node : undefined;
  }

  constant(value: string | undefined): ForeignTensor | undefined {
    return value === undefined ? undefined : this.graph.constants.get(value);
  }

  number(value: string | undefined): number | undefined {
    return scalarOf(this.constant(value));
  }

  /** A product: `Mul`, and `Div` by a number. */
  product(value: string): Combined {
    return this.combined(value, 1, { by: "Mul", against: "Div" });
  }

  /** A sum: `Add`, and `Sub` of a number. */
  sum(value: string): Combined {
    return this.combined(value, 0, { by: "Add", against: "Sub" });
  }

  private combined(
    value: string,
    neutral: 0 | 1,
    { by, against }: { readonly by: string; readonly against: string },
  ): Combined {
    const parts: string[] = [];
    const open = [value];
    let number: number = neutral;
    const join = (other: number, isAgainst: boolean) => {
      const signed = neutral === 1 ? (isAgainst ? 1 / other : other) : isAgainst ? -other : other;
      number = neutral === 1 ? number * signed : number + signed;
    };
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const node = this.maker(name, by, against);
      const isAgainst = node?.operator === against;
      const [a, b] = node?.inputs ?? [];
      const constant = this.number(b);
      const room = parts.length + open.length < MOST_PARTS;
      if (node && constant !== undefined && a !== undefined) {
        join(constant, isAgainst);
        open.push(a);
      } else if (node && !isAgainst && room && a !== undefined && b !== undefined) {
        open.push(a, b);
      } else if (this.number(name) !== undefined && name !== value) {
        join(this.number(name)!, false);
      } else {
        parts.push(name);
      }
    }
    return { number, parts };
  }
}

/**
 * Whether two numbers are the same up to rounding of 16 bits, in which files may hold constants.
 */
export const isAbout = (a: number, b: number) => Math.abs(a - b) <= 1e-3 * Math.abs(b);
