/** Epilogues of kernels that are still assembled from text. */
import { plain, raw } from "./bridge.js";
import type { Declared } from "./code.js";
import type { Epilogue } from "./epilogue.js";
import { readsMask, describe, expressionDeclarations, print } from "./expression.js";
import type { StorageBinding } from "./kernel.js";
import { placeConstants } from "./place.js";

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

  get declarations(): readonly Declared[] {
    return expressionDeclarations([this.epilogue.expression]);
  }

  /** Word for the kernel's name, `` for none. */
  get suffix(): string {
    const words = describe(this.epilogue.expression);
    return words === "" ? "" : `_${words}`;
  }

  /**
   * The finished vec4. `result` is the kernel's own vec4; `quad` the channel quad; `pixel` the
   * linear pixel index over the batch; `place(name)` where the operand's pixel starts;
   * `vector(name)` the quad of a vector, if it was read before.
   */
  print(
    result: string,
    quad: string,
    pixel: string,
    place: (name: string) => string,
    vector = (name: string) => `${name}[${quad}]`,
  ): string {
    const { expression, clearsPadding } = this.epilogue;
    const operand = (index: number) =>
      index === 0 ? result : `e${index}[${place(`e${index}`)} + ${quad}]`;
    const counter = `(frame.first_image * constants.pixels + ${pixel}) * constants.channels + 4u * ${quad}`;
    const printed = print(expression, {
      type: "vec4f",
      operand: (index) => raw(operand(index)),
      channel: (index) => raw(vector(`e${index}`)),
      counter: raw(counter),
    });
    const value = plain(printed);
    if (!clearsPadding) return value;
    return `select(vec4f(0), ${value}, vec4u(4u * ${quad}) + vec4u(0, 1, 2, 3) < vec4u(constants.channels))`;
  }
}
