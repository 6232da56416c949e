import type { Program } from "../../program/program.js";
import type { TrainRecipe } from "../../program/recipe.js";
import { blockComment, lineComment, literal, typeName } from "./text.js";

/** The module's types: names of parameters and metrics as literal unions, so that a misspelt one does not compile. */
export function emitDeclarations(
  program: Program,
  recipe: TrainRecipe | undefined,
  documentation: string | undefined,
): string {
  const { model, input, metrics, parameters, source } = program;
  const image = `${input.channels} x ${input.height} x ${input.width}`;
  const imports = [
    ...(describeTargets(program).type === "Labels" ? ["Labels"] : []),
    ...["Network", "NetworkOptions", "Program", ...(recipe ? ["TrainRecipe"] : [])],
  ];
  const type = typeName(model);
  const union = (names: readonly string[]) =>
    names.length > 0 ? names.map((name) => literal(name)).join("\n  | ") : "never";
  return [
    lineComment(`${model}, compiled by netc from ${source.file}.`),
    `import type { ${imports.join(", ")} } from "netc/runtime";`,
    "",
    "/** Names of the parameters, as `read` and `write` take them. */",
    `export type ${model}Parameter =\n  | ${union(parameters.map(({ name }) => name))};`,
    "",
    "/** What `step` and `evaluate` return. */",
    `export type ${model}Metric =\n  | ${union(metrics)};`,
    "",
    `export type ${type} = Network<${model}Metric, ${model}Parameter, ${describeTargets(program).type}>;`,
    "",
    ...blockComment([
      ...(documentation ? [documentation, ""] : []),
      `Creates the network on a GPU. Images are ${image}, in NCHW order${describeTargets(program).words}.`,
    ]),
    `export declare function create${model}(options?: NetworkOptions): Promise<${type}>;`,
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

/** What `step` takes beside the images: its type, and how the documentation puts it. */
function describeTargets({ classes, targets }: Program): {
  readonly type: string;
  readonly words: string;
} {
  if (targets) {
    const words = `; \`${targets.name}\` is ${targets.shape.join(" x ")} numbers an image`;
    return { type: "Float32Array", words };
  }
  if (classes === undefined) return { type: "void", words: "" };
  return { type: "Labels", words: `; labels are 0 to ${classes - 1}` };
}
