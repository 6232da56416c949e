/** Numbers that a dispatch gives its kernel. */
import { Code, code, helper, text } from "./code.js";

/**
 * A table of this many f32, in as many vec4 as are needed: that is how uniform memory holds arrays.
 */
export interface Table {
  readonly table: number;
}

/** A whole number, a float, where an activation lies, or a table. */
export type ConstantKind = "u32" | "f32" | "place" | Table;

/** By name, in the order in which they lie; tables first. */
export type Constants = Readonly<Record<string, ConstantKind | undefined>>;

/**
 * Where an activation's elements lie: element (image, y, x, channel) is at
 * base + image * image pitch + y * row pitch + x * column pitch + channel. All in vec4 and channel
 * quads, or all in floats and channels.
 */
export interface Place {
  readonly image: number;
  readonly row: number;
  readonly column: number;
  readonly base: number;
}

const PITCHES = ["image", "row", "column", "base"] as const;

/** What a dispatch gives for a constant. */
export type ValueOf<Kind> = Kind extends "place"
  ? Place
  : Kind extends Table
    ? readonly number[]
    : number;

/** A place as code sees it: its pitches, and where a pixel begins. */
export type PlaceCode = Readonly<Record<keyof Place, Code>> & {
  readonly at: (image: Code, y: Code, x: Code) => Code;
};

type CodeOf<Kind> = Kind extends undefined
  ? undefined
  : Kind extends "place"
    ? PlaceCode
    : Kind extends Table
      ? (index: Code) => Code
      : Code;

export type ConstantCode<All extends Constants> = {
  readonly [Name in keyof All]: CodeOf<All[Name]>;
};

/** The constants as code sees them. */
export function constantCode<All extends Constants>(constants: All): ConstantCode<All> {
  const entries = namedConstants(constants).map(([name, kind]) => [name, codeOf(name, kind)]);
  return Object.fromEntries(entries) as ConstantCode<All>;
}

export const namedConstants = (
  constants: Constants,
): readonly (readonly [string, ConstantKind])[] =>
  Object.entries(constants).flatMap(([name, kind]) =>
    kind === undefined ? [] : [[name, kind] as const],
  );

function codeOf(name: string, kind: ConstantKind): Code | PlaceCode | ((index: Code) => Code) {
  if (typeof kind === "object") return tableCode(name);
  if (kind === "place") return placeCode(name);
  return fieldOf(name, name);
}

/** A field of the `Constants` struct that belongs to the constant `name`. */
const fieldOf = (name: string, field: string) =>
  new Code((printer) => {
    printer.use("constant", name);
    return `constants.${field}`;
  });

function placeCode(name: string): PlaceCode {
  const [image, row, column, base] = PITCHES.map((pitch) => fieldOf(name, `${name}_${pitch}`)) as [
    Code,
    Code,
    Code,
    Code,
  ];
  return {
    image,
    row,
    column,
    base,
    at: (atImage, y, x) => code`${base} + ${atImage} * ${image} + ${y} * ${row} + ${x} * ${column}`,
  };
}

const tableCode = (name: string) => {
  const table = fieldOf(name, name);
  const reader = helper(
    `table_${name}`,
    code`
      fn table_${text(name)}(index: u32) -> f32 {
        return ${table}[index / 4u][index % 4u];
      }`,
  );
  return (index: Code) => code`${reader}(${index})`;
};

/** A constant's fields in the `Constants` struct, as they are declared. */
export function declaredFields(name: string, kind: ConstantKind): readonly string[] {
  if (typeof kind === "object") return [`${name}: array<vec4f, ${Math.ceil(kind.table / 4)}>,`];
  const type = kind === "f32" ? "f32" : "u32";
  return fieldsOf(name, kind).map((field) => `${field}: ${type},`);
}

/** The 32-bit words of a constant. */
export function fieldsOf(name: string, kind: ConstantKind): readonly string[] {
  if (kind === "place") return PITCHES.map((pitch) => `${name}_${pitch}`);
  if (typeof kind !== "object") return [name];
  return Array.from({ length: 4 * Math.ceil(kind.table / 4) }, (_, index) => `${name}${index}`);
}

/** The words that a value is, as unsigned integers. */
export function wordsOf(kind: ConstantKind, value: ValueOf<ConstantKind>): readonly number[] {
  if (typeof value === "number") return [kind === "f32" ? floatBits(value) : value];
  if (!("image" in value)) return paddedToVec4(value.map(floatBits));
  return PITCHES.map((pitch) => value[pitch]);
}

const paddedToVec4 = (words: readonly number[]) => [
  ...words,
  ...Array.from({ length: (4 - (words.length % 4)) % 4 }, () => 0),
];

const FLOAT = new DataView(new ArrayBuffer(4));

/** The bits of an f32. */
function floatBits(value: number): number {
  FLOAT.setFloat32(0, value);
  return FLOAT.getUint32(0);
}
