import type { Fused } from "../ir/fusion.js";
import type { Value } from "../ir/graph.js";
import { IDENTITY, keepsZero, type Epilogue } from "../kernels/epilogue.js";
import type { LoweringContext } from "./context.js";
import type { Storage } from "./storage.js";

/** A fused expression with what its operands bind and where they lie. */
export interface LoweredEpilogue {
  readonly epilogue: Epilogue;
  readonly storage: readonly Storage[];
  readonly constants: Readonly<Record<string, number>>;
}

/** The epilogue of a node whose result is `result`. Operands keep their order: `e1`, `e2`, ... */
export function lowerEpilogue(
  context: LoweringContext,
  fused: Fused | undefined,
  result: Value,
): LoweredEpilogue {
  if (!fused) return { epilogue: IDENTITY, storage: [], constants: {} };
  const { expression, operands } = fused;
  const { channels } = context.layout(result);
  const places = operands.map((value, index) =>
    isVector(value) ? {} : context.layout(value).place(`e${index + 1}`),
  );
  return {
    epilogue: {
      expression,
      operands: operands.map((value) => (isVector(value) ? "vector" : "activation")),
      clearsPadding: channels % 4 !== 0 && !keepsZero(expression),
    },
    storage: operands.map((value) => context.storageOf(value)),
    constants: Object.assign({ channels }, ...places) as Record<string, number>,
  };
}

const isVector = (value: Value) => value.shape.length === 1;
