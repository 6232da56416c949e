/** The part of the page on predicted numbers: each over that of the data. */
import type { ReportedNumber, ReportedRegression } from "../data.js";
import { evenScale, type Scale } from "./scale.js";
import { compact, grouped, h, section, table } from "./elements.js";
import { diagonal, squareAxes, svg, xOf, yOf, type UnitSquare } from "./svg.js";

const SQUARE: UnitSquare = { size: 240, left: 56, top: 22 };
/** More letters than these do not fit an axis. */
const LONGEST_NAME = 28;

export function numbersSection({ examples, numbers }: ReportedRegression): HTMLElement {
  const drawn = numbers.filter(({ points = [] }) => points.length > 0);
  return section(
    "Predicted numbers",
    `${grouped(examples)} examples of the eval split, in the units of the data: on the diagonal, ` +
      `a prediction is right.${pointsNote(drawn, examples)}`,
    h("div.scatters", ...drawn.map(scatter)),
    // Those that are not drawn have no caption.
    ...(drawn.length < numbers.length ? [errorsTable(numbers)] : []),
  );
}

function pointsNote([first]: readonly ReportedNumber[], examples: number): string {
  const count = first?.points?.length ?? examples;
  return count < examples ? ` ${grouped(count)} of them are drawn.` : "";
}

const errorOf = ({ error }: ReportedNumber): string => compact(error ?? NaN);

function errorsTable(numbers: readonly ReportedNumber[]): HTMLElement {
  const rows = numbers.map((each) => [each.name, errorOf(each), grouped(each.notFinite)]);
  return table(["number", "mean absolute error", "not finite"], rows);
}

function scatter(each: ReportedNumber): HTMLElement {
  const { name, points = [], notFinite } = each;
  const error = `mean absolute error ${errorOf(each)}`;
  const missing = notFinite > 0 ? `; ${grouped(notFinite)} predictions are not finite` : "";
  const caption = h("figcaption", h("b", name), ` ${error}${missing}`);
  return h("figure", caption, drawing(name, points, error));
}

function drawing(
  name: string,
  points: NonNullable<ReportedNumber["points"]>,
  error: string,
): SVGElement {
  const scale = evenScale(points.flat());
  const label = shortened(name);
  return svg(
    "svg",
    { viewBox: "0 0 320 300", role: "img", "aria-label": `${name}: true and predicted, ${error}` },
    ...squareAxes(SQUARE, [`true ${label}`, `predicted ${label}`], scale.ticks),
    diagonal(SQUARE),
    ...points.map((point) => dot(point, scale)),
  );
}

function dot([truth, predicted]: readonly [number, number], { shareOf }: Scale): SVGElement {
  const place = { cx: xOf(SQUARE, shareOf(truth)), cy: yOf(SQUARE, shareOf(predicted)) };
  return svg("circle.point", { ...place, r: 2.5 });
}

const shortened = (name: string): string =>
  name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
