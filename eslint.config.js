import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import typescript from "typescript-eslint";
import { constantStyle } from "./scripts/constant-style.js";

const NODE_GLOBALS = {
  console: "readonly",
  process: "readonly",
  performance: "readonly",
  setTimeout: "readonly",
  clearTimeout: "readonly",
  URL: "readonly",
  Buffer: "readonly",
  fetch: "readonly",
  navigator: "readonly",
};

/**
 * Prettier wraps code; this holds what it leaves as it is: strings, template literals, comments.
 * Only a URL may be longer, since it cannot be broken.
 */
const MAX_LENGTH = ["error", { code: 100, ignoreUrls: true }];

/** An object's properties are written out: what is absent is undefined. */
const WRITTEN_OUT = [
  {
    selector: "ObjectExpression > SpreadElement > ObjectExpression",
    message: "Write out the properties, without a spread.",
  },
  {
    selector: "ObjectExpression > SpreadElement > ConditionalExpression",
    message: "Write the properties with a condition each, or name the object and spread it.",
  },
  {
    selector: "ObjectExpression > SpreadElement > LogicalExpression",
    message:
      "Write the property as `name: condition ? value : undefined`. " +
      "Where readers list the names, " +
      "`withoutUndefined` (program/without-undefined.ts) leaves those out that are undefined.",
  },
];

export default defineConfig(
  globalIgnores([
    "dist",
    "build",
    "node_modules",
    "bench/node_modules",
    "runs",
    ".cache",
    "test/fixtures",
    // Code of other people's projects, for browsers.
    "create-netc/templates",
    "examples/teachable",
  ]),
  eslint.configs.recommended,
  {
    files: ["**/*.{ts,js,mjs,cjs}"],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    // protoc-gen-es writes these.
    ignores: ["**/*_pb.ts"],
    plugins: { netc: { rules: { "constant-style": constantStyle } } },
    rules: {
      "max-len": MAX_LENGTH,
      "netc/constant-style": "error",
      "no-restricted-syntax": ["error", ...WRITTEN_OUT],
    },
  },
  {
    files: ["**/*.ts"],
    extends: [typescript.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: "./tsconfig.test.json", tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": [
        "error",
        { disallowTypeAnnotations: false, fixStyle: "separate-type-imports" },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
      // Numbers in messages are what the messages are about.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      "no-restricted-syntax": [
        "error",
        ...WRITTEN_OUT,
        {
          selector: ":matches(PropertyDefinition, MethodDefinition) > PrivateIdentifier.key",
          message: "Write `private` instead of `#`.",
        },
      ],
    },
  },
  {
    // Tests describe themselves in long blocks, and hand wrong values to what they test.
    files: ["test/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-unsafe-call": "off",
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: { globals: { ...NODE_GLOBALS, module: "readonly" } },
  },
);
