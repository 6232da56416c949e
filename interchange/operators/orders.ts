/** Values of one operator whose elements lie alike. */
import type { Feature } from "../known.js";
import type { NodeContext } from "../node-context.js";

/** Values whose axes lie alike: moved where they do not. */
export function inOneOrder(context: NodeContext, values: readonly Feature[]): readonly Feature[] {
  const [first] = values;
  if (values.every((value) => sameOrder(value, first!))) return values;
  return values.map((value) => context.asStored(value));
}

function sameOrder(a: Feature, b: Feature): boolean {
  const text = ({ order }: Feature) =>
    order.as === "stored" ? "" : (order.as === "axes" ? order.axes : order.features).join(",");
  return text(a) === text(b);
}
