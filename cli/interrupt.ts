import { say } from "./terminal.js";

const signals = ["SIGINT", "SIGTERM"] as const;
const exitStatus = { SIGINT: 130, SIGTERM: 143 } as const;

/** A request to stop: the signal, and how to stop listening for it. */
export interface Interrupt {
  readonly signal: AbortSignal;
  dispose(): void;
}

/** The first Ctrl-C or SIGTERM aborts the signal, so that work can be saved; the second ends the process at once. */
export function listenForInterrupt(message: string): Interrupt {
  const controller = new AbortController();
  const listener = (signal: (typeof signals)[number]) => {
    if (controller.signal.aborted) process.exit(exitStatus[signal]);
    say(`\n${message}`);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
