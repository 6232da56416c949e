/** The worker's side: owns the network, and answers the calls of its page. */
import { createNetwork } from "../browser-network.js";
import { toErrorMessage } from "../error-messages.js";
import { inspectable } from "../inside/inspectable.js";
import type { Network } from "../network.js";
import type { NetworkState, OpenMessage, Request, Response } from "./messages.js";

/** What is used of the worker's global object, which has no types next to those of pages. */
interface WorkerScope {
  onmessage: ((event: { readonly data: Request }) => void) | null;
  postMessage(message: Response, transfer?: readonly Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
let network: Network | undefined;
/** Index of the program that suits the adapter. */
let program = 0;

scope.onmessage = ({ data }) => void answer(data);

async function answer(request: Request): Promise<void> {
  const { id } = request;
  try {
    const result = await ("open" in request ? open(request.open) : call(request));
    scope.postMessage({ id, result, state: stateOf(network!) }, buffersIn(result));
  } catch (error) {
    scope.postMessage({ id, error: toErrorMessage(error), state: network && stateOf(network) });
  }
}

async function open({ programs, inside, options }: OpenMessage): Promise<void> {
  const opened = await createNetwork(programs, {
    ...options,
    onCompile: ({ done, total }) =>
      scope.postMessage({ callback: "onCompile", given: { done, total } }),
    onWarning: (given) => scope.postMessage({ callback: "onWarning", given }),
  });
  program = programs.indexOf(opened.program);
  network = inside.length > 0 ? inspectable(opened, () => Promise.resolve({ inside })) : opened;
}

/** Calls reach the network in the order in which they were posted. */
function call({ call: name, given }: Extract<Request, { readonly call: string }>): unknown {
  const methods = network as unknown as Readonly<Record<string, (...given: unknown[]) => unknown>>;
  const pictures = given.filter((each) => isBitmaps(each)).flat() as ImageBitmap[];
  const result = methods[name]!(...given);
  // The network has taken its own copies when a call returns.
  if (pictures.length > 0)
    void settled(result).then(() => pictures.forEach((each) => each.close()));
  return result;
}

const settled = (result: unknown): Promise<unknown> =>
  Promise.resolve(result).catch(() => undefined);

const isBitmaps = (given: unknown): boolean =>
  [given].flat().some((each) => each instanceof ImageBitmap);

/** Memory that a result need not be copied from. */
function buffersIn(result: unknown): readonly Transferable[] {
  if (ArrayBuffer.isView(result)) return [result.buffer as ArrayBuffer];
  if (typeof result !== "object" || result === null) return [];
  return [...new Set(Object.values(result).flatMap(buffersIn))];
}

function stateOf(opened: Network): NetworkState {
  const { adapter, slice, phase, stepCount, seed, classes, memory, canReopen } = opened;
  return { adapter, program, slice, phase, stepCount, seed, classes, memory, canReopen };
}
