/** Weights from addresses and responses: progress, interruptions, copies that browsers keep. */
import type { DownloadOptions, DownloadProgress } from "./calls.js";
import { storeOf, type KeptFile } from "./download-store.js";
import { InputError, WeightsError } from "./errors.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** Attempts that come no farther than those before them, after which a download fails. */
const MOST_ATTEMPTS = 5;
/** Before the second attempt; it doubles with each. */
const FIRST_PAUSE_MILLISECONDS = 100;

/**
 * Hands `use` the bytes that come from a URL, a Response, or memory. Where the browser is to keep
 * them, it keeps what `use` accepts. Rejects with a WeightsError that names address and status,
 * and with the signal's reason.
 */
export async function withDownload<Result>(
  source: unknown,
  options: DownloadOptions,
  use: (bytes: Bytes) => Promise<Result>,
): Promise<Result> {
  const { cache, signal, onProgress } = options;
  signal?.throwIfAborted();
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new InputError(`\`onProgress\` must be a function, not ${kindOf(onProgress)}`);
  }
  const start = await startOf(source);
  if (cache === undefined) return use(await new Download(start, { signal, onProgress }).run());
  const store = await storeOf(cache);
  if (!("url" in start)) throw new InputError("`cache` is for weights that come from a URL");
  const kept = await store.read(start.url);
  const download = new Download(start, { signal, onProgress, kept });
  const bytes = await download.run();
  try {
    const result = await use(bytes);
    if (download.isNew) await store.write(start.url, { bytes, validator: download.validator });
    return result;
  } catch (error) {
    // A copy that cannot be read would fail each time.
    if ((error as Error).name === "WeightsError") await store.remove(start.url);
    throw error;
  }
}

/** Where bytes come from. */
type Start = { readonly bytes: Bytes } | { readonly url: string } | { readonly response: Response };

async function startOf(source: unknown): Promise<Start> {
  if (source instanceof Uint8Array) return { bytes: source as Bytes };
  const kind = kindOf(source);
  if (kind === "Response") return { response: source as Response };
  if (kind === "Blob" || kind === "File") return { bytes: await bytesOf(source as Blob) };
  if (kind === "URL" || kind === "String") return { url: absolute(String(source)) };
  const advice = kind === "Promise" ? ": `await` it first" : "";
  throw new InputError(
    "weights must be the bytes of a file (Uint8Array, ArrayBuffer, Blob), a URL, or a Response, " +
      `not ${kind}${advice}`,
  );
}

/** A value's kind: `Response`, `Promise`, `undefined`. */
const kindOf = (value: unknown): string =>
  value ? Object.prototype.toString.call(value).slice(8, -1) : String(value);

/** A file that its user has moved or changed since cannot be read. */
async function bytesOf(file: Blob): Promise<Bytes> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw new WeightsError(`the file of weights cannot be read: ${(error as Error).message}`);
  }
}

function absolute(address: string): string {
  const base = (globalThis as { readonly location?: { readonly href?: string } }).location?.href;
  const url = URL.canParse(address, base) ? new URL(address, base) : undefined;
  if (url && url.protocol !== "file:") return url.href;
  throw new InputError(
    `\`${address}\` is not an address that \`fetch\` reads: ` +
      "pass the bytes of a file, in Node those of `readFile`",
  );
}

interface DownloadParts {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => unknown) | undefined;
  /** What the browser has kept of an earlier download. */
  readonly kept?: KeptFile | undefined;
}

/** One file, over as many requests as it takes. */
class Download {
  /** Whether the file is another one than that which was kept. */
  isNew = true;
  /** What tells one state of the file from another, for `If-Range` and `If-None-Match`. */
  validator: string | undefined;
  private chunks: Uint8Array[] = [];
  private loaded = 0;
  private total: number | undefined;
  private isFirst = true;
  /** The most bytes that an attempt has come to. */
  private farthest = 0;

  constructor(
    private readonly start: Start,
    private readonly parts: DownloadParts,
  ) {}

  async run(): Promise<Bytes> {
    const { start } = this;
    if ("bytes" in start) return start.bytes;
    for (let failures = 0; ;) {
      try {
        const response = await this.request();
        if (response === undefined) return await this.keptBytes();
        await this.receive(response);
        return joined(this.chunks, this.loaded);
      } catch (error) {
        this.parts.signal?.throwIfAborted();
        if (error instanceof CallbackFailed) throw error.cause;
        if (!isInterruption(error)) throw error;
        failures = this.loaded > this.farthest ? 1 : failures + 1;
        this.farthest = Math.max(this.farthest, this.loaded);
        if (failures >= MOST_ATTEMPTS || !this.url) return await this.give(error);
        await this.pause(failures);
      }
    }
  }

  /** Where more of the file can be asked for; undefined for a Response that was made by hand. */
  private get url(): string | undefined {
    const { start } = this;
    if ("url" in start) return start.url;
    return "response" in start && start.response.url !== "" ? start.response.url : undefined;
  }

