/**
 * Runs commands of `netc` for tests, one after the other, in this one process. Each is the built
 * `main.js` with its arguments, folder and streams. Loaded code, the adapter's device, compiled
 * kernels and decoding threads are kept between them: alone, each command takes longer to make them
 * than to do its work.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { globals } from "webgpu";
import { shareDevices } from "../device-sharing.js";
import type { Outcome } from "./netc.js";

export interface ServedCommand {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

// The folder of all commands that name none, and of this process.
const main = pathToFileURL(join(process.cwd(), "dist", "cli", "main.js")).href;

const { GPUAdapter } = globals as { GPUAdapter: { prototype: GPUAdapter } };
shareDevices(GPUAdapter.prototype);
process.on("disconnect", () => process.exit());
process.on("message", (command: ServedCommand) => {
  void run(command).then((outcome) => process.send!(outcome));
});

let commands = 0;

async function run({ args, cwd, env }: ServedCommand): Promise<Outcome> {
  const variables = { ...process.env };
  Object.assign(process.env, env);
  process.chdir(cwd);
  process.argv.splice(2, Infinity, ...args);
  process.exitCode = undefined;
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  try {
    // With each query it is evaluated again; what it imports is not.
    await import(`${main}?${commands++}`);
  } catch (error) {
    process.stderr.write(inspect(error));
    process.exitCode = 1;
  } finally {
    process.env = variables;
  }
  return { code: Number(process.exitCode ?? 0), stdout: stdout(), stderr: stderr() };
}

/** Keeps what is written to a stream from now on, until the result is called, which returns it. */
function capture(stream: NodeJS.WriteStream): () => string {
  const write = stream.write.bind(stream);
  let text = "";
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const written = rest.find((argument) => typeof argument === "function");
    if (written !== undefined) process.nextTick(written);
    return true;
  };
  return () => {
    stream.write = write;
    stream.removeAllListeners("error");
    return text;
  };
}
