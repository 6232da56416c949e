#!/usr/bin/env node
import { ExitCode } from "./failure.js";
import { run } from "./run.js";
import { lostResults, outliveStreams, say } from "./terminal.js";

outliveStreams();
const exitCode = await run(process.argv.slice(2));
const lost = await lostResults();
if (lost !== undefined) say(`error: the results could not be written: ${lost}`);
// The process ends by itself once the GPU is released; process.exit would cut off output still on
// its way to a pipe.
process.exitCode = exitCode === ExitCode.done && lost ? ExitCode.runFailed : exitCode;
