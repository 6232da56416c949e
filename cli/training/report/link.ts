/** Addresses of files, as pages in a run's folder link them. */
import { existsSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";

/** Undefined where `path` is not a file but, for example, a place in an archive. */
export function linkTo(path: string, folder: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const found = relative(resolve(folder), resolve(path));
  // On another drive there is no relative path.
  if (isAbsolute(found)) return pathToFileURL(found).href;
  return found.split(sep).map(encodeURIComponent).join("/");
}
