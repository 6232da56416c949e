/** Products of two activations' matrices, image by image. */
import type { Node } from "../ir/graph.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import type { ContractionSchedule } from "../schedules/schedule.js";
import { layoutOf, type PlanSettings } from "./settings.js";
import { fixed, perImage } from "./storage.js";

export interface MatmulPlan {
  readonly schedule: ContractionSchedule;
}

/** K is never split: what each part leaves would be as large as the result. */
const WHOLE_ONLY = { partialBytes: Infinity, bindable: 0 };

export function planMatmul(settings: PlanSettings, node: Node<"matmul">): MatmulPlan {
  const { pitch } = layoutOf(settings, node.inputs[0]!);
  const { pixels, channels } = layoutOf(settings, node.outputs[0]!);
  const problem = {
    form: node.attributes.transposed ? "transposed" : "pixels",
    rows: perImage(pixels),
    columns: fixed(roundUpTo4(channels) / 4),
    depth: fixed(pitch / 4),
    groups: 1,
  } as const;
  return { schedule: settings.schedules.one(problem, WHOLE_ONLY) };
}
