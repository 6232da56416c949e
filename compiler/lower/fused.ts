import type { Fused } from "../ir/fusion.js";
import type { Value } from "../ir/graph.js";
import {
  IDENTITY,
  keepsZero,
  operandName,
  readsChannels,
  type Epilogue,
} from "../kernels/epilogue.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { LoweringContext } from "./context.js";
import type { Bound } from "./dispatch.js";

/** A fused expression with what its operands bind and where they lie. */
export interface LoweredEpilogue {
  readonly epilogue: Epilogue;
  readonly bound: Bound;
}

/** An epilogue that leaves results as they are. */
export const UNFUSED: LoweredEpilogue = {
  epilogue: IDENTITY,
  bound: { buffers: {}, constants: {} },
};

/** The epilogue of a node whose result is `result`. Operands keep their order. */
export function lowerEpilogue(
  context: LoweringContext,
  fused: Fused | undefined,
  result: Value,
): LoweredEpilogue {
  if (!fused) return UNFUSED;
  const { expression, operands } = fused;
  const { channels } = context.layout(result);
  const epilogue: Epilogue = {
    expression,
    operands: operands.map((value) => (isVector(value) ? "vector" : "activation")),
    clearsPadding: channels % 4 !== 0 && !keepsZero(expression),
  };
  return { epilogue, bound: boundEpilogue(context, epilogue, { operands, channels }) };
}

interface Operands {
  readonly operands: readonly Value[];
  /** Channels of the result. */
  readonly channels: number;
}

function boundEpilogue(
  context: LoweringContext,
  epilogue: Epilogue,
  { operands, channels }: Operands,
): Bound {
  const named = operands.map((value, index) => [operandName(index), value] as const);
  const places = named.filter(([, value]) => !isVector(value));
  return {
    buffers: Object.fromEntries(named.map(([name, value]) => [name, context.storageOf(value)])),
    constants: {
      ...Object.fromEntries(places.map(([name, value]) => [name, context.layout(value).inQuads()])),
      ...withoutUndefined({ channels: readsChannels(epilogue) ? channels : undefined }),
    },
  };
}

/** The same epilogue for a result with this many channels. */
export function withChannels(finish: LoweredEpilogue, channels: number): LoweredEpilogue {
  const { epilogue, bound } = finish;
  if (!readsChannels(epilogue)) return finish;
  return { epilogue, bound: { ...bound, constants: { ...bound.constants, channels } } };
}

const isVector = (value: Value) => value.shape.length === 1;
