import type { FrameWord } from "../../program/frame.js";
import type { Declaration } from "./code.js";

/** Rounds an f32, or a vec4f, to 16 bits. */
type Rounding = "rounded" | "rounded4";

type Named = "binding" | "constant";

/** Prints the code of a kernel once, and learns what it needs. */
export class Printer {
  private readonly used = { binding: new Set<string>(), constant: new Set<string>() };
  private readonly declared = new Map<Declaration, string>();
  /** Words of the frame that the text reads. */
  readonly frameWords = new Set<FrameWord>();
  private totals = 0;
  private planes = false;
  private subgroups = false;
  private readonly called = new Set<Rounding>();

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

  /** What a declaration needs is declared before it. */
  declare(declaration: Declaration): void {
    if (this.declared.has(declaration)) return;
    const text = declaration.code.print(this);
    this.declared.set(declaration, text);
  }

  /** Texts of what is declared, in the order of first use. */
  declarations(kind: Declaration["kind"]): readonly string[] {
    const texts = [...this.declared].flatMap(([declaration, text]) =>
      declaration.kind === kind ? [text] : [],
    );
    return [...new Set(texts)];
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

  round(rounding: Rounding): void {
    this.called.add(rounding);
  }

  /** The function that rounds to 16 bits, of which one calls the other. */
  get rounding(): Rounding | undefined {
    return this.called.has("rounded") ? "rounded" : [...this.called][0];
  }

  useSubgroups(): void {
    this.subgroups = true;
  }

  get usesSubgroups(): boolean {
    return this.subgroups;
  }
}
