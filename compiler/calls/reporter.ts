import type { Span } from "../../grammar/ast.js";
import type { DiagnosticCode } from "../diagnostics/catalogue/index.js";
import { createDiagnostic, type DiagnosticDetails } from "../diagnostics/create.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
/** A place where a block is used and replaced by its body. */
export interface BlockUse {
  /** The block's name. */
  readonly block: string;
  /** The use's full name: `layer1.basic2`. */
  readonly name: string;
  /** The call. */
  readonly span: Span;
}

interface Found {
  readonly diagnostic: Diagnostic;
  /** The uses of blocks in which it was found, by name. */
  readonly uses: Map<string, BlockUse>;
}

/** What all views of one reporter share. */
interface Findings {
  readonly found: Map<string, Found>;
  errors: number;
  /** How many were not kept, since there were too many before. */
  leftOut: number;
}

const MOST_RELATED = 3;

/**
 * A spec with more mistakes than these is not read on; what else is wrong shows once they are
 * mended.
 */
const MOST_REPORTED = 200;

/**
 * Collects diagnostics. What is analyzed twice (a model for two recipes, a block in its uses) is
 * reported once, for its first use, with a count of the others.
 */
export class Reporter {
  private constructor(
    private readonly findings: Findings,
    private readonly uses: readonly BlockUse[],
    private readonly only?: ReadonlySet<DiagnosticCode>,
  ) {}

  static empty(): Reporter {
    return new Reporter({ found: new Map(), errors: 0, leftOut: 0 }, []);
  }

  /** The same reporter for the body of a block in one of its uses. */
  within(use: BlockUse): Reporter {
    return new Reporter(this.findings, [...this.uses, use], this.only);
  }

  /** The same reporter for a text in which nothing else counts. */
  limitedTo(codes: ReadonlySet<DiagnosticCode>): Reporter {
    return new Reporter(this.findings, this.uses, codes);
  }

  /**
   * Errors so far, repeated ones included: whoever sees it grow knows that something went wrong in
   * between.
   */
  get errorCount(): number {
    return this.findings.errors;
  }

  report(code: DiagnosticCode, details: DiagnosticDetails): undefined {
    if (this.only?.has(code) === false) return undefined;
    const { file, start, end } = details.span;
    const key = `${code} ${file} ${start.offset} ${end.offset}`;
    const diagnostic = createDiagnostic(code, this.withUse(details));
    if (diagnostic.severity === "error") this.findings.errors++;
    const known = this.findings.found.get(key);
    // The first error is always kept: without it, the spec would seem to be right.
    const isKept = diagnostic.severity === "error" && this.findings.errors === 1;
    if (!known && !isKept && this.findings.found.size >= MOST_REPORTED) return this.leaveOut();
    const found = known ?? { diagnostic, uses: new Map<string, BlockUse>() };
    this.findings.found.set(key, found);
    const use = this.uses.at(-1);
    if (use) found.uses.set(use.name, use);
    return undefined;
  }

  private leaveOut(): undefined {
    this.findings.leftOut++;
  }

  /** Says in which use of its block something is wrong. */
  private withUse(details: DiagnosticDetails): DiagnosticDetails {
    const use = this.uses.at(-1);
    if (!use) return details;
    // A function has no other name than the first use of it.
    const named = use.name === use.block ? "" : `, \`${shortened(use.name)}\``;
    const label = { span: use.span, message: `in this use of \`${use.block}\`${named}` };
    const related = (details.related ?? []).slice(0, MOST_RELATED - 1);
    return { ...details, related: [...related, label] };
  }

  /** All diagnostics so far, in the order of the text. */
  get diagnostics(): readonly Diagnostic[] {
    const found = [...this.findings.found.values()]
      .map(withOtherUses)
      .sort((a, b) => a.primary.span.start.offset - b.primary.span.start.offset);
    return this.findings.leftOut === 0 ? found : withRemark(found);
  }
}

/** Longer names are shown by their ends. */
const LONGEST_NAME = 20;

const shortened = (name: string): string =>
  name.length > LONGEST_NAME ? `...${name.slice(-LONGEST_NAME)}` : name;

/** Says at the last diagnostic that there are more. */
function withRemark(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const last = found.at(-1)!;
  const notes = [...last.notes, `there are more mistakes: these are ${MOST_REPORTED} of them`];
  return [...found.slice(0, -1), { ...last, notes }];
}

function withOtherUses({ diagnostic, uses }: Found): Diagnostic {
  const [first, ...others] = uses.values();
  if (!first || others.length === 0) return diagnostic;
  const where =
    others.length === 1 ? `in \`${others[0]!.name}\`` : `in ${others.length} other uses`;
  return { ...diagnostic, notes: [...diagnostic.notes, `the same is wrong ${where}`] };
}
