// The commands about open connections of a running sluice.
import { type Command, Option } from 'commander';
import type { CloseOptions } from './close-connections.js';
import { adminOption } from './read-commands.js';

export function addConnectionCommands(program: Command): void {
  program
    .command('connections')
    .description('end connections and sessions of a running sluice')
    .helpCommand(false)
    .command('close')
    .description('close all that is open on a target, or of a listener')
    .addOption(new Option('--target <pool/target>', 'as in the configuration'))
    .addOption(new Option('--listener <name>', 'as in the configuration').conflicts('target'))
    .option('--yes', 'do not ask first')
    .option('--json', 'print what it answers as JSON')
    .addOption(adminOption())
    .addHelpText(
      'after',
      '\nThe target goes on getting new connections, and the listener goes on listening:\n' +
        'sluice drain and sluice disable keep clients away.\n\n' +
        'Examples:\n  sluice connections close --target web/a\n' +
        '  sluice connections close --listener web --yes',
    )
    .action(async (options: CloseOptions) => {
      const { closeConnections } = await import('./close-connections.js');
      process.exitCode = await closeConnections(options);
    });
}
