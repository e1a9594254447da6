#!/usr/bin/env node
// Process entry: argv to cli/, nothing else. The import is dynamic because SIGUSR1 must be handled
// before anything else runs: unhandled, it would open Node's debugger.
process.on('SIGUSR1', () => undefined);

const { runCommandLine } = await import('./cli/program.js');
await runCommandLine(process.argv);
