/** Whether two programs do the same, whatever their kernels say. */
import type { Program } from "../../program/program.js";

/** Compares what runs, on what; not the texts of kernels. */
export const hasSameSteps = (one: Program, other: Program): boolean =>
  isSame(outline(one), outline(other));

const outline = ({
  target,
  precision,
  adapter,
  tensors,
  parameters,
  buffers,
  ...rest
}: Program) => {
  const { steps, slice, kernels } = rest;
  const names = kernels.map(({ name }) => name);
  return { target, precision, adapter, tensors, parameters, buffers, steps, slice, names };
};

/** Compares plain data; properties that are undefined do not count. */
function isSame(one: unknown, other: unknown): boolean {
  if (!isObject(one) || !isObject(other)) return Object.is(one, other);
  const keys = new Set([...keysOf(one), ...keysOf(other)]);
  return [...keys].every((key) => isSame(one[key], other[key]));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const keysOf = (value: Readonly<Record<string, unknown>>) =>
  Object.keys(value).filter((key) => value[key] !== undefined);
