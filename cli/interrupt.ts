import { say } from "./terminal.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A request to stop: the signal, and how to stop listening for it. */
export interface Interrupt {
  readonly signal: AbortSignal;
  dispose(): void;
}

/**
 * The first Ctrl-C, SIGTERM or SIGHUP (of a terminal that is closed) aborts the signal, so that
 * work can be saved; the second, whichever it is, ends the process at once.
 */
export function listenForInterrupt(message: string): Interrupt {
  const controller = new AbortController();
  const listener = (signal: (typeof SIGNALS)[number]) => {
    if (controller.signal.aborted) return end(signal);
    say(`\n${message}`);
    controller.abort();
  };
  const dispose = (): void => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
  // By the system, which waits for nothing: drivers may hang while a process exits by itself.
  const end = (signal: NodeJS.Signals): void => {
    dispose();
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return { signal: controller.signal, dispose };
}
