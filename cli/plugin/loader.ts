/** A webpack loader, for Next.js. */
import { writeDeclarations } from "./index.js";
import { compileFile, isInside, type CompileSettings } from "./compile.js";

/** What the loader uses of webpack's context. */
interface LoaderContext {
  readonly resourcePath: string;
  /** `?inspect`, or nothing. */
  readonly resourceQuery: string;
  getOptions(): CompileSettings;
  addDependency(file: string): void;
  emitWarning?(warning: Error): void;
}

/** The module of the spec. Rejects with the first mistake and its lines. */
export default async function load(this: LoaderContext): Promise<string> {
  const { resourcePath, resourceQuery } = this;
  const compiled = await compileFile(resourcePath, this.getOptions());
  const { module, insideModule, declarations, imports, errors, warnings } = compiled;
  for (const file of imports) this.addDependency(file);
  for (const { frame } of warnings) this.emitWarning?.(new Error(frame));
  const [error] = errors;
  if (error) throw new Error(error.frame);
  if (isInside(resourceQuery)) return insideModule;
  await writeDeclarations(resourcePath, declarations);
  return module;
}
