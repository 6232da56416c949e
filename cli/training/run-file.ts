/** run.json: what a run was made of, for `netc compare`. */
import type { Facts, ReportData, RunStatus } from "../../report/data.js";
import { version } from "../package.js";

export const RUN_FILE = "run.json";
/** Where samples of earlier epochs wait for a run that is resumed. */
export const STRIPS_FILE = "samples.json";
/** What the best weights take each example of the eval split for. */
export const PREDICTIONS = "predictions.csv";

/** The form of the file: a reader refuses later ones. */
export const RUN_FORMAT = 1;

export interface RunDescription {
  readonly format: number;
  readonly netc: string;
  readonly title: string;
  readonly status: RunStatus;
  /** As `netc train` read it. */
  readonly spec: { readonly path: string; readonly text: string };
  /** The recipe with what the flags changed. */
  readonly recipe: Facts;
  readonly facts: Facts;
  /** Metrics that are shares of something. */
  readonly fractions: readonly string[];
  readonly best?: ReportData["best"];
  readonly hints?: ReportData["hints"];
  /** Examples that predictions.csv lists, of those of the eval split. */
  readonly predictions?: { readonly examples: number; readonly of: number };
}

/** The text of run.json. */
export function describeRun(
  data: Omit<ReportData, "records">,
  { path, text }: RunDescription["spec"],
): string {
  const { title, status, recipe, facts, fractions, best, hints, examination } = data;
  const description: RunDescription = {
    format: RUN_FORMAT,
    netc: version(),
    title,
    status,
    spec: { path, text },
    recipe,
    facts,
    fractions,
    best,
    hints,
    predictions: examination && { examples: examination.examples, of: examination.of },
  };
  return `${JSON.stringify(description, undefined, 2)}\n`;
}
