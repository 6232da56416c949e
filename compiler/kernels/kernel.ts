import { frameStruct } from "../../program/frame.js";
import { plainDeclarations } from "./bridge.js";
import type { Declared } from "./code.js";
import { wgsl } from "./wgsl.js";

export interface StorageBinding {
  readonly name: string;
  readonly access: "read" | "read_write";
  readonly element: "f32" | "u32" | "vec4f" | "vec4u" | "f16" | "vec4h";
}

/** A compute shader with the names of what it takes, ready to be put into a Program. */
export interface Kernel {
  readonly name: string;
  readonly wgsl: string;
  readonly storage: readonly StorageBinding[];
  /** Fields of the `Constants` struct, in order. A step gives each a 32-bit integer. */
  readonly constants: readonly string[];
  /** Invocations of a workgroup. */
  readonly lanes: number;
  /** Memory that they share. */
  readonly workgroupBytes?: number;
}

/** The parts from which every kernel is put together. */
export interface KernelParts {
  readonly name: string;
  /** One line for the reader of the emitted module. */
  readonly summary: string;
  readonly storage: readonly StorageBinding[];
  readonly constants: readonly string[];
  /**
   * Numbers that stand in front of the constants, read as `table_NAME(index)`: f32, in as many vec4
   * as are needed.
   */
  readonly table?: { readonly name: string; readonly length: number };
  /**
   * How many of the program's class totals the frame has behind its other words; 0, or absent, if
   * the body reads none.
   */
  readonly totals?: number;
  readonly workgroupSize: number;
  /**
   * Declarations before the entry point: workgroup memory, functions. Each once, if given twice.
   */
  readonly declarations?: readonly (string | Declared)[];
  readonly usesSubgroups?: boolean;
  /**
   * Whether the body reads `plane`: a dispatch may then be a part of them, from the constant
   * `first_plane` on.
   */
  readonly usesPlanes?: boolean;
  /**
   * Body of `main`. `block` (the folded x workgroup), `lane` (local index) and, if used, `plane`
   * (z) are in scope.
   */
  readonly body: string;
}

/** The constant that says where in z a dispatch begins. */
export const FIRST_PLANE = "first_plane";

const PLANE = `let plane = workgroup.z + constants.${FIRST_PLANE};`;

export function assemble(parts: KernelParts): Kernel {
  const { name, storage, table, workgroupSize, usesPlanes = false } = parts;
  const constants = [...parts.constants, ...(usesPlanes ? [FIRST_PLANE] : [])];
  const fields = table ? [...tableFields(table), ...constants] : constants;
  const bindings = storage.map(
    ({ name, access, element }, index) =>
      `@group(0) @binding(${index + 2}) var<storage, ${access}> ${name}: array<${element}>;`,
  );
  const subgroupLane = parts.usesSubgroups
    ? "@builtin(subgroup_invocation_id) subgroup_lane: u32,"
    : "";
  const text = wgsl`
    // ${parts.summary}
    ${parts.usesSubgroups ? "enable subgroups;\n" : ""}
    ${frameStruct(parts.totals ?? 0)}

    ${fields.length > 0 ? constantsStruct(constants, table) : ""}

    @group(0) @binding(0) var<uniform> frame: Frame;
    ${fields.length > 0 ? "@group(0) @binding(1) var<uniform> constants: Constants;" : ""}
    ${bindings}

    ${table ? readTable(table) : ""}

    ${plainDeclarations(parts.declarations ?? [])}

    @compute @workgroup_size(${workgroupSize})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) workgroups: vec3u,
      @builtin(local_invocation_index) lane: u32,
      ${subgroupLane}
    ) {
      let block = workgroup.x + workgroup.y * workgroups.x;
      ${usesPlanes ? [PLANE, parts.body] : parts.body}
    }`;
  return { name, wgsl: tidy(text), storage, constants: fields, lanes: workgroupSize };
}

const constantsStruct = (fields: readonly string[], table: KernelParts["table"]) => wgsl`
  struct Constants {
    ${table ? `${table.name}: array<vec4f, ${Math.ceil(table.length / 4)}>,` : ""}
    ${fields.map((field) => `${field}: u32,`)}
  }`;

/**
 * The names of a table's numbers among a step's constants: whole vec4, since that is how uniform
 * memory holds arrays.
 */
function tableFields({ name, length }: NonNullable<KernelParts["table"]>): string[] {
  return Array.from({ length: 4 * Math.ceil(length / 4) }, (_, index) => `${name}${index}`);
}

/** A table's numbers, as bits, under the names that a step's constants have for them. */
export function tableConstants(name: string, bits: readonly number[]): Record<string, number> {
  const fields = tableFields({ name, length: bits.length });
  return Object.fromEntries(fields.map((field, index) => [field, bits[index] ?? 0]));
}

const readTable = ({ name }: NonNullable<KernelParts["table"]>) => wgsl`
  fn table_${name}(index: u32) -> f32 {
    return constants.${name}[index / 4u][index % 4u];
  }`;

/** Without trailing blanks and runs of empty lines. */
function tidy(text: string): string {
  return text
    .replaceAll(/ +$/gm, "")
    .replaceAll(/,\n\n\) \{/g, ",\n) {")
    .replaceAll(/\n{3,}/g, "\n\n")
    .concat("\n");
}
