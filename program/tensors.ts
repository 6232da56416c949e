/** Questions about a program's tensors. */
import type { Gives, Program, ProgramTensor, TensorRole } from "./program.js";

type WithTensors = Pick<Program, "tensors">;

/** The tensors of a role, in their order. */
export const tensorsOf = ({ tensors }: WithTensors, role: TensorRole): readonly ProgramTensor[] =>
  tensors.filter((tensor) => tensor.role === role);

/** Numbers of one example. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);

/**
 * The size of the images, or features, of the first input, which is the only one that data have.
 */
export function imageOf(program: WithTensors) {
  const [{ name, shape }] = tensorsOf(program, "input") as [ProgramTensor];
  const [channels = 1, height = 1, width = 1] = shape;
  return { name, channels, height, width };
}

/** What an example is called in messages: an image where there is nothing else to be read. */
export function exampleNoun(program: WithTensors): "image" | "example" {
  const inputs = tensorsOf(program, "input");
  const areImages = inputs.length > 0 && inputs.every(({ shape }) => shape.length === 3);
  return areImages ? "image" : "example";
}

/**
 * How many classes the one target has; undefined where it holds numbers, where it is not one, and
 * where there are several inputs.
 */
export function classesOf(program: WithTensors): number | undefined {
  const targets = tensorsOf(program, "target");
  const isOne = targets.length === 1 && tensorsOf(program, "input").length === 1;
  return isOne ? targets[0]!.classes?.count : undefined;
}

/** An output that depends on one of several inputs. */
export interface Embedding {
  readonly input: string;
}

/** Undefined where there is one input, are several outputs, or the output depends on several. */
export function embeddingOf({
  tensors,
  uses,
}: WithTensors & Partial<Pick<Program, "uses">>): Embedding | undefined {
  if (!uses || tensorsOf({ tensors }, "input").length < 2) return undefined;
  const [read, ...others] = uses.predict.reads;
  if (read === undefined || others.length + uses.predict.gives.length !== 1) return undefined;
  return { input: tensors[read]!.name };
}

/** What an output may say of classes. */
export type Scores = Exclude<Gives, "values">;
