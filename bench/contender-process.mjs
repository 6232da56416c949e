// One library in a separate process: it prepares, then makes a step whenever it is asked to.
import { fork, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DRIVERS = "/usr/share/vulkan/icd.d";
/** Preparing or a step of one contender; the slowest step known takes less than a minute. */
const PATIENCE_MILLISECONDS = 6 * 60_000;
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Without Mesa's shader cache, so that a first step compiles what it needs. */
const environmentFor = (adapter) => ({
  ...process.env,
  NETC_ADAPTER: adapter,
  MESA_SHADER_CACHE_DISABLE: "true",
});

/** netc or a peer. */
class Worker {
  #child;

  constructor(name, caseName, adapter) {
    const script = new URL("worker.mjs", import.meta.url);
    this.#child = fork(script, [name, caseName], {
      env: environmentFor(adapter),
      serialization: "advanced",
    });
  }

  /**
   * The adapter's name, and the milliseconds from importing the library to a network with its
   * weights.
   */
  prepare() {
    return this.#answer();
  }

  step() {
    this.#child.send("step");
    return this.#answer();
  }

  end() {
    this.#child.kill();
  }

  /** The next message; rejects if the process ends instead, or says nothing for too long. */
  #answer() {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const settle = (action, value) => {
        clearTimeout(timer);
        child.off("exit", onExit);
        child.off("message", onMessage);
        action(value);
      };
      const fail = (reason) => settle(reject, new Error(reason));
      const onExit = (code, signal) =>
        fail(`the process ended with ${signal ?? `exit code ${code}`}`);
      const onMessage = (message) => settle(resolve, message);
      const timer = setTimeout(() => fail("no answer in six minutes"), PATIENCE_MILLISECONDS);
      child.on("exit", onExit);
      child.on("message", onMessage);
    });
  }
}

/**
 * The hand-written skeleton of AlexNet's step: a program that prints its times and ends. It
 * computes on noise, so there is nothing to check; each step is a separate run, which lies among
 * the others' steps like theirs.
 */
class Prototype {
  constructor(folder, adapter) {
    this.folder = folder;
    this.adapter = adapter;
  }

  async prepare() {
    return { adapter: undefined, milliseconds: 0 };
  }

  async step() {
    const text = await this.#run();
    const number = (label) => Number(text.match(new RegExp(`${label} (?:ms )?([\\d.]+)`))?.[1]);
    const first = number("setup ms") + number("first step ms");
    const milliseconds = number("step ms median");
    if (Number.isNaN(first + milliseconds)) throw new Error(`it printed ${text.slice(0, 200)}`);
    return {
      milliseconds,
      first,
      dispatches: number("dispatches"),
      pipelines: number("pipelines"),
      submits: 1,
    };
  }

  end() {}

  #run() {
    const child = spawn(process.execPath, [join(this.folder, "step.mjs")], {
      cwd: ROOT,
      env: { ...environmentFor(this.adapter), ...vulkanDriver(this.adapter), REPS: "1", RT: "0" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part) => (text += part));
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", () => resolve(text));
    });
  }
}

/** The prototype does not know how netc chooses adapters. */
function vulkanDriver(adapter) {
  const driver = readdirSync(DRIVERS).find((file) => file.startsWith("lvp_icd"));
  if (adapter !== "lavapipe" || !driver) throw new Error("the prototype runs on lavapipe only");
  return { VK_ICD_FILENAMES: join(DRIVERS, driver) };
}

export function startContender(name, { caseName, adapter, prototypes }) {
  return name === "prototype"
    ? new Prototype(prototypes, adapter)
    : new Worker(name, caseName, adapter);
}
