import { defineConfig } from "vitest/config";

/**
 * Tests that run kernels: two files at a time, since a software adapter idles while JavaScript
 * compares.
 */
const gpu = ["test/{runtime,kernels,parity,gpu}/**/*.test.ts"];
/** Tests that run dist/, as users do; it is built first where the sources are newer. */
const built = ["test/{cli,browser}/**/*.test.ts"];

const common = { setupFiles: ["test/setup.ts"], testTimeout: 120_000, hookTimeout: 240_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...gpu, ...built],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          ...common,
        },
      },
      {
        test: {
          name: "gpu",
          include: gpu,
          pool: "forks",
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          ...common,
        },
      },
      {
        test: {
          name: "built",
          include: built,
          pool: "forks",
          maxWorkers: 2,
          globalSetup: ["test/global-setup.ts"],
          sequence: { groupOrder: 2 },
          ...common,
        },
      },
    ],
  },
});
