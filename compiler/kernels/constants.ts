/** Numbers that a dispatch gives its kernel. */
import type { Place } from "../ir/place.js";
import { Code, code, helper, text } from "./code.js";

/**
 * A table of this many f32, in as many vec4 as are needed: that is how uniform memory holds arrays.
 */
export interface Table {
  readonly table: number;
}

/** A whole number, a float, where an activation lies, or a table. */
export type ConstantKind = "u32" | "f32" | "place" | Table;

/** By name. They lie in this order, but tables and places come first, as uniform memory wants. */
export type Constants = Readonly<Record<string, ConstantKind | undefined>>;

/** The fields of `struct Place`. */
const PITCHES = {
  image: "image_pitch",
  row: "row_pitch",
  column: "column_pitch",
  base: "base",
} as const satisfies Record<keyof Place, string>;

export const PLACE_STRUCT = code`
  struct Place {
    ${Object.values(PITCHES).map((field) => text(`${field}: u32,`))}
  }`;

const PLACE_OF = helper(
  "place_of",
  code`
    fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
      return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
    }`,
);

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

/** In the order in which they lie. */
export function namedConstants(constants: Constants): readonly (readonly [string, ConstantKind])[] {
  const named = Object.entries(constants).flatMap(([name, kind]) =>
    kind === undefined ? [] : [[name, kind] as const],
  );
  const inVectors = named.filter(([, kind]) => kind === "place" || typeof kind === "object");
  return [...inVectors, ...named.filter((each) => !inVectors.includes(each))];
}

function codeOf(name: string, kind: ConstantKind): Code | PlaceCode | ((index: Code) => Code) {
  if (typeof kind === "object") return tableCode(name);
  const field = fieldOf(name);
  return kind === "place" ? placeCode(field) : field;
}

/** The constant in the `Constants` struct. */
const fieldOf = (name: string) =>
  new Code((printer) => {
    printer.use("constant", name);
    return `constants.${name}`;
  });

function placeCode(place: Code): PlaceCode {
  const fields = Object.entries(PITCHES).map(([pitch, field]) => {
    return [pitch, code`${place}.${text(field)}`] as const;
  });
  return {
    ...(Object.fromEntries(fields) as Record<keyof Place, Code>),
    at: (image, y, x) => code`${PLACE_OF}(${place}, ${image}, ${y}, ${x})`,
  };
}

const tableCode = (name: string) => {
  const table = fieldOf(name);
  const reader = helper(
    `table_${name}`,
    code`
      fn table_${text(name)}(index: u32) -> f32 {
        return ${table}[index / 4u][index % 4u];
      }`,
  );
  return (index: Code) => code`${reader}(${index})`;
};

/** The type of a constant in the `Constants` struct. */
export function typeOf(kind: ConstantKind): string {
  if (typeof kind === "object") return `array<vec4f, ${Math.ceil(kind.table / 4)}>`;
  return kind === "place" ? "Place" : kind;
}

/** The 32-bit words of a constant. */
export function fieldsOf(name: string, kind: ConstantKind): readonly string[] {
  if (kind === "place") return Object.values(PITCHES).map((pitch) => `${name}.${pitch}`);
  if (typeof kind !== "object") return [name];
  return Array.from({ length: 4 * Math.ceil(kind.table / 4) }, (_, index) => `${name}${index}`);
}

/** The words that a value is, as unsigned integers. */
export function wordsOf(kind: ConstantKind, value: ValueOf<ConstantKind>): readonly number[] {
  if (typeof value === "number") return [kind === "f32" ? floatBits(value) : value];
  if (!("image" in value)) return paddedToVec4(value.map(floatBits));
  return [value.image, value.row, value.column, value.base];
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
