/**
 * Errors as messages between threads. `postMessage` keeps the text of an error, but neither its
 * name nor its class nor its fields.
 */
import { DataError } from "./data/error.js";
import {
  BatchTooLargeError,
  DeviceLimitError,
  DeviceLostError,
  InputError,
  NetcError,
  NoAdapterError,
  WeightsError,
} from "./errors.js";
import { DivergedError, NotFiniteEvaluationError, RunFailedError } from "./training/error.js";
import { NotFiniteError } from "./training/finite.js";
import { PeerFailedError } from "./training/ranks.js";

/** An error as plain data. */
export interface ErrorMessage {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** What an error of this kind has in addition: `largestBatch`, `isGone`, `tried`, ... */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What to send of an error, or of anything else that was thrown. */
export function toErrorMessage(thrown: unknown): ErrorMessage {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown), fields: {} };
  const { name, message, stack, ...fields } = thrown;
  return { name, message, stack, fields };
}

const CLASSES = new Map<string, { readonly prototype: Error }>(
  Object.entries({
    BatchTooLargeError,
    DataError,
    DeviceLimitError,
    DeviceLostError,
    DivergedError,
    InputError,
    NetcError,
    NoAdapterError,
    NotFiniteError,
    NotFiniteEvaluationError,
    PeerFailedError,
    RunFailedError,
    WeightsError,
  }),
);

/** The error that was sent: with its name and its fields, and of its class if netc has it. */
export function fromErrorMessage({ name, message, stack, fields }: ErrorMessage): Error {
  const error = new Error(message);
  Object.setPrototypeOf(error, (CLASSES.get(name) ?? Error).prototype);
  return Object.assign(error, fields, { name, stack });
}
