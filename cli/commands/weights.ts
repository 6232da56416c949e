import type { Command } from "commander";
import { adviceOf, rowsOf, summarize } from "../../interchange/weights/describe.js";
import type { Matching } from "../../interchange/weights/match.js";
import { analyzeSpec, tensorsOf } from "../compiled.js";
import { ExitCode, Reported } from "../failure.js";
import { plural } from "../format.js";
import { matchingTable, type FileWeights } from "../foreign-weights.js";
import { useWeights } from "../weights.js";
import { jsonOption } from "../options.js";
import { keyOption, renameOption, type WeightsFlags } from "../weights-options.js";
import { print, printJson, say, warn, widthOf } from "../terminal.js";
import { describeCommand } from "./command.js";

interface WeightsOptions extends WeightsFlags {
  readonly model?: string;
  readonly json?: boolean;
}

export function weightsCommand(): Command {
  return describeCommand(
    "weights",
    "Show which tensor of a weights file fills which of a model, and how sure that is.",
    [
      "weights specs/resnet18.net resnet18.pth",
      "weights mine.net theirs.safetensors --rename 'fc.*=classifier.logits.*'",
    ],
  )
    .argument("<spec>", "the spec file")
    .argument("<file>", "the weights: safetensors, or PyTorch's .pth and .pt")
    .option("--model <name>", "the model, where the spec has several")
    .addOption(renameOption())
    .addOption(keyOption())
    .addOption(jsonOption())
    .action(showWeights);
}

async function showWeights(path: string, file: string, options: WeightsOptions): Promise<void> {
  const analyzed = await analyzeSpec(path, { model: options.model });
  const matched = await useWeights(file, tensorsOf(analyzed), options, (each) => each);
  const { weights, matching } = matched;
  const notes = [...weights.notes, ...matching.remarks];
  if (options.json) printJson({ matched: rowsOf(matching), notes });
  else showMatching(file, weights, matching);
  if (matching.unmatched.length > 0) throw new Reported(ExitCode.wrongInput);
}

function showMatching(path: string, weights: FileWeights, matching: Matching): void {
  for (const note of weights.notes) say(`${path}: ${note}`);
  print(matchingTable(matching, widthOf(process.stdout)));
  const { matches, unmatched, left } = matching;
  const likely = matches.filter(({ sure }) => sure === "likely").length;
  const parts = [
    `${plural(matches.length, "tensor")} matched (${summarize(matching) || "none"})`,
    ...(likely > 0 ? [`${likely} of them likely, not sure`] : []),
    ...(unmatched.length > 0 ? [`${unmatched.length} without a match`] : []),
    ...(left.length > 0 ? [`${left.length} of the file not used`] : []),
  ];
  print(`\n${parts.join("; ")}`);
  for (const remark of matching.remarks) warn(remark);
  for (const advice of adviceOf(matching)) say(`help: ${advice}`);
}
