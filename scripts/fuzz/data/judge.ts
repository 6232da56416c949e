/** Reads one mutated file, and says what must not have happened. */
import { NetcError } from "../../../runtime/errors.js";
import { createRandom } from "../random.js";
import { mutateFile, type MutatedFile } from "./bytes.js";
import { formats, type DataFormat, type FormatName, type Reading } from "./formats.js";

export interface Case {
  readonly format: FormatName;
  readonly seed: number;
  readonly index: number;
}

export interface Verdict {
  readonly outcome: "read" | "refused" | "not changed";
  readonly findings: readonly string[];
  readonly milliseconds: number;
  readonly bytes: Uint8Array;
}

/** Longer than any file of a few kilobytes may take. */
const LONGEST = 5000;

/** What programs say of themselves rather than of a file. */
const RAW = new RegExp(
  [
    ...["undefined", "is not a function", "not iterable", "Cannot ", "Invalid (array|typed)"],
    ...["out of bounds", "\\[object", "^\\s*$", "Unknown error", "Offset is"],
  ].join("|"),
);

const MOST_CHARACTERS = 700;

export class Judge {
  private readonly samples: Promise<readonly Uint8Array[]>;
  private readonly wholes = new Map<Uint8Array, Promise<Reading>>();
  private readonly format: DataFormat;

  constructor(
    name: FormatName,
    private readonly folder: string,
  ) {
    this.format = formats[name];
    this.samples = this.format.samples();
  }

  async judge({
    seed,
    index,
  }: {
    readonly seed: number;
    readonly index: number;
  }): Promise<Verdict> {
    const random = createRandom(seed * 0x9e3779b1 + index);
    const mutated = mutateFile(await this.samples, random);
    const isRepaired = this.format.repair !== undefined && random(2) === 0;
    const bytes = isRepaired ? this.format.repair!(mutated.bytes) : mutated.bytes;
    if (Buffer.compare(bytes, mutated.original) === 0) {
      return { outcome: "not changed", findings: [], milliseconds: 0, bytes };
    }
    const findings: string[] = [];
    const onRejection = (reason: unknown) => findings.push(`unhandled: ${String(reason)}`);
    process.on("unhandledRejection", onRejection);
    const start = performance.now();
    const outcome = await this.read(bytes, mutated, findings);
    const milliseconds = performance.now() - start;
    // Unhandled rejections are known one turn of the loop later.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", onRejection);
    if (milliseconds > LONGEST) findings.push(`slow: ${milliseconds.toFixed(0)} ms`);
    return { outcome, findings, milliseconds, bytes };
  }

  private async read(
    bytes: Uint8Array,
    { kinds, original }: MutatedFile,
    findings: string[],
  ): Promise<"read" | "refused"> {
    const onSkip = (reason: string) => findings.push(...findingsInReason(reason));
    try {
      const reading = await this.format.read(bytes, { folder: this.folder, onSkip });
      const isCut = kinds.every((kind) => kind === "cut");
      if (isCut && this.format.saysLength && !(await this.isWhole(original, reading))) {
        findings.push(`truncated at byte ${bytes.length} of ${original.length}, and read`);
      }
      return "read";
    } catch (error) {
      findings.push(...this.findingsIn(error));
      return "refused";
    }
  }

  private async isWhole(original: Uint8Array, reading: Reading): Promise<boolean> {
    const place = { folder: this.folder, onSkip: () => {} };
    if (!this.wholes.has(original)) this.wholes.set(original, this.format.read(original, place));
    return String(await this.wholes.get(original)!) === String(reading);
  }

  private findingsIn(error: unknown): string[] {
    if (!(error instanceof NetcError)) {
      const { stack = String(error) } = error as Error;
      return [`raw error: ${stack.split("\n").slice(0, 4).join("\n")}`];
    }
    const isNamed = !this.format.namesFile || error.message.includes(this.folder);
    return [
      ...(isNamed ? [] : [`does not name its file: ${error.message}`]),
      ...findingsInReason(error.message.replaceAll(this.folder, "")),
    ];
  }
}

function findingsInReason(reason: string): string[] {
  if (RAW.test(reason)) return [`a reason that tells users nothing: ${reason}`];
  const isLong = reason.length > MOST_CHARACTERS;
  return isLong ? [`a reason of ${reason.length} characters: ${reason.slice(0, 200)}`] : [];
}
