/** What a page and its worker say to each other. */
import type { Program } from "../../program/program.js";
import type { InsideProgram } from "../../program/inside.js";
import type { NetworkOptions } from "../calls.js";
import type { AdapterSummary } from "../device.js";
import type { ErrorMessage } from "../error-messages.js";
import type { MemoryUse } from "../memory.js";

/** Methods of a network that a page may call. */
export const METHODS = [
  ...["step", "measureStep", "evaluate", "measure", "predict", "classify", "read", "write"],
  ...["save", "load", "enterPhase", "setStep", "reopen"],
] as const;

/** Those of a network that is seen inside. */
export const INSIDE_METHODS = ["activations", "attribution"] as const;

/** Options that a worker can be told; callbacks stay in the page. */
export interface OpenMessage {
  readonly programs: readonly Program[];
  readonly inside: readonly InsideProgram[];
  readonly options: Omit<NetworkOptions, "device" | "onCompile" | "onWarning">;
}

/** The first message opens the network. */
export type Request =
  | { readonly id: number; readonly open: OpenMessage }
  | { readonly id: number; readonly call: string; readonly given: readonly unknown[] };

/** What may have changed with a call. */
export interface NetworkState {
  readonly adapter: AdapterSummary;
  /** Index of the program that suits the adapter. */
  readonly program: number;
  readonly slice: number;
  readonly phase: number;
  readonly stepCount: number;
  readonly seed: number;
  readonly classes: readonly string[] | undefined;
  readonly memory: MemoryUse;
  readonly canReopen: boolean;
}

export type Response =
  | { readonly id: number; readonly result: unknown; readonly state: NetworkState }
  | { readonly id: number; readonly error: ErrorMessage; readonly state?: NetworkState | undefined }
  | { readonly callback: "onCompile" | "onWarning"; readonly given: unknown };
