import type { Program } from "../../program/program.js";
import type { TrainRecipe } from "../../program/recipe.js";

/** The module's types: names of parameters and metrics as literal unions, so that a misspelt one does not compile. */
export function emitDeclarations(
  program: Program,
  recipe: TrainRecipe | undefined,
  documentation: string | undefined,
): string {
  const { model, input, classes, metrics, parameters, source } = program;
  const image = `${input.channels} x ${input.height} x ${input.width}`;
  const union = (names: readonly string[]) =>
    names.length > 0 ? names.map((name) => JSON.stringify(name)).join("\n  | ") : "never";
  return [
    `// ${model}, compiled by netc from ${source.file}.`,
    `import type { Network, NetworkOptions, Program${recipe ? ", TrainRecipe" : ""} } from "netc/runtime";`,
    "",
    "/** Names of the parameters, as `read` and `write` take them. */",
    `export type ${model}Parameter =\n  | ${union(parameters.map(({ name }) => name))};`,
    "",
    "/** What `step` and `evaluate` return. */",
    `export type ${model}Metric =\n  | ${union(metrics)};`,
    "",
    `export type ${model} = Network<${model}Metric, ${model}Parameter>;`,
    "",
    ...comment([
      ...(documentation ? [documentation, ""] : []),
      `Creates the network on a GPU. Images are ${image}, in NCHW order${classes === undefined ? "" : `; labels are 0 to ${classes - 1}`}.`,
    ]),
    `export declare function create${model}(options?: NetworkOptions): Promise<${model}>;`,
    "",
    "/** The compiled programs, one for each kind of adapter. */",
    "export declare const programs: readonly Program[];",
    ...(recipe
      ? [
          "",
          "/** The spec's training recipe, for `fit`. */",
          "export declare const recipe: TrainRecipe;",
        ]
      : []),
    "",
  ].join("\n");
}

function comment(lines: readonly string[]): string[] {
  const text = lines.flatMap((line) => line.replaceAll("*/", "*\\/").split("\n"));
  return ["/**", ...text.map((line) => ` * ${line}`.trimEnd()), " */"];
}
