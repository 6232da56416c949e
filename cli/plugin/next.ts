/** Next.js: `export default netc({ ... })` in next.config.mjs adds a rule for specs. */

/** What is used of webpack's configuration. */
interface WebpackConfig {
  readonly module: { readonly rules: unknown[] };
}

/** What is used of Next's configuration. */
interface NextConfig {
  readonly webpack?: ((config: WebpackConfig, context: unknown) => WebpackConfig) | null;
}

const LOADER = "netc/loader";

/** The configuration with a rule for specs, for `next dev --webpack` and `next build --webpack`. */
export default function netc<Config extends object>(config: Config): Config {
  const own = config as NextConfig;
  const withRule = (options: WebpackConfig, context: unknown): WebpackConfig => {
    options.module.rules.push({ test: /\.net$/, use: LOADER });
    return own.webpack?.(options, context) ?? options;
  };
  return { ...config, webpack: withRule };
}
