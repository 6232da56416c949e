import { defineConfig } from "vitest/config";

/**
 * Tests that run kernels: two files at a time, since a software adapter idles while JavaScript
 * compares.
 */
const GPU = ["test/{runtime,kernels,parity,gpu}/**/*.test.ts"];
/** Tests that run dist/, as users do; it is built first where the sources are newer. */
const BUILT = ["test/{cli,browser}/**/*.test.ts"];

/**
 * Tests with a process each: they replace modules of Node before what imports them is loaded, or
 * measure memory, which is what other files left, too, and takes long where that is much.
 */
const ALONE = [
  "test/training/{append-file,checkpoint}.test.ts",
  "test/interchange/damage.test.ts",
  "test/gpu/flat-memory.test.ts",
];

const COMMON = {
  setupFiles: ["test/setup.ts"],
  testTimeout: 120_000,
  hookTimeout: 240_000,
  // Megabytes for young objects: compiling a spec makes many, which are then collected less often.
  execArgv: ["--max-semi-space-size=128"],
};

export default defineConfig({
  test: {
    // All projects import the compiler: each file is transformed once.
    experimental: { fsModuleCache: true },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...GPU, ...BUILT, ...ALONE],
          // The compiler is loaded once for all: it would take as long as the tests.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          ...COMMON,
        },
      },
      {
        test: {
          name: "alone",
          include: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          ...COMMON,
          // What young objects may take would count as memory that a run takes.
          execArgv: [],
        },
      },
      {
        test: {
          name: "gpu",
          include: GPU,
          exclude: ALONE,
          // As above; a process also keeps what Node has optimized.
          isolate: false,
          pool: "forks",
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          ...COMMON,
          setupFiles: [...COMMON.setupFiles, "test/shared-devices.ts"],
        },
      },
      {
        test: {
          name: "built",
          include: BUILT,
          // The process that runs commands is kept, with its device and compiled kernels.
          isolate: false,
          pool: "forks",
          maxWorkers: 2,
          globalSetup: ["test/global-setup.ts"],
          sequence: { groupOrder: 2 },
          ...COMMON,
        },
      },
    ],
  },
});
