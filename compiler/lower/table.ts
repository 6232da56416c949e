import type { Node } from "../ir/graph.js";
import { table } from "../kernels/table.js";
import { fixed } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

export function lowerTable(context: LoweringContext, node: Node<"table">): readonly StepDraft[] {
  const { outputs, attributes, origin } = node;
  const { values } = attributes;
  return [
    dispatch(table(values.length), {
      buffers: { result: context.storageOf(outputs[0]!) },
      constants: { numbers: values },
      threads: fixed(values.length),
      label: `${origin.name} by channel`,
      origin,
    }),
  ];
}
