/** Which environments make a process one of several. */
import { expect, test } from "vitest";
import { launchOf } from "../../runtime/node/mpi/launcher.js";

const OPEN_MPI = {
  OMPI_COMM_WORLD_SIZE: "4",
  OMPI_COMM_WORLD_RANK: "3",
  OMPI_COMM_WORLD_LOCAL_RANK: "1",
};
const MPICH = { PMI_SIZE: "8", PMI_RANK: "5", MPI_LOCALRANKID: "2" };
const SLURM_STEP = { SLURM_STEP_NUM_TASKS: "2", SLURM_PROCID: "1", SLURM_LOCALID: "0" };

test("mpirun of Open MPI, mpiexec of MPICH and srun say who a process is", () => {
  expect(launchOf(OPEN_MPI)).toEqual({ launcher: "Open MPI", size: 4, rank: 3, localRank: 1 });
  expect(launchOf(MPICH)).toEqual({ launcher: "MPICH", size: 8, rank: 5, localRank: 2 });
  expect(launchOf(SLURM_STEP)).toEqual({ launcher: "Slurm", size: 2, rank: 1, localRank: 0 });
});

test("mpirun within a Slurm job counts before Slurm, whose step is mpirun's own", () => {
  const step = { ...SLURM_STEP, SLURM_STEP_NUM_TASKS: "1", SLURM_PROCID: "0" };
  expect(launchOf({ ...step, ...OPEN_MPI })).toMatchObject({ size: 4, rank: 3, localRank: 1 });
  expect(launchOf({ ...step, ...MPICH })).toMatchObject({ size: 8, rank: 5 });
});

test("srun with PMI knows the place on a host from Slurm", () => {
  const launch = launchOf({ ...SLURM_STEP, PMI_SIZE: "2", PMI_RANK: "1" });
  expect(launch).toEqual({ launcher: "MPICH", size: 2, rank: 1, localRank: 0 });
});

test("a shell, and a batch script of sbatch, are single processes", () => {
  const script = { SLURM_JOB_ID: "7", SLURM_NTASKS: "8", SLURM_PROCID: "0", SLURM_LOCALID: "0" };
  expect(launchOf({})).toBeUndefined();
  expect(launchOf(script)).toBeUndefined();
  expect(launchOf({ PMI_SIZE: "many", PMI_RANK: "0" })).toBeUndefined();
});
