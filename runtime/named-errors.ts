/** Kinds of errors by their names. */
import type {
  DeviceLostError,
  InputError,
  NetcError,
  NoAdapterError,
  WeightsError,
} from "./errors.js";
import type { NotFiniteEvaluationError } from "./training/error.js";

/**
 * Whether an error has that name. Its class does not tell: a standalone module has its own copy of
 * the runtime, and with it other classes of the same names.
 */
export function isNamed<Name extends keyof NamedErrors>(
  error: unknown,
  name: Name,
): error is NamedErrors[Name] {
  return (error as Partial<Error> | null | undefined)?.name === name;
}

interface NamedErrors {
  readonly DataError: NetcError;
  readonly DeviceLostError: DeviceLostError;
  readonly InputError: InputError;
  readonly NoAdapterError: NoAdapterError;
  readonly NotFiniteError: WeightsError;
  readonly NotFiniteEvaluationError: NotFiniteEvaluationError;
  readonly PeerFailedError: NetcError;
}
