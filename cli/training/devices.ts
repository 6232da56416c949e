/** `netc train --devices N`: ranks on one machine, started through its MPI launcher. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { listAdapters } from "../../runtime/node/adapters.js";
import type { Launch } from "../../runtime/node/mpi/index.js";
import { Reported, wrongInput, wrongUsage, type ExitCode } from "../failure.js";

const LAUNCHERS = ["mpirun", "mpiexec"];

/** Throws where a launcher has started another number of ranks than `--devices` asks for. */
export function checkDevices(devices: number | undefined, { size }: Launch): void {
  if (devices === undefined || devices === size) return;
  throw wrongUsage(
    `--devices ${devices} under a launcher that started ${size} processes`,
    "leave out --devices under mpirun, or mpirun with --devices",
  );
}

/** Runs this command line once for each device. Throws a Reported error with its exit code. */
export async function startDevices(devices: number): Promise<void> {
  const launcher = findLauncher();
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(launcher, ["-n", `${devices}`, ...command], {
    stdio: "inherit",
    env: { ...OPEN_MPI_SETTINGS, ...process.env },
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  // Ctrl-C reaches the launcher by itself: it is in the terminal's group, as this process is.
  const wait = () => undefined;
  process.on("SIGTERM", pass).on("SIGINT", wait);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  process.off("SIGTERM", pass).off("SIGINT", wait);
  if (code !== 0) throw new Reported((code ?? 4) as ExitCode);
}

/**
 * As many ranks as asked for, each on all cores, with time for a checkpoint after Ctrl-C; also as
 * root, as netc itself was started.
 */
const OPEN_MPI_SETTINGS = {
  OMPI_MCA_rmaps_base_oversubscribe: "1",
  OMPI_MCA_hwloc_base_binding_policy: "none",
  OMPI_MCA_odls_base_sigkill_timeout: "60",
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
};

function findLauncher(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const paths = LAUNCHERS.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = paths.find(isExecutable);
  if (found !== undefined) return found;
  throw wrongInput(
    "--devices starts its ranks through mpirun, which is not installed",
    "install Open MPI (Debian: openmpi-bin) or MPICH (Debian: mpich)",
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The GPU of a rank: the first one's for the first rank of a host, and so on. Undefined where all
 * GPUs have one name, since adapters are asked for by name, and where there is none.
 */
export async function adapterOfRank({ localRank }: Launch): Promise<string | undefined> {
  const found = await listAdapters([]);
  const hardware = found.filter(({ software }) => !software);
  return hardware.length > 1 ? hardware[localRank % hardware.length]!.name : undefined;
}
