/** A webpack loader, for Next.js. */
import { writeDeclarations } from "./index.js";
import { compileFile } from "./compile.js";

/** What the loader uses of webpack's context. */
interface LoaderContext {
  readonly resourcePath: string;
  addDependency(file: string): void;
  emitWarning?(warning: Error): void;
}

/** The module of the spec. Rejects with the first mistake and its lines. */
export default async function load(this: LoaderContext): Promise<string> {
  const { module, declarations, imports, errors, warnings } = await compileFile(this.resourcePath);
  for (const file of imports) this.addDependency(file);
  for (const { frame } of warnings) this.emitWarning?.(new Error(frame));
  const [error] = errors;
  if (error) throw new Error(error.frame);
  await writeDeclarations(this.resourcePath, declarations);
  return module;
}
