import type { FrameWord } from "../../program/frame.js";
import type { KernelSection } from "../../program/program.js";
import type { Declaration } from "./code.js";

type Named = "binding" | "constant";

/** Prints the code of a kernel once, and learns what it needs. */
export class Printer {
  private readonly used = { binding: new Set<string>(), constant: new Set<string>() };
  private readonly declared = new Map<Declaration, KernelSection>();
  /** Words of the frame that the text reads. */
  readonly frameWords = new Set<FrameWord>();
  private totals = 0;
  private planes = false;
  private subgroups = false;

  /** `halves`: names of bindings whose elements have 16 bits. */
  constructor(readonly halves: ReadonlySet<string> = new Set()) {}

  isHalf(binding: string): boolean {
    return this.halves.has(binding);
  }

  use(what: Named, name: string): void {
    this.used[what].add(name);
  }

  /** Whether the text reads a binding or a constant. */
  uses(what: Named, name: string): boolean {
    return this.used[what].has(name);
  }

  /** What a declaration needs is declared before it. `name`: one of those that it makes. */
  declare(declaration: Declaration, name: string): void {
    if (this.declared.has(declaration)) return;
    const text = declaration.code.print(this);
    this.declared.set(declaration, { name, text });
  }

  /** What is declared, each text once, in the order of first use. */
  declarations(kind: Declaration["kind"]): readonly KernelSection[] {
    const sections = new Map<string, KernelSection>();
    for (const [declaration, section] of this.declared) {
      if (declaration.kind === kind) sections.set(section.text, section);
    }
    return [...sections.values()];
  }

  get workgroupBytes(): number {
    return [...this.declared.keys()].reduce((sum, { workgroupBytes }) => sum + workgroupBytes, 0);
  }

  readFrame(word: FrameWord): void {
    this.frameWords.add(word);
  }

  readTotals(count: number): void {
    this.totals = count;
  }

  get classTotals(): number {
    return this.totals;
  }

  readPlane(): void {
    this.planes = true;
  }

  get readsPlane(): boolean {
    return this.planes;
  }

  useSubgroups(): void {
    this.subgroups = true;
  }

  get usesSubgroups(): boolean {
    return this.subgroups;
  }
}
