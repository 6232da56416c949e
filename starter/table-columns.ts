/** What each column of a table seems to be: the label, a group, a feature, or none of these. */
import type { OneColumn } from "../program/recipe.js";
import { DataError } from "../runtime/data/error.js";
import { isNumber, toNumber, type Line } from "../runtime/node/data/csv-lines.js";

/** A column that is not read, and why. */
export interface IgnoredColumn {
  readonly name: string;
  readonly why: string;
}

export interface ChosenColumns {
  readonly label: OneColumn;
  /** For messages. */
  readonly labelName: string;
  readonly ignored: readonly IgnoredColumn[];
  /** The column whose rows stay in one split. */
  readonly by?: string;
}

interface Profile {
  readonly name: string;
  readonly position: number;
  readonly rows: number;
  readonly different: number;
  readonly areNumbers: boolean;
  readonly areWhole: boolean;
  /** Each row has the next whole number. */
  readonly counts: boolean;
}

interface Table {
  readonly path: string;
  readonly names: readonly string[];
  readonly rows: readonly Line[];
  /** The label's column, where the user names it. */
  readonly label?: string | undefined;
}

/** Chooses by names and values. Throws a DataError where no column seems to hold classes. */
export function chooseColumns({ path, names, rows, label }: Table): ChosenColumns {
  const profiles = names.map((name, position) => profileOf(name, position, rows));
  const labeled = label === undefined ? findLabel(profiles, path) : named(profiles, label, path);
  const others = profiles.filter((each) => each !== labeled);
  const by = others.find(isGroup);
  return {
    label: columnFor(labeled, names.length),
    labelName: labeled.name,
    ignored: others.flatMap((each) => {
      const why = each === by ? undefined : whyIgnored(each);
      return why === undefined ? [] : [{ name: each.name, why }];
    }),
    by: by?.name,
  };
}

/**
 * The same of a table with a column that names files. Throws a DataError where several columns may
 * hold the classes.
 */
export function chooseListed({ path, names, rows, label }: Table, files: string): ChosenColumns {
  const profiles = names
    .map((name, position) => profileOf(name, position, rows))
    .filter(({ name }) => name !== files);
  const labeled =
    label === undefined ? findListedLabel(profiles, path) : named(profiles, label, path);
  const others = profiles.filter((each) => each !== labeled);
  const by = others.find(isGroup);
  return {
    label: { column: labeled.name },
    labelName: labeled.name,
    ignored: others
      .filter((each) => each !== by)
      .map(({ name }) => ({ name, why: "neither file nor label" })),
    by: by?.name,
  };
}

/** By its name, the one column of names, or the one that may hold classes. */
function findListedLabel(profiles: readonly Profile[], path: string): Profile {
  const byName = profiles.filter(({ name }) => LABEL_NAME.test(name));
  if (byName.length === 1) return requireClasses(byName[0]!, path);
  const possible = profiles.filter(
    (each) => areClasses(each) && !isGroup(each) && !isIdentifier(each),
  );
  const texts = possible.filter(({ areNumbers }) => !areNumbers);
  const [found, ...others] = texts.length > 0 ? texts : possible;
  if (found && others.length === 0) return found;
  const list = possible.map(({ name }) => name).join(", ");
  throw new DataError(
    found
      ? `${path}: each of the columns ${list} may hold the classes of the images`
      : `${path}: no column holds classes of the images that another one names`,
    "--label NAME says which column holds them. For tags and numbers, write the spec by hand: " +
      "docs/guides/regression-and-multi-label.md has one",
  );
}

function profileOf(name: string, position: number, rows: readonly Line[]): Profile {
  const cells = rows.map(({ cells }) => cells[position] ?? "").filter((cell) => cell !== "");
  const numbers = cells.map(toNumber);
  const areNumbers = cells.every(isNumber);
  const areWhole = areNumbers && numbers.every(Number.isInteger);
  return {
    name,
    position,
    rows: cells.length,
    different: new Set(cells).size,
    areNumbers,
    areWhole,
    counts:
      areWhole &&
      cells.length >= FEWEST_TO_COUNT &&
      numbers.every((value, at) => at === 0 || value === numbers[at - 1]! + 1),
  };
}

