/**
 * Dawn in Node asks for finished work with `setImmediate`, again and again while anything is
 * pending. That takes a whole core, which a software adapter needs for the work itself. Here it
 * asks once a millisecond instead.
 *
 * Dawn looks `setImmediate` up on the global object whenever it schedules a poll: in the calls that
 * start asynchronous work, and at the end of each poll. Only during those is the global replaced,
 * so no other code ever sees it.
 */

const POLL_MILLISECONDS = 1;

/** The methods of WebGPU's classes that start asynchronous work. */
const ASYNCHRONOUS_METHODS = {
  GPUAdapter: ["requestDevice"],
  GPUBuffer: ["mapAsync"],
  GPUDevice: ["createComputePipelineAsync", "popErrorScope"],
  GPUQueue: ["onSubmittedWorkDone"],
} as const;

type Method = (this: unknown, ...values: unknown[]) => unknown;
type Classes = Readonly<Record<string, { readonly prototype: Record<string, Method> }>>;

let installed = false;

/**
 * Makes all waiting on the `webgpu` package polite, for the rest of the process. `classes` are its
 * `globals`.
 */
export function pollPolitely(classes: object): void {
  if (installed) return;
  installed = true;
  for (const [name, methods] of Object.entries(ASYNCHRONOUS_METHODS)) {
    const { prototype } = (classes as Classes)[name]!;
    for (const method of methods) prototype[method] = politely(prototype[method]!);
  }
}

function politely(method: Method): Method {
  return function (...values) {
    return withTimers(() => method.apply(this, values));
  };
}

/** Runs `action` while `setImmediate` waits for a millisecond. */
function withTimers<T>(action: () => T): T {
  const original = globalThis.setImmediate;
  globalThis.setImmediate = pollLater as unknown as typeof setImmediate;
  try {
    return action();
  } finally {
    globalThis.setImmediate = original;
  }
}

function pollLater(poll: (...values: unknown[]) => void, ...values: unknown[]): NodeJS.Timeout {
  return setTimeout(() => withTimers(() => poll(...values)), POLL_MILLISECONDS);
}
