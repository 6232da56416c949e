/**
 * One plugin for all bundlers: `import { createAlexNet } from "./alexnet.net"` compiles the spec.
 */
import { createUnplugin, type UnpluginFactory } from "unplugin";
import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "../../runtime/node/write-file.js";
import { compileFile, isInside, type CompileSettings } from "./compile.js";

export interface PluginOptions extends CompileSettings {
  /** Whether `NAME.net.d.ts` is written next to a spec; true unless given. */
  readonly declarations?: boolean;
}

const factory: UnpluginFactory<PluginOptions | undefined> = (options = {}) => {
  let isServing = false;
  return {
    name: "netc",
    loadInclude: isSpec,
    async load(id) {
      const path = pathOf(id);
      const compiled = await compileFile(path, options);
      const { module, insideModule, declarations, imports, errors, warnings } = compiled;
      for (const file of imports) this.addWatchFile(file);
      if (isInside(id)) return { code: insideModule, map: null };
      for (const warning of warnings) this.warn({ ...warning, message: textOf(warning) });
      const [error] = errors;
      if (error) {
        this.error({ ...error, message: textOf(error) });
        // With esbuild it returns, and the mistake is shown only with a module.
        return { code: "", map: null };
      }
      if (options.declarations ?? true) await writeDeclarations(path, declarations);
      return { code: isServing ? keepingWeights(module) : module, map: null };
    },
    vite: {
      configResolved: ({ command }) => {
        isServing = command === "serve";
      },
    },
  };
};

/** The plugin of each bundler, as a function of its options. */
export const netc = createUnplugin(factory);
export const { vite, rollup, rolldown, webpack, rspack, esbuild } = netc;

/** Bundlers put queries behind paths. */
const pathOf = (id: string) => id.replace(/[?#].*$/, "");

const isSpec = (id: string) => /\.net$/.test(pathOf(id));

/** Several lines: the message, and the lines of the spec that it is about. */
const textOf = ({ message, frame }: { readonly message: string; readonly frame: string }) =>
  `${message}\n${frame}`;

/** An unchanged file keeps its time, so that no other tool looks at it again. */
export async function writeDeclarations(path: string, text: string): Promise<void> {
  const file = `${path}.d.ts`;
  const before = await readFile(file, "utf8").catch(() => undefined);
  if (before !== text) await writeFileAtomically(file, text);
}

/**
 * In a dev server, networks of a changed spec begin with the weights of those before, where names
 * and shapes are the same.
 */
const keepingWeights = (module: string) =>
  module.replace(
    'import { createNetwork } from "netc/runtime";',
    [
      'import { createNetwork as createWithoutWeights } from "netc/runtime";',
      'import { keepWeights } from "netc/hot";',
      "",
      "const createNetwork = keepWeights(createWithoutWeights, import.meta.hot);",
    ].join("\n"),
  );
