#!/usr/bin/env node
import { run } from "./run.js";
import { endQuietlyWhenReaderLeaves } from "./terminal.js";

endQuietlyWhenReaderLeaves();
// The process ends by itself once the GPU is released; process.exit would cut off output still on its way to a pipe.
process.exitCode = await run(process.argv.slice(2));
