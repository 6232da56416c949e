/** The sections of a kernel's text: what it declares, and its entry point. */
import { frameStruct } from "../../program/frame.js";
import type { KernelSection } from "../../program/program.js";
import { code, text, type Code, type Hole } from "./code.js";
import { namedConstants, PLACE_STRUCT, typeOf, type Constants } from "./constants.js";
import { FIRST_PLANE, type Kernel } from "./kernel.js";
import { Printer } from "./printer.js";

/** What a kernel's definition says for its text. */
export interface Described {
  readonly summary: string;
  readonly lanes: number;
  readonly constants: Constants;
}

/** The printed entry point, and the printer, which knows what that needs. */
export interface PrintedBody {
  readonly printer: Printer;
  readonly body: string;
}

export function sectionsOf(
  { summary, lanes, constants }: Described,
  storage: Kernel["storage"],
  { printer, body }: PrintedBody,
): readonly KernelSection[] {
  const { readsPlane, usesSubgroups } = printer;
  const named = namedConstants(constants);
  const readsFrame = printer.frameWords.size > 0 || printer.classTotals > 0;
  const hasConstants = named.length > 0 || readsPlane;
  const hasPlaces = named.some(([, kind]) => kind === "place");
  const sections = [
    section("summary", [
      text(`// ${summary}`),
      printer.halves.size > 0 && ENABLE_F16,
      usesSubgroups && ENABLE_SUBGROUPS,
    ]),
    readsFrame && section("frame", text(frameStruct(printer.frameWords, printer.classTotals))),
    hasPlaces && section("place", PLACE_STRUCT),
    hasConstants && section("constants", constantsStruct(named, readsPlane)),
    section("bindings", [
      readsFrame && FRAME_BINDING,
      hasConstants && CONSTANTS_BINDING,
      storage.map(bindingOf),
    ]),
    declared("values", [...printer.declarations("constant"), ...printer.declarations("variable")]),
    ...printer.declarations("functions"),
    mainSection(entryPoint(lanes, { readsPlane, usesSubgroups }), body),
  ];
  return sections.filter((each) => each !== false).map(withoutBlankRuns);
}

const section = (name: string, content: Hole): KernelSection => {
  return { name, text: code`${content}`.print(new Printer()) };
};

/** Declarations of a line each. */
const declared = (name: string, lines: readonly KernelSection[]) =>
  lines.length > 0 &&
  section(
    name,
    lines.map((each) => text(each.text)),
  );

const constantsStruct = (named: ReturnType<typeof namedConstants>, readsPlane: boolean) => code`
  struct Constants {
    ${named.map(([name, kind]) => text(`${name}: ${typeOf(kind)},`))}
    ${readsPlane && text(`${FIRST_PLANE}: u32,`)}
  }`;

const FRAME_BINDING = code`@group(0) @binding(0) var<uniform> frame: Frame;`;
const CONSTANTS_BINDING = code`@group(0) @binding(1) var<uniform> constants: Constants;`;

const bindingOf = ({ name, access, element }: Kernel["storage"][number], index: number) =>
  text(`@group(0) @binding(${index + 2}) var<storage, ${access}> ${name}: array<${element}>;`);

const ENABLE_F16 = code`enable f16;`;
const ENABLE_SUBGROUPS = code`enable subgroups;`;

type Needs = Pick<Printer, "readsPlane" | "usesSubgroups">;

function mainSection(entry: Code, body: string): KernelSection {
  const head = entry.print(new Printer());
  return { ...section("main", code`${text(head)}\n  ${text(body)}\n}`), head };
}

/** The entry point before its statements. */
const entryPoint = (lanes: number, { readsPlane, usesSubgroups }: Needs): Code => code`
  @compute @workgroup_size(${text(String(lanes))})
  fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
    ${usesSubgroups && code`@builtin(subgroup_invocation_id) subgroup_lane: u32,`}
  ) {
    let block = workgroup.x + workgroup.y * workgroups.x;
    ${readsPlane && code`let plane = workgroup.z + constants.${text(FIRST_PLANE)};`}
`;

/** Blank lines without blanks, and one of several of them. */
function withoutBlankRuns(printed: KernelSection): KernelSection {
  const lines = printed.text.split("\n").map((line) => line.trimEnd());
  const kept = lines.filter((line, index) => line !== "" || lines[index - 1] !== "");
  return { ...printed, text: kept.join("\n") };
}
