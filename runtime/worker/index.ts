/// <reference types="@webgpu/types" preserve="true" />
/** Networks in workers: the page calls them as its own, and stays free meanwhile. */
import type { Program } from "../../program/program.js";
import {
  DEFAULT_BATCH,
  LOAD_OPTIONS,
  type LoadOptions,
  type NetworkOptions,
  type WeightsSource,
} from "../calls.js";
import { ownSource } from "../copies.js";
import { describe } from "../describe.js";
import { fromErrorMessage } from "../error-messages.js";
import { InputError, NetcError } from "../errors.js";
import type { ImportInside } from "../inside/inspectable.js";
import { isNamed } from "../named-errors.js";
import type { Network } from "../network.js";
import { assertKnown } from "../options.js";
import { notGiven } from "../pictures/eval-split.js";
import { sourcesOf } from "../pictures/sources.js";
import { standardizing } from "../standardizing.js";
import {
  INSIDE_METHODS,
  METHODS,
  type NetworkState,
  type Request,
  type Response,
} from "./messages.js";

/** What a compiled module exports. */
export interface NetworkModule {
  readonly programs: readonly Program[];
  /** Of a module compiled with `--inspect`. */
  readonly importInside?: ImportInside;
  /** Inputs whose numbers come as a table has them. */
  readonly standardized?: readonly string[];
}

type Create<Opened> = (options?: NetworkOptions) => Promise<Opened>;

/** The network that a module creates: `Flowers`, where it exports `createFlowers`. */
type NetworkOf<Module> = {
  [name in keyof Module]: name extends `create${string}`
    ? Module[name] extends Create<infer Opened>
      ? Opened
      : never
    : never;
}[keyof Module];

/** A network that lives in a worker: all of its calls but those for tools. */
export type InWorker<Opened> = Omit<Opened, "inspect" | "inspectCall">;

export interface WorkerOptions extends Omit<NetworkOptions, "device"> {
  /**
   * Your own worker that runs `netc/worker/main`, for bundlers that do not bundle workers;
   * netc starts one unless given.
   */
  readonly worker?: Worker;
}

/**
 * Opens the network of a compiled module in a separate worker: `inWorker(flowers, { batch: 1 })`
 * after `import * as flowers from "./flowers.js"`. Calls, their results and their errors are those
 * of `createFlowers`; `fit` of `netc/runtime` trains it. Throws what `createFlowers` throws, and
 * NetcError where the worker does not start.
 */
export async function inWorker<Module extends NetworkModule>(
  module: Module,
  { worker: own, onCompile, onWarning, ...options }: WorkerOptions = {},
): Promise<InWorker<NetworkOf<Module>>> {
  checkArguments(module, options);
  const worker = own ?? startWorker();
  const { programs } = module;
  const callbacks = { onCompile, onWarning: onWarning ?? console.warn };
  const remote = new Remote(worker, programs, callbacks);
  try {
    const { inside } = (await module.importInside?.()) ?? { inside: [] };
    await remote.open({ programs, inside, options });
    const { batch = DEFAULT_BATCH } = options;
    const opened = facade(remote, programs, batch);
    const { standardized = [] } = module;
    if (standardized.length === 0) return opened as never;
    return standardizing(opened as Network, standardized) as never;
  } catch (error) {
    remote.end();
    throw error;
  }
}

/** Throws InputError for all but compiled modules, and for a device. */
function checkArguments(module: unknown, options: object): void {
  // The namespace of a module is not an instance of Object.
  if (typeof module !== "object" || module === null || !("programs" in module)) {
    const came = typeof module === "string" ? `"${module}"` : describe(module);
    throw new InputError(
      `\`inWorker\` takes a compiled module, not ${came}: ` +
        'pass `flowers` of `import * as flowers from "./flowers.js"`',
    );
  }
  if (!("device" in options)) return;
  throw new InputError("a GPUDevice cannot go to a worker: the network opens its own there");
}

