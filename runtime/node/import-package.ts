/**
 * Packages with native code or threads. Bundlers must leave them to Node, so their names are not
 * where an import would show them.
 */

/** Imports a package at run time, from where the program that calls is installed. */
export function importPackage(name: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name);
}
