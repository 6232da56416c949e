/** The numbers of a table's rows, in the order of a network's inputs and targets. */
import type { CsvSource } from "../../../program/recipe.js";
import type { Dataset, Example, TensorParts } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import type { PlacedField } from "./csv-columns.js";
import type { CsvTable, ReadField } from "./csv-table.js";
import { numberLabels, numberListed, type LabelRules, type NumberedLabels } from "./labels.js";

/** Undefined where there is one input and one target at most, which need no names. */
export function partsOf(fields: readonly PlacedField[]): TensorParts | undefined {
  const ofRole = (wanted: PlacedField["role"]) =>
    fields
      .filter(({ role }) => role === wanted)
      .map(({ name, at, holds }) => {
        return { name, size: at.length, isWhole: holds === "class" || holds === "integers" };
      });
  const parts = { inputs: ofRole("input"), targets: ofRole("target") };
  return Math.max(parts.inputs.length, parts.targets.length) > 1 ? parts : undefined;
}

export interface JoinedParts {
  /** Row-major. */
  readonly values: Float32Array;
  readonly columns: number;
}

/** The values of several fields, row by row; pixels are divided by their maximum. */
export function joinedParts(
  fields: readonly Pick<ReadField, "values" | "at" | "holds">[],
  rows: number,
  maximum: number,
): JoinedParts {
  const [first] = fields;
  const columns = fields.reduce((sum, { at }) => sum + at.length, 0);
  if (first && fields.length === 1) return { values: first.values, columns };
  const values = new Float32Array(rows * columns);
  let start = 0;
  for (const { values: own, at, holds } of fields) {
    const divisor = holds === "pixels" ? maximum : 1;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < at.length; column++) {
        values[row * columns + start + column] = own[row * at.length + column]! / divisor;
      }
    }
    start += at.length;
  }
  return { values, columns };
}

export interface TableTargets {
  /** Those of the one target, if it is a class. */
  readonly classes: readonly string[];
  /** Those of each target that is a class. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  readonly labelAt?: Dataset["labelAt"];
  readonly of: (row: number) => Pick<Example, "label" | "numbers">;
}

/** Class numbers, by the source's list of classes where it has one, or numbers to predict. */
export function targetsOf(table: CsvTable, source: CsvSource, rules: LabelRules): TableTargets {
  const targets = table.fields.filter(({ role }) => role === "target");
  const numbered = new Map<string, NumberedLabels>();
  for (const target of targets) {
    if (target.holds !== "class") continue;
    const isOne = targets.length === 1;
    numbered.set(target.name, numberClasses(table, target, source, { ...rules, isOne }));
  }
  const names = Object.fromEntries([...numbered].map(([name, { classes }]) => [name, classes]));
  const [only, ...others] = targets;
  const labels = only && others.length === 0 ? numbered.get(only.name) : undefined;
  if (labels) {
    const labelAt = (row: number) => labels.numbers[row]!;
    return { classes: labels.classes, names, labelAt, of: (row) => ({ label: labelAt(row) }) };
  }
  if (!only) return { classes: [], names, of: () => ({ label: 0 }) };
  if (only.holds === "integers" && others.length === 0) return ofTokens(only);
  const ready = targets.map((target) => {
    const { numbers } = numbered.get(target.name) ?? {};
    return numbers ? { ...target, values: Float32Array.from(numbers) } : target;
  });
  const { values, columns } = joinedParts(ready, table.lines.length, 1);
  const numbersOf = (row: number) => values.subarray(row * columns, (row + 1) * columns);
  return { classes: [], names, of: (row) => ({ label: 0, numbers: numbersOf(row) }) };
}

/** A class for each token. Classes without names are called by their numbers. */
function ofTokens({ values, at, says, count = 0 }: ReadField): TableTargets {
  const labels = Uint32Array.from(values);
  const numbersOf = (row: number) => labels.subarray(row * at.length, (row + 1) * at.length);
  const classes = says ?? Array.from({ length: count }, (_, label) => String(label));
  return { classes, names: {}, of: (row) => ({ label: 0, numbers: numbersOf(row) }) };
}

function numberClasses(
  { lines }: CsvTable,
  { name, texts, count }: ReadField,
  { path, classes: listed }: CsvSource,
  { isOne, classes: trained, table, ...rules }: LabelRules & { readonly isOne: boolean },
): NumberedLabels {
  const placeOf = (row: number) => `${path}:${lines[row]}`;
  const found = { name: path, texts, placeOf };
  const known = {
    ...rules,
    classes: isOne ? (trained ?? table?.classes?.[name]) : table?.classes?.[name],
    classCount: count ?? rules.classCount,
  };
  const numbered =
    listed && isOne ? numberListed(found, listed, known) : numberLabels(found, known);
  if (isOne || count === undefined || numbered.classes.length <= count) return numbered;
  throw new DataError(
    `${path} has ${numbered.classes.length} classes of \`${name}\`, ` +
      `but the network tells ${count} apart`,
    `declare as many: target ${name}: u32[N] in 0..${numbered.classes.length}`,
  );
}
