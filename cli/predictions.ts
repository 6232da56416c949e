/** Predictions as csv files, a row for each example. */
import { dirname } from "node:path";
import { visible } from "../program/visible.js";
import type { Dataset } from "../runtime/data/dataset.js";
import { AtomicFile } from "../runtime/node/write-file.js";
import { makeFolder } from "./files.js";

/** What a row holds before the probabilities. */
type Leading = readonly (string | undefined)[];

/** Characters that are kept in memory before they are written. */
const BUFFERED = 1 << 20;

/**
 * A file that gets its name once all rows are written: `eval --csv` and `predict --csv`. Rows are
 * buffered, so that any number of examples fits.
 */
export class PredictionsFile {
  private rows: string[] = [];
  private buffered = 0;

  private constructor(private readonly file: AtomicFile) {}

  /**
   * `leading` names the columns before a column of probabilities for each class. Makes the file's
   * folder. Throws a RunFailedError where the file cannot be written.
   */
  static async create(
    path: string,
    leading: readonly string[],
    classes: readonly string[],
  ): Promise<PredictionsFile> {
    await makeFolder(dirname(path));
    const created = new PredictionsFile(await AtomicFile.create(path));
    created.push(csvLine([...leading, ...classes.map((name) => `probability_${name}`)]));
    return created;
  }

  /** Without probabilities, the cells of the classes stay empty. */
  add(leading: Leading, probabilities: Float32Array | undefined, classes: number): void {
    const values = probabilities ? Array.from(probabilities, formatProbability) : [];
    const cells = Array.from({ length: classes }, (_, label) => values[label]);
    this.push(csvLine([...leading, ...cells]));
  }

  /** Writes what is buffered, if it is much. */
  async flush(): Promise<void> {
    if (this.buffered >= BUFFERED) await this.write();
  }

  async commit(): Promise<void> {
    await this.write();
    await this.file.commit();
  }

  /** Leaves nothing behind; does nothing after a commit. */
  discard(): Promise<void> {
    return this.file.discard();
  }

  private push(line: string): void {
    this.rows.push(line);
    this.buffered += line.length;
  }

  private async write(): Promise<void> {
    const text = this.rows.join("");
    this.rows = [];
    this.buffered = 0;
    await this.file.write(text);
  }
}

/** Where an example comes from: its file, or its place in one. */
export const nameOfExample = (dataset: Pick<Dataset, "nameAt">, example: number): string =>
  dataset.nameAt?.(example) ?? `example ${example}`;

/** Six significant digits: f32 has no more that are sure. */
export const formatProbability = (value: number): string => String(Number(value.toPrecision(6)));

/**
 * A line of a csv file (RFC 4180). Control characters, line breaks among them, are shown as
 * `\u000a`, so that a row is a line.
 */
export function csvLine(cells: Leading): string {
  return `${cells.map((cell = "") => csvCell(visible(cell))).join(",")}\n`;
}

/** Quoted where a comma, a semicolon or spaces at an end would be read in another way. */
function csvCell(text: string): string {
  return /[",;\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