  /** The next response; undefined where the file that was kept is still the one. */
  private async request(): Promise<Response | undefined> {
    const { start } = this;
    const first = this.isFirst;
    this.isFirst = false;
    if (first && "response" in start) return this.given(start.response);
    const { signal, kept } = this.parts;
    const response = await fetch(this.url!, { headers: this.headers(), signal: signal ?? null });
    return response.status === 304 && kept && this.loaded === 0 ? undefined : response;
  }

  private given(response: Response): Response {
    if (!response.bodyUsed) return response;
    throw new InputError("the body of this Response was read already: pass another");
  }

  /** Asks for the rest of a file, or whether it is another than the one that was kept. */
  private headers(): Record<string, string> {
    const { kept } = this.parts;
    if (this.loaded > 0) return { Range: `bytes=${this.loaded}-`, "If-Range": this.validator! };
    const isTag = kept?.validator?.includes('"');
    if (!kept?.validator) return {};
    return { [isTag ? "If-None-Match" : "If-Modified-Since"]: kept.validator };
  }

  private async receive(response: Response): Promise<void> {
    const isRest = response.status === 206 && this.continues(response);
    if (!isRest) this.restart(response);
    const reader = response.body?.getReader();
    while (reader) {
      const { done, value } = await reader.read();
      if (done) break;
      this.chunks.push(value);
      this.loaded += value.length;
      await this.tell();
    }
    if (this.total === undefined || this.loaded === this.total) return;
    throw new Interruption(`${this.loaded} of ${this.total} bytes came`);
  }

  /** What `onProgress` throws ends the download, unlike an interruption. */
  private async tell(): Promise<void> {
    try {
      await this.parts.onProgress?.({ loaded: this.loaded, total: this.total });
    } catch (error) {
      throw new CallbackFailed("`onProgress` failed", { cause: error });
    }
  }

  /** Whether a partial response is the rest of the same file. */
  private continues({ headers }: Response): boolean {
    const [, start, total] =
      /^bytes (\d+)-\d+\/(\d+)/.exec(headers.get("content-range") ?? "") ?? [];
    const isSame = this.validator === undefined || validatorOf(headers) === this.validator;
    return Number(start) === this.loaded && Number(total) === this.total && isSame;
  }

  /** Begins with a response to the whole file: the first, or one that takes no ranges. */
  private restart(response: Response): void {
    const { status, statusText, headers } = response;
    [this.chunks, this.loaded] = [[], 0];
    // What it answers is about the rest of another file: the next request is for all of it.
    if (status === 416 || status === 206) throw new Interruption("the file has changed");
    if (!response.ok) {
      const reason = `${status} ${statusText}`.trim();
      throw new WeightsError(`cannot load weights from ${this.name(response)}: ${reason}`);
    }
    const length = headers.get("content-length");
    const isPlain = !headers.get("content-encoding");
    this.total = isPlain && length !== null ? Number(length) : undefined;
    // Of a compressed file, the count of bytes that came is not that of those sent.
    this.validator = isPlain ? validatorOf(headers) : undefined;
  }

  private name({ url }: Response): string {
    return url || this.url || "a Response";
  }

  /** The copy that the browser has, for which `onProgress` is called once. */
  private async keptBytes(): Promise<Bytes> {
    const { bytes } = this.parts.kept!;
    this.isNew = false;
    this.loaded = this.total = bytes.length;
    try {
      await this.tell();
    } catch (error) {
      throw (error as CallbackFailed).cause;
    }
    return bytes;
  }

  /** The copy that was kept, where there is no connection, or the reason why there are no bytes. */
  private async give(error: unknown): Promise<Bytes> {
    if (this.parts.kept && this.loaded === 0) return this.keptBytes();
    const { message, cause } = error as Error & { readonly cause?: { readonly message?: string } };
    const reason = cause?.message ? `${message} (${cause.message})` : message;
    const of = this.total === undefined ? "" : ` of ${this.total}`;
    const came =
      this.farthest === 0 && this.total === undefined
        ? " (no answer came: is the server up, and does it allow this page by CORS?)"
        : `, after ${this.farthest}${of} bytes`;
    throw new WeightsError(
      `cannot load weights from ${this.url ?? "a Response"}: ${reason}${came}`,
    );
  }

  /** A file whose state cannot be told is not continued. */
  private async pause(failures: number): Promise<void> {
    if (!this.validator) [this.chunks, this.loaded] = [[], 0];
    const { signal } = this.parts;
    const time = FIRST_PAUSE_MILLISECONDS * 2 ** (failures - 1);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, time);
      const stop = () => {
        clearTimeout(timer);
        reject(signal!.reason as Error);
      };
      signal?.addEventListener("abort", stop, { once: true });
    });
  }
}

class Interruption extends Error {}

class CallbackFailed extends Error {}

/** Whether a connection failed, as `fetch` and its streams say it, and not the request. */
const isInterruption = (error: unknown): boolean =>
  error instanceof Interruption || (error instanceof Error && error.name === "TypeError");

/** A strong ETag, or else the date of the last change. */
function validatorOf(headers: Headers): string | undefined {
  const tag = headers.get("etag");
  return tag && !tag.startsWith("W/") ? tag : (headers.get("last-modified") ?? undefined);
}

function joined(chunks: readonly Uint8Array[], length: number): Bytes {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
