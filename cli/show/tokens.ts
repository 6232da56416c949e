/** `netc show` of models with a class for each token: a page of rows of a table. */
import { basename } from "node:path";
import { tensorsOf } from "../../program/tensors.js";
import { visible } from "../../program/visible.js";
import type { PageToken, TokensPage } from "../../report/tokens-page.js";
import { renderTokens } from "../../report/tokens-page.js";
import type { Network } from "../../runtime/network.js";
import { parametersOf, type CompiledSpec } from "../compiled.js";
import { trainedClassNames } from "../data.js";
import { wrongInput } from "../failure.js";
import { writeOutput } from "../files.js";
import { openNetwork } from "../open-network.js";
import type { AdapterOptions } from "../options.js";
import { tokensIn } from "../predict-tokens.js";
import { predictedBatches, type Predictable } from "../predict-rows.js";
import { openRows, requireTable } from "../table-rows.js";
import { print } from "../terminal.js";
import { classNamesOf, loadWeights, readWeights, tableOf } from "../weights.js";

export interface ShowTokensOptions extends AdapterOptions {
  readonly weights: string;
  readonly output?: string;
  readonly layer?: string;
  readonly class?: string;
  readonly top: number;
}

/** More rows than anyone looks at. */
const MOST_ROWS = 20;

/** Writes a page with the classes of the tokens of the first rows of a table. */
export async function showTokens(
  compiled: CompiledSpec,
  table: string,
  options: ShowTokensOptions,
): Promise<void> {
  requireNoMap(options);
  requireTable(compiled, [table], {});
  const weights = await readWeights(options.weights, parametersOf(compiled));
  const rows = await openRows(compiled, table, tableOf(weights));
  const first = Math.min(rows.length, MOST_ROWS);
  const network = await openNetwork(compiled, { batch: first, adapter: options.adapter });
  try {
    await loadWeights(network, weights);
    const names = classNamesOf(weights) ?? (await trainedClassNames(compiled)) ?? [];
    const page: TokensPage = {
      model: network.program.model,
      table: basename(table),
      weights: basename(options.weights),
      rows: await shownRows({ network, compiled, rows, names, top: options.top }),
      of: rows.length,
    };
    const output = options.output ?? `${basename(table)}.html`;
    await writeOutput(output, renderTokens(page));
    print(`wrote ${output}: the classes of the tokens of ${page.rows.length} rows`);
  } finally {
    network.destroy();
  }
}

/** Only classes of pictures have a map, of a layer and a class. */
function requireNoMap({ layer, class: wanted }: ShowTokensOptions): void {
  if (layer === undefined && wanted === undefined) return;
  throw wrongInput(
    `--${layer === undefined ? "class" : "layer"} is for the map of a picture, and this model ` +
      "predicts a class for each token",
    "--top says how many classes of each to show",
  );
}

interface RowParts {
  readonly network: Network;
  readonly compiled: CompiledSpec;
  readonly rows: Predictable;
  readonly names: readonly string[];
  readonly top: number;
}

/** The rows of one batch. */
async function shownRows(parts: RowParts): Promise<TokensPage["rows"]> {
  const { network, compiled, rows, names, top } = parts;
  for await (const { rowsOf, count } of predictedBatches(network, compiled, rows)) {
    const shown = Array.from({ length: count }, async (_, index) => {
      const tokens = tokensIn(rowsOf(undefined, index), network, { names, top });
      const read = await tokensRead(parts, index, tokens.length);
      const cells = tokens.map((classes, place): PageToken => ({ read: read?.[place], classes }));
      return { name: visible(rows.readable()[index]!.name), tokens: cells };
    });
    return Promise.all(shown);
  }
  return [];
}

/** Tokens of the one input, where it has one for each class. */
async function tokensRead(
  { network, rows }: RowParts,
  index: number,
  tokens: number,
): Promise<readonly string[] | undefined> {
  const [input, ...others] = tensorsOf(network.program, "input");
  if (!input?.classes || others.length > 0 || input.shape[0] !== tokens) return undefined;
  const example = await rows.get(index);
  return example && Array.from(example.image.pixels, String);
}
