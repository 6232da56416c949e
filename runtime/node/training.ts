/** What a run on disk needs: checkpoints, weights, the log of metrics. */
export {
  CheckpointError,
  LAST_CHECKPOINT,
  PREVIOUS_CHECKPOINT,
  resumeCheckpoint,
  saveCheckpoint,
  saveWeights,
} from "./checkpoint.js";
export type { ResumedRun, RunIdentity, RunPlan } from "./checkpoint.js";
export { MetricsLog, readMetrics } from "./metrics-log.js";
export { LOCK_FILE, lockRun } from "./run-lock.js";
export type { LockOwner, RunLock } from "./run-lock.js";
export { writeError, writeFileAtomically } from "./write-file.js";
