/**
 * Which node all paths to a node pass last (its dominator), and all paths from it pass next (its
 * post-dominator). In time `n log n`, also for long skips: trees with jump pointers (Myers, "An
 * applicative random-access stack", 1983).
 */

/** Nodes are 0 .. n - 1; 0 is the input, n - 1 the output, and every edge goes to a later node. */
export interface Flow {
  readonly readers: readonly (readonly number[])[];
  readonly reads: readonly (readonly number[])[];
}

/** A tree in which a node's parent is known before the node is added. */
export class AncestorTree {
  private readonly depth: number[] = [];
  private readonly parent: number[] = [];
  private readonly jump: number[] = [];

  constructor(root: number) {
    this.depth[root] = 0;
    this.parent[root] = root;
    this.jump[root] = root;
  }

  add(node: number, parent: number): void {
    const far = this.jump[parent]!;
    const isEven =
      this.depth[parent]! - this.depth[far]! === this.depth[far]! - this.depth[this.jump[far]!]!;
    this.depth[node] = this.depth[parent]! + 1;
    this.parent[node] = parent;
    this.jump[node] = isEven ? this.jump[far]! : parent;
  }

  parentOf(node: number): number {
    return this.parent[node]!;
  }

  /** The nearest node that is an ancestor of all of these, or one of them. */
  common(nodes: readonly number[]): number {
    return nodes.reduce((a, b) => this.commonOfTwo(a, b));
  }

  private commonOfTwo(a: number, b: number): number {
    const shallow = Math.min(this.depth[a]!, this.depth[b]!);
    let [left, right] = [this.atDepth(a, shallow), this.atDepth(b, shallow)];
    while (left !== right) {
      const canJump = this.jump[left] !== this.jump[right];
      const next = canJump ? this.jump : this.parent;
      [left, right] = [next[left]!, next[right]!];
    }
    return left;
  }

  private atDepth(node: number, depth: number): number {
    let at = node;
    while (this.depth[at]! > depth) {
      const far = this.jump[at]!;
      at = this.depth[far]! >= depth ? far : this.parent[at]!;
    }
    return at;
  }
}

export function dominators({ reads }: Flow): AncestorTree {
  const tree = new AncestorTree(0);
  for (let node = 1; node < reads.length; node++) tree.add(node, tree.common(reads[node]!));
  return tree;
}

export function postDominators({ readers }: Flow): AncestorTree {
  const last = readers.length - 1;
  const tree = new AncestorTree(last);
  for (let node = last - 1; node >= 0; node--) tree.add(node, tree.common(readers[node]!));
  return tree;
}