/** In the form that bundlers know. */
const startWorker = (): Worker =>
  new Worker(new URL("./main.js", import.meta.url), { type: "module" });

type Callbacks = Pick<NetworkOptions, "onCompile" | "onWarning">;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Numbers what the page asks, and finds the answers. */
class Remote {
  state: NetworkState | undefined;
  isEnded = false;
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;
  /** Pictures are copied before their call is posted; later calls wait for them. */
  private posted: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly worker: Worker,
    private readonly programs: readonly Program[],
    private readonly callbacks: Callbacks,
  ) {
    worker.addEventListener("message", ({ data }: MessageEvent<Response>) => this.receive(data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.fail(new NetcError(`the worker does not run: ${event.message || NOT_FOUND}`));
    });
    worker.addEventListener("messageerror", () =>
      this.fail(new NetcError("a message of the worker cannot be read")),
    );
  }

  open(open: Extract<Request, { open: unknown }>["open"]): Promise<unknown> {
    return this.post({ open }, []);
  }

  /** Asks the worker; arguments are as they are now, whatever becomes of them later. */
  call(name: string, given: readonly unknown[]): Promise<unknown> {
    if (this.isEnded) return Promise.reject(destroyed());
    const kept = keep(name, given, this.programs[0]!).catch((error: unknown) => {
      throw isNamed(error, "InputError") ? error : notForWorkers(error);
    });
    const turn = this.posted.then(() => kept);
    this.posted = turn.catch(() => undefined);
    return turn.then(({ values, transfer }) => this.post({ call: name, given: values }, transfer));
  }

  /**
   * Loads weights. The page downloads them, since progress, signals and relative addresses are its
   * own, and hands the bytes over.
   */
  async load(source: WeightsSource, options: LoadOptions = {}): Promise<unknown> {
    if (this.isEnded) throw destroyed();
    assertKnown(options, LOAD_OPTIONS, "load");
    const { cache, onProgress, signal, ...others } = options;
    const own = ownSource(source);
    const turn = this.posted.then(async () => {
      const { withDownload } = await import("../download.js");
      return withDownload(own, { cache, onProgress, signal }, (bytes) => {
        // A copy that the browser is going to keep must stay here.
        const given = cache === undefined ? bytes : bytes.slice();
        return this.post({ call: "load", given: [given, others] }, [given.buffer]);
      });
    });
    this.posted = turn.catch(() => undefined);
    return turn;
  }

  end(): void {
    this.isEnded = true;
    this.worker.terminate();
    this.fail(destroyed());
  }

  private post(
    message:
      | Omit<Extract<Request, { open: unknown }>, "id">
      | Omit<Extract<Request, { call: unknown }>, "id">,
    transfer: readonly Transferable[],
  ): Promise<unknown> {
    if (this.isEnded) return Promise.reject(destroyed());
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      try {
        this.worker.postMessage({ ...message, id }, [...transfer]);
      } catch (error) {
        this.waiting.delete(id);
        reject(notForWorkers(error));
      }
    });
  }

  private receive(response: Response): void {
    if ("callback" in response) {
      const callback = this.callbacks[response.callback] as ((given: unknown) => void) | undefined;
      callback?.(response.given);
      return;
    }
    this.state = response.state ?? this.state;
    const waiting = this.waiting.get(response.id);
    this.waiting.delete(response.id);
    if ("error" in response) waiting?.reject(fromErrorMessage(response.error));
    else waiting?.resolve(response.result);
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

const NOT_FOUND =
  "its file cannot be loaded (is `dist/runtime/worker/main.js` of netc served? " +
  "With esbuild, bundle `netc/worker/main` and pass `worker: new Worker(...)`)";

const notForWorkers = (error: unknown) =>
  /origin-clean/.test(String(error))
    ? notGiven("a picture")
    : new InputError(`a worker cannot be given these arguments: ${String(error)}`);

const destroyed = () => new InputError("the network was destroyed: create another");

interface Kept {
  readonly values: readonly unknown[];
  readonly transfer: readonly Transferable[];
}

/** Calls whose first argument may be pictures. */
const TAKING_PICTURES = /^(step|measureStep|evaluate|measure|predict|classify|a.*)$/;

/** Copies of what the page may change, which go to the worker without another copy. */
async function keep(name: string, given: readonly unknown[], program: Program): Promise<Kept> {
  const [first, ...rest] = given;
  const options = rest.at(-1) as { readonly transfer?: boolean } | undefined;
  const isHandedOver = options?.transfer === true && ArrayBuffer.isView(first);
  const others = rest.map(copyOf);
  const own = !TAKING_PICTURES.test(name)
    ? copyOf(first)
    : isHandedOver
      ? first
      : await inputsOf(first, program);
  return { values: [own, ...others], transfer: [own, ...others].flatMap(transferablesOf) };
}

/** Arrays, alone or by name, or pictures. */
function inputsOf(given: unknown, program: Program): unknown {
  const isPlain = given instanceof Object && Object.getPrototypeOf(given) === Object.prototype;
  return isArray(given) || isPlain ? copyOf(given) : bitmapsOf(given, program);
}

/** Whether something is what an input is given as. */
const isArray = (value: unknown): value is Float32Array | Uint32Array | Int32Array =>
  [Float32Array, Uint32Array, Int32Array].some((kind) => value instanceof kind);

/** A part of a larger array without the rest of it. */
function copyOf(value: unknown): unknown {
  if (isArray(value) || value instanceof Uint8Array) return value.slice();
  return structuredClone(value);
}

/** Copies are the worker's to keep: arrays, and lists of pictures. */
const transferablesOf = (value: unknown): readonly Transferable[] =>
  [value].flat().flatMap((each): Transferable[] => {
    if (each instanceof ImageBitmap) return [each];
    return ArrayBuffer.isView(each) && each.buffer instanceof ArrayBuffer ? [each.buffer] : [];
  });

/** Numbers as files hold them: as `capture` of the runtime keeps them. */
const AS_STORED = { premultiplyAlpha: "none", colorSpaceConversion: "none" } as const;

/** Bitmaps of a picture, or of a list of them. */
async function bitmapsOf(given: unknown, program: Program): Promise<unknown> {
  const sources = sourcesOf(given);
  const bitmaps = await Promise.allSettled(
    sources.map(async (source) => createImageBitmap(source as ImageBitmapSource, AS_STORED)),
  );
  const made = bitmaps.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  if (made.length === sources.length) return Array.isArray(given) ? made : made[0];
  for (const bitmap of made) bitmap.close();
  throw (await import("../pictures/refused.js")).refusal(program, sources, bitmaps);
}

/** An object with the members of a network. */
function facade(remote: Remote, programs: readonly Program[], batch: number) {
  const state = () => remote.state!;
  const load = (source: WeightsSource, options?: LoadOptions) => remote.load(source, options);
  // Where the module was compiled without `--inspect`, the worker says so.
  const methods = [...METHODS, ...INSIDE_METHODS].map((name) => {
    const call = (...given: unknown[]) => remote.call(name, given);
    return [name, { value: name === "load" ? load : call, configurable: true }];
  });
  const known = [
    "adapter",
    "slice",
    "phase",
    "stepCount",
    "seed",
    "classes",
    "memory",
    "canReopen",
  ];
  const read = known.map((name) => [
    name,
    { get: () => state()[name as keyof NetworkState], enumerable: true },
  ]);
  const program = () => {
    const chosen = programs[state().program]!;
    return state().phase === 0 ? chosen : chosen.phases![state().phase - 1]!;
  };
  return Object.defineProperties(
    { batch, destroy: () => remote.end() },
    Object.fromEntries([
      ...methods,
      ...read,
      ["program", { get: program }],
      ["parameters", { get: () => program().parameters }],
    ]) as PropertyDescriptorMap,
  );
}
