/** Who started this process as one of several: mpirun, mpiexec or srun, by the environment. */

/** This process among those that a launcher started. */
export interface Launch {
  readonly launcher: "Open MPI" | "MPICH" | "Slurm";
  /** From 0. */
  readonly rank: number;
  /** Processes in all. */
  readonly size: number;
  /** Among the processes on this host, from 0. */
  readonly localRank: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variables that launchers set, in the order in which they count: mpirun within a Slurm job starts
 * its processes through srun, and leaves Slurm's variables as they are. MPICH's are also those of
 * Intel MPI and MVAPICH, and of srun with PMI.
 */
const LAUNCHERS = [
  {
    launcher: "Open MPI",
    size: "OMPI_COMM_WORLD_SIZE",
    rank: "OMPI_COMM_WORLD_RANK",
    local: "OMPI_COMM_WORLD_LOCAL_RANK",
  },
  { launcher: "MPICH", size: "PMI_SIZE", rank: "PMI_RANK", local: "MPI_LOCALRANKID" },
  // A batch script has SLURM_NTASKS, too, and is a single process; only steps have this one.
  { launcher: "Slurm", size: "SLURM_STEP_NUM_TASKS", rank: "SLURM_PROCID", local: "SLURM_LOCALID" },
] as const;

/**
 * This process's place among those that a launcher started, by the environment; undefined for a
 * process that no launcher started.
 */
export function launchOf(environment: Environment = process.env): Launch | undefined {
  for (const { launcher, ...names } of LAUNCHERS) {
    const size = numberIn(environment, names.size);
    const rank = numberIn(environment, names.rank);
    if (size === undefined || rank === undefined) continue;
    const locals = [names.local, "SLURM_LOCALID"].map((name) => numberIn(environment, name));
    return { launcher, rank, size, localRank: locals.find((local) => local !== undefined) ?? rank };
  }
  return undefined;
}

function numberIn(environment: Environment, name: string): number | undefined {
  const text = environment[name];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
