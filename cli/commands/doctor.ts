import type { Command } from "commander";
import type { DoctorReport } from "../../runtime/node/doctor.js";
import { ExitCode, Reported } from "../failure.js";
import { formatBytes } from "../../program/format-bytes.js";
import { formatCount } from "../format.js";
import { adapterOption, jsonOption, type AdapterOptions } from "../options.js";
import { print, printJson, styled } from "../terminal.js";
import { describeCommand } from "./command.js";

interface DoctorOptions extends AdapterOptions {
  readonly json?: boolean;
}

export function doctorCommand(): Command {
  return describeCommand(
    "doctor",
    "Show all adapters, the chosen one and why, its limits, and how to get a faster one.",
    ["doctor", "doctor --adapter lavapipe --json"],
  )
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(examine);
}

/** Exits with 3 where there is no GPU to run on. */
async function examine(options: DoctorOptions): Promise<void> {
  const { doctor } = await import("../../runtime/node/doctor.js");
  const report = await doctor(options.adapter);
  if (options.json) printJson(report);
  else print(describeReport(report));
  if (report.chosen === undefined) throw new Reported(ExitCode.noAdapter);
}

function describeReport(report: DoctorReport): string {
  const blocks = [
    [`system    ${report.system}`],
    ["adapters", ...describeAdapters(report)],
    [...describeChoice(report)],
    report.advice.map((line) => `${styled("cyan", "faster", process.stdout)}: ${line}`),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n");
}

function describeAdapters({ adapters, tried }: DoctorReport): string[] {
  const found = adapters.map(({ name, source, software }) => {
    const kind = software ? "software" : "hardware";
    return `  ${name} (${kind}, ${source})`;
  });
  const failed = tried
    .filter(({ outcome }) => !/^(found|has) /.test(outcome))
    .map(({ source, outcome }) =>
      styled("dim", `  none from ${source}: ${outcome}`, process.stdout),
    );
  return [...found, ...failed];
}

function describeChoice({ wish, chosen, problem, limits, features }: DoctorReport): string[] {
  if (chosen === undefined) return [`no adapter for \`${wish}\`: ${problem ?? "none was found"}`];
  const [least, most] = chosen.subgroupSizes;
  return [
    `chosen    ${styled("bold", chosen.name, process.stdout)}, because ${chosen.reason}`,
    `kernels   ${chosen.target}, subgroups of ${least === most ? least : `${least} to ${most}`}`,
    `limits    ${describeLimits(limits)}`,
    `features  ${features.join(", ")}`,
  ];
}

function describeLimits(limits: DoctorReport["limits"]): string {
  const bytes = (name: string) => formatBytes(limits[name] ?? 0);
  const count = (name: string) => formatCount(limits[name] ?? 0);
  return [
    `binding ${bytes("maxStorageBufferBindingSize")}`,
    `buffer ${bytes("maxBufferSize")}`,
    `${count("maxStorageBuffersPerShaderStage")} storage buffers a kernel`,
    `workgroups of ${count("maxComputeInvocationsPerWorkgroup")}`,
    `workgroup memory ${bytes("maxComputeWorkgroupStorageSize")}`,
  ].join(", ");
}