/** Fewer rows that count up may be chance. */
const FEWEST_TO_COUNT = 5;

const columnFor = ({ name, position }: Profile, columns: number): OneColumn =>
  position === columns - 1 ? "last" : position === 0 ? "first" : { column: name };

// The label

const LABEL_NAME = /^(labels?|class(es)?|target|category|species|diagnosis|outcome|y)$/i;

function findLabel(profiles: readonly Profile[], path: string): Profile {
  const [first, last] = [profiles[0]!, profiles.at(-1)!];
  const byName = profiles.filter(({ name }) => LABEL_NAME.test(name));
  if (byName.length === 1) return requireClasses(byName[0]!, path);
  if (areClasses(last) && !isGroup(last)) return last;
  if (areClasses(first) && !isIdentifier(first) && !isGroup(first)) return first;
  throw noClasses(last, path);
}

function named(profiles: readonly Profile[], label: string, path: string): Profile {
  const found = profiles.find(({ name }) => name === label);
  if (found) return requireClasses(found, path);
  const names = profiles.map(({ name }) => name);
  throw new DataError(`${path} has no column ${label}`, `its columns are ${names.join(", ")}`);
}

/** More different numbers than these count as amounts, unless the column is named a label. */
const MOST_UNNAMED = 20;

/** Few different labels: names, or whole numbers. */
function areClasses({ different, rows, areNumbers, areWhole }: Profile): boolean {
  if (different > Math.max(2, rows / 2)) return false;
  return !areNumbers || (areWhole && different <= MOST_UNNAMED);
}

function requireClasses(profile: Profile, path: string): Profile {
  const { different, rows, areNumbers, areWhole } = profile;
  const isFew = different <= Math.max(2, rows / 2);
  if (isFew && (!areNumbers || areWhole)) return profile;
  throw noClasses(profile, path);
}

function noClasses({ name, different, areNumbers, areWhole }: Profile, path: string): DataError {
  const kind = areWhole ? "whole numbers" : areNumbers ? "numbers" : "texts";
  return new DataError(
    `${path}: the column ${name} holds ${different} different ${kind}: ` +
      (areNumbers ? "amounts rather than classes" : "more than classes would be"),
    "--label NAME says which column holds the classes. To predict numbers (regression), write " +
      "the spec by hand: docs/guides/tables.md has one",
  );
}

// Other columns

const ENDS = "id|uuid|guid|index|idx|row|rowid|nr|no|number|key|file|filename|name|date|timestamp";
const IDENTIFIER = new RegExp(`(^|[_ .-])(${ENDS})$`, "i");
const CAMEL_IDENTIFIER = /[a-z](Id|ID|Name|Number|Index)$/;

const WHO = "patient|subject|person|participant|user|customer|animal|plant|specimen";
const WHERE = "group|session|site|scene|recording";
const GROUP = new RegExp(`^(${WHO}|${WHERE})([_ .-]?(id|no|nr|number|name))?$`, "i");

const hasIdentifierName = ({ name }: Profile) =>
  IDENTIFIER.test(name) || CAMEL_IDENTIFIER.test(name);

/** What tells rows apart, and nothing else. */
function isIdentifier(profile: Profile): boolean {
  const { different, rows, counts } = profile;
  return counts || (different === rows && hasIdentifierName(profile));
}

/** Fewer groups than these leave none to hold out. */
const FEWEST_GROUPS = 5;

/** Several rows of each patient, or of whatever has a number in the table. */
function isGroup(profile: Profile): boolean {
  const { name, different, rows } = profile;
  const isRepeated = different >= FEWEST_GROUPS && different <= rows * MOST_SINGLE;
  return isRepeated && (GROUP.test(name) || hasIdentifierName(profile));
}

/** Where most groups have one row, the column means something else. */
const MOST_SINGLE = 0.8;

function whyIgnored(profile: Profile): string | undefined {
  if (profile.counts) return "counts the rows";
  if (isIdentifier(profile) || (hasIdentifierName(profile) && profile.areWhole))
    return "identifies rows";
  return profile.areNumbers ? undefined : "holds text; numbers in its place would be read";
}
