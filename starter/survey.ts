/** What is found in somebody's data, as plain data: what a first spec is chosen by. */
import type { OneColumn } from "../program/recipe.js";
import type { HeightAndWidth } from "../program/transforms.js";
import type { IgnoredColumn } from "./table-columns.js";

export interface ClassCount {
  readonly name: string;
  /** Examples to train on, those of a holdout included. */
  readonly train: number;
  /** Examples of the split for evaluation; undefined where there is none. */
  readonly evaluation?: number;
}

/** The least value, the one in the middle, and the largest. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

export interface UnreadableFile {
  readonly file: string;
  readonly reason: string;
}

/** Two files with the same bytes. */
export interface Duplicate {
  readonly file: string;
  readonly of: string;
  /** What the pair divides, the worst first: a test on training data, a wrong label, a copy. */
  readonly across: "splits" | "classes" | "one class";
}

/** Mean and standard deviation of each channel, or of each column. */
export interface Statistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

interface Found {
  /** The folder or file of the examples to train on. */
  readonly train: string;
  /** That of the evaluation, where the data has one. */
  readonly evaluation?: string;
  readonly classes: readonly ClassCount[];
  /** What the user should know although nothing is wrong. */
  readonly notices: readonly string[];
}

export interface PictureSurvey extends Found {
  readonly kind: "pictures";
  /** Where a table names the pictures and their classes. */
  readonly table?: ListedTable;
  /** Pixels, after the camera's orientation is applied. */
  readonly shorterSide: Spread;
  readonly longerSide: Spread;
  /** Longer over shorter side. */
  readonly aspect: Spread;
  /** That of all pictures, where they have one. */
  readonly oneSize: { readonly width: number; readonly height: number } | undefined;
  /** Whether no picture that was decoded has any color. */
  readonly isGray: boolean;
  /** How many of those that were decoded have no color. */
  readonly gray: number;
  /** Pictures that the camera's orientation turns. */
  readonly rotated: number;
  readonly unreadable: readonly UnreadableFile[];
  readonly duplicates: readonly Duplicate[];
  /** Of the network's input, in pixels. */
  readonly input: HeightAndWidth;
  /** Of the pictures at that size, in 0..1. */
  readonly statistics: Statistics;
  /** How many pictures were decoded for the statistics. */
  readonly decoded: number;
}

/** What the columns of a table are. */
interface Columns {
  readonly label: OneColumn;
  /** The name of its column, or its number from 1. */
  readonly labelName: string;
  readonly ignored: readonly IgnoredColumn[];
  /** The column whose rows stay in one split. */
  readonly by?: string | undefined;
  /** The labels in the order of their classes, where they are not 0, 1, 2 and so on. */
  readonly listed?: readonly string[] | undefined;
}

export interface ListedTable extends Columns {
  /** The column that names the files. */
  readonly files: string;
}

export interface TableSurvey extends Found, Columns {
  readonly kind: "table";
  readonly columns: number;
  /** The side of the square gray image that a row seems to hold; undefined for features. */
  readonly side?: number;
  /** The largest of these pixels, which becomes 1: 16 for scikit-learn's digits, mostly 255. */
  readonly maximum?: number;
  /** Of each column, or of all pixels in 0..1. */
  readonly statistics: Statistics;
}

export type Survey = PictureSurvey | TableSurvey;

export const trainCount = ({ classes }: Found): number =>
  classes.reduce((sum, { train }) => sum + train, 0);

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { least: sorted[0]!, median: sorted[sorted.length >> 1]!, most: sorted.at(-1)! };
}
