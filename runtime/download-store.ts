/** Where browsers keep files of weights: the Cache API, or the origin's private file system. */
import type { DownloadOptions } from "./calls.js";
import { murmur3 } from "./checksum.js";
import { InputError } from "./errors.js";

export interface KeptFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** An ETag or a date, with which the server is asked whether the file is another. */
  readonly validator: string | undefined;
}

export interface Store {
  read(url: string): Promise<KeptFile | undefined>;
  write(url: string, file: KeptFile): Promise<void>;
  remove(url: string): Promise<void>;
}

/** Of all caches and folders of the page's origin, netc's own. */
const NAME = "netc-weights";

const VALIDATOR = "x-validator";

/** Rejects with an InputError where there is no such store. */
export async function storeOf(cache: NonNullable<DownloadOptions["cache"]>): Promise<Store> {
  if (cache !== "cache-api" && cache !== "opfs") {
    throw new InputError(`\`cache\` must be "cache-api" or "opfs", not ${String(cache)}`);
  }
  try {
    return cache === "cache-api" ? inCache(await caches.open(NAME)) : inFiles(await openFolder());
  } catch (error) {
    throw new InputError(
      `\`cache: "${cache}"\` needs a browser, and a page that came over https: ` +
        (error as Error).message,
    );
  }
}

const openFolder = async () =>
  (await navigator.storage.getDirectory()).getDirectoryHandle(NAME, { create: true });

function inCache(cache: Cache): Store {
  return {
    async read(url) {
      const response = await cache.match(url);
      if (!response) return undefined;
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { bytes, validator: response.headers.get(VALIDATOR) ?? undefined };
    },
    write: async (url, { bytes, validator }) => {
      const headers = new Headers(validator === undefined ? [] : [[VALIDATOR, validator]]);
      await cache.put(url, new Response(bytes, { headers }));
    },
    remove: async (url) => {
      await cache.delete(url);
    },
  };
}

/** Two files each: the bytes, and a description, which is written last. */
function inFiles(folder: FileSystemDirectoryHandle): Store {
  const fileOf = (name: string, create: boolean) => folder.getFileHandle(name, { create });
  const write = async (name: string, content: string | Uint8Array<ArrayBuffer>) => {
    const stream = await (await fileOf(name, true)).createWritable();
    await stream.write(content);
    await stream.close();
  };
  const remove = (name: string) => folder.removeEntry(name).catch(() => undefined);
  return {
    async read(url) {
      const name = nameOf(url);
      try {
        const description = await (await (await fileOf(`${name}.json`, false)).getFile()).text();
        const { url: own, validator } = JSON.parse(description) as Record<string, string>;
        if (own !== url) return undefined;
        const file = await (await fileOf(name, false)).getFile();
        return { bytes: new Uint8Array(await file.arrayBuffer()), validator };
      } catch {
        return undefined;
      }
    },
    async write(url, { bytes, validator }) {
      const name = nameOf(url);
      await remove(`${name}.json`);
      await write(name, bytes);
      await write(`${name}.json`, JSON.stringify({ url, validator }));
    },
    async remove(url) {
      await remove(`${nameOf(url)}.json`);
      await remove(nameOf(url));
    },
  };
}

/** Of a file; two addresses may have the same. */
const nameOf = (url: string): string => murmur3(new TextEncoder().encode(url)).toString(16);
