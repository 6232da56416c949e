/** What the numbers in which alike bodies differ are called. */
import { bodiesOf, ownSlots, type Body, type Item } from "./items.js";

/** A number by where it is. */
interface Place {
  readonly argument: string;
  readonly isDepthwise: boolean;
  /** Behind a pool over the whole image: the narrow layer of a gate. */
  readonly isSqueezed: boolean;
}

/**
 * @param places which of the body's numbers, counted in the order of the text
 * @param taken names that mean something else
 */
export function nameParameters(
  body: Body,
  places: readonly number[],
  taken: ReadonlySet<string>,
): readonly string[] {
  const all = placesWithin(body);
  const last = lastWidth(body, all);
  const widths = places.filter((place) => isWidth(all[place]!)).length;
  const used = new Set([...taken, ...variablesWithin(body)]);
  return places.map((place) => {
    const said = all[place]!;
    const name =
      isWidth(said) && widths > 1 ? widthName(said, place === last) : baseName(said.argument);
    return unused(name, used);
  });
}

const isWidth = ({ argument }: Place) => argument === "out" || argument === "groups";

function widthName({ isDepthwise, isSqueezed }: Place, isLast: boolean): string {
  if (isDepthwise) return "channels";
  if (isSqueezed) return "squeezed";
  return isLast ? "out" : "width";
}

function baseName(argument: string): string {
  if (argument === "out" || argument === "groups") return "width";
  return argument.replace(/\d+$/, "");
}

function unused(name: string, used: Set<string>): string {
  let free = name;
  for (let more = 2; used.has(free); more++) free = `${name}${more}`;
  used.add(free);
  return free;
}

function placesWithin(body: Body): readonly Place[] {
  return body.flatMap((item, index) => [
    ...ownSlots(item).map(({ argument }) => ({
      argument,
      isDepthwise: item.form === "layer" && item.role === "depthwise",
      isSqueezed: isWholePool(body[index - 1]),
    })),
    ...bodiesOf(item).flatMap(placesWithin),
  ]);
}

const isWholePool = (item: Item | undefined): boolean =>
  item?.form === "layer" && item.layer.definition.name === "global_avgpool";

/** The width of the last convolution, where it ends the body or a residual that does. */
function lastWidth(body: Body, all: readonly Place[]): number | undefined {
  const isSplit = body.some(({ form }) => form === "branches");
  const index = all.findLastIndex(({ argument }) => argument === "out");
  return isSplit || index < 0 ? undefined : index;
}

export function variablesWithin(body: Body): readonly string[] {
  return body.flatMap((item) => [
    ...(item.form === "for" ? item.variables : []),
    ...bodiesOf(item).flatMap(variablesWithin),
  ]);
}
