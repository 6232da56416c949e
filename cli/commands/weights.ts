import { InvalidArgumentError, Option, type Command } from "commander";
import { adviceOf, rowsOf, summarize } from "../../interchange/weights/describe.js";
import type { Matching } from "../../interchange/weights/match.js";
import type { Form } from "../../interchange/weights/shrink.js";
import { analyzeSpec, tensorsOf } from "../compiled.js";
import { ExitCode, Reported, wrongUsage } from "../failure.js";
import { plural } from "../format.js";
import { matchingTable, type FileWeights } from "../foreign-weights.js";
import { useWeights } from "../weights.js";
import { adapterOption, jsonOption, positiveInteger } from "../options.js";
import { shrinkFile, shrinkMeasured, type SmallWeightsFlags } from "../small-weights.js";
import { keyOption, renameOption } from "../weights-options.js";
import { print, printJson, say, warn, widthOf } from "../terminal.js";
import { describeCommand } from "./command.js";

interface WeightsOptions extends Omit<SmallWeightsFlags, "output"> {
  readonly output?: string;
}

export function weightsCommand(): Command {
  return describeCommand(
    "weights",
    "Match the tensors of a weights file with the model's weights; with -o, quantize weights.",
    [
      "weights specs/resnet18.net resnet18.pth",
      "weights mine.net theirs.safetensors --rename 'fc.*=classifier.logits.*'",
      "weights best.safetensors -o small.safetensors --as u8",
      "weights specs/digits.net best.safetensors -o small.safetensors --target-loss 0.5",
    ],
  )
    .argument("<spec>", "the spec file; with -o and --as it may be left out")
    .argument("[file]", "the weights: safetensors, or PyTorch's .pth and .pt")
    .option("--model <name>", "the model, if the spec has several (without -o)")
    .addOption(renameOption())
    .addOption(keyOption())
    .option("-o, --output <file>", "write smaller weights; with a spec, measure what they cost")
    .addOption(new Option("--as <form>", "storage type for weights").choices(SMALL_FORMS))
    .option(
      "--target-loss <points>",
      "choose the smallest type for each weight within this loss of accuracy, in points",
      notNegative,
    )
    .option("--train <name>", "the recipe whose model and data to use (with -o)")
    .option("--data <dir>", "read this folder instead of the one in the spec (with -o)")
    .option("--batch <n>", "examples per call (default: the recipe's batch)", positiveInteger)
    .option("--max-skipped <n>", "unreadable files to tolerate (default: 1%)", positiveInteger)
    .option("--overwrite", "replace an existing file")
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(runWeights);
}

const SMALL_FORMS: readonly Form[] = ["f16", "u8", "u4"];

function notNegative(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("Expected a number of at least 0, such as 0.5.");
}

async function runWeights(
  first: string,
  second: string | undefined,
  options: WeightsOptions,
): Promise<void> {
  refuseUseless(second, options);
  const { output } = options;
  if (output !== undefined) {
    const flags = { ...options, output };
    return second === undefined ? shrinkFile(first, flags) : shrinkMeasured(first, second, flags);
  }
  if (second !== undefined) return showWeights(first, second, options);
  throw wrongUsage(
    "which weights? `netc weights SPEC FILE` shows which tensor is which, " +
      "and `netc weights FILE -o OUT --as u8` writes smaller ones",
  );
}

/** Flags of the table, of small weights, and of small weights that are measured. */
function refuseUseless(second: string | undefined, options: WeightsOptions): void {
  const { output, as, targetLoss, model } = options;
  const isOneForm = (as === undefined) !== (targetLoss === undefined);
  if (output !== undefined && !isOneForm) {
    throw wrongUsage(`-o ${output} needs either --as f16, u8 or u4, or --target-loss POINTS`);
  }
  if (output !== undefined && model !== undefined) {
    throw wrongUsage("--model is for the table: with -o, --train NAME says which recipe's model");
  }
  if (output === undefined && (as !== undefined || targetLoss !== undefined)) {
    throw wrongUsage("--as and --target-loss write smaller weights: -o FILE says where to");
  }
  const useless = MEASURING.find(([flag]) => options[flag] !== undefined);
  if (useless && (output === undefined || second === undefined)) {
    throw wrongUsage(`${useless[1]} is for weights that are measured: SPEC FILE -o OUT`);
  }
}

const MEASURING = [
  ["targetLoss", "--target-loss"],
  ["train", "--train"],
  ["data", "--data"],
  ["batch", "--batch"],
  ["maxSkipped", "--max-skipped"],
] as const;

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
