import { evaluate } from "../ir/expression-evaluate.js";
import type { Expression } from "../ir/expression.js";
import { readsMask, describe, expressionDeclarations, print } from "./expression.js";
import type { StorageBinding } from "./kernel.js";
import { placeConstants } from "./place.js";

/** An operand of a fused expression: an activation read at the element's place, or a vector read at its channel. */
export type OperandKind = "activation" | "vector";

/**
 * What is done to a vec4 of results before it is stored. Skeletons print it; they know neither layers nor ops. `operands[i]`
 * is operand i + 1 of the expression.
 */
export interface Epilogue {
  readonly expression: Expression;
  readonly operands: readonly OperandKind[];
  /** Channels end inside a vec4 and the expression does not map zeros to zero: the padding must be cleared. */
  readonly clearsPadding: boolean;
}

export const IDENTITY: Epilogue = {
  expression: { kind: "operand", index: 0 },
  operands: [],
  clearsPadding: false,
};

/** Whether an all-zero vec4 stays zero, so that padded channels need no care. */
export function keepsZero(expression: Expression): boolean {
  return (
    evaluate(expression, { operand: () => 0, channel: () => 0, keep: () => 1, batchShare: 1 }) === 0
  );
}

export class EpiloguePrinter {
  readonly names: readonly string[];

  constructor(readonly epilogue: Epilogue) {
    this.names = epilogue.operands.map((_, index) => `e${index + 1}`);
  }

  get storage(): readonly StorageBinding[] {
    return this.names.map((name) => ({ name, access: "read", element: "vec4f" }));
  }

  /** Names of the operands that are read at a place of their own. */
  get activations(): readonly string[] {
    return this.names.filter((_, index) => this.epilogue.operands[index] === "activation");
  }

  /** Names of the operands that are read by channel. */
  get vectors(): readonly string[] {
    return this.names.filter((_, index) => this.epilogue.operands[index] === "vector");
  }

  get constants(): readonly string[] {
    const clears = this.epilogue.clearsPadding || this.usesCounter ? ["channels"] : [];
    return [...this.activations.flatMap((name) => placeConstants(name)), ...clears];
  }

  get usesCounter(): boolean {
    return readsMask(this.epilogue.expression);
  }

  get declarations(): readonly string[] {
    return expressionDeclarations([this.epilogue.expression]);
  }

  /** Word for the kernel's name, `` for none. */
  get suffix(): string {
    const words = describe(this.epilogue.expression);
    return words === "" ? "" : `_${words}`;
  }

  /**
   * The finished vec4. `result` is the kernel's own vec4; `quad` the channel quad; `pixel` the linear pixel index over
   * the batch; `place(name)` where the operand's pixel starts; `vector(name)` the quad of a vector, if it was read before.
   */
  print(
    result: string,
    quad: string,
    pixel: string,
    place: (name: string) => string,
    vector = (name: string) => `${name}[${quad}]`,
  ): string {
    const { expression, clearsPadding } = this.epilogue;
    const value = print(expression, {
      type: "vec4f",
      operand: (index) => (index === 0 ? result : `e${index}[${place(`e${index}`)} + ${quad}]`),
      channel: (index) => vector(`e${index}`),
      counter: `(frame.first_image * constants.pixels + ${pixel}) * constants.channels + 4u * ${quad}`,
    });
    if (!clearsPadding) return value;
    return `select(vec4f(0), ${value}, vec4u(4u * ${quad}) + vec4u(0, 1, 2, 3) < vec4u(constants.channels))`;
  }
}
