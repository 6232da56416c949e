/**
 * Next.js: `export default netc({ ... })` in next.config.mjs adds a rule for specs to Turbopack and
 * webpack.
 */
import type { CompileSettings } from "./compile.js";

/** What is used of webpack's configuration. */
interface WebpackConfig {
  readonly module: { readonly rules: unknown[] };
}

/** What is used of Turbopack's. */
interface TurbopackConfig {
  readonly rules?: Readonly<Record<string, unknown>>;
}

/** What is used of Next's configuration. */
interface NextConfig {
  readonly webpack?: ((config: WebpackConfig, context: unknown) => WebpackConfig) | null;
  readonly turbopack?: TurbopackConfig;
}

/** The configuration with rules for specs, compiled with these settings. */
export default function netc<Config extends object>(
  config: Config,
  settings: CompileSettings = {},
): Config {
  const own = config as NextConfig;
  const use = { loader: "netc/loader", options: settings };
  const withRule = (options: WebpackConfig, context: unknown): WebpackConfig => {
    options.module.rules.push({ test: /\.net$/, use });
    return own.webpack?.(options, context) ?? options;
  };
  const rules = { ...own.turbopack?.rules, "*.net": { loaders: [use], as: "*.js" } };
  return { ...config, webpack: withRule, turbopack: { ...own.turbopack, rules } };
}
