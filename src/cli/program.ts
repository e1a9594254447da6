// The command line: which commands exist and what they take. Each command is one file.
import { Command, CommanderError } from 'commander';
import { version } from '../app/version.js';
import { SluiceError } from '../errors.js';
import { exitCodes } from './exit-codes.js';
import type { DrainOptions } from './targets.js';

/** Runs one command; sets process.exitCode and leaves the exit to Node where nothing holds it. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  const program = new Command('sluice')
    .description('Layer-4 TCP/UDP load balancer')
    .version(version(), '-V, --version', 'print the version')
    .showHelpAfterError('(sluice --help lists the commands)')
    .configureHelp({ sortSubcommands: false })
    .exitOverride();

  program
    .command('run')
    .description('balance what FILE describes')
    .argument('[FILE]', 'configuration', 'sluice.yaml')
    .addHelpText('after', '\nExample:\n  sluice run sluice.yaml')
    .action(async (file: string) => {
      const { run } = await import('./run.js');
      process.exitCode = await run(file);
    });

  program
    .command('check')
    .description('say what is wrong with FILE, and whether this machine can run it')
    .argument('[FILE]', 'configuration', 'sluice.yaml')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      '\nExit code: 0 fine, 1 this machine cannot run it now, 2 the file is wrong.\n' +
        'Beside a sluice that runs, its own addresses count as taken: for a reload\n' +
        'only code 2 matters.',
    )
    .action(async (file: string, options: { readonly json?: true }) => {
      const { check } = await import('./check.js');
      process.exitCode = await check(file, { json: options.json === true });
    });

  program
    .command('demo')
    .description('run FILE with small targets of its own, to see it balance')
    .argument('[FILE]', 'configuration; without it, the quick start')
    .action(async (file: string | undefined) => {
      const { demo } = await import('./demo.js');
      process.exitCode = await demo(file);
    });

  addTargetCommands(program);

  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${version()}\n`);
    });

  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

/** Where a sluice with the defaults listens. */
const defaultAdmin = 'http://127.0.0.1:9090';

/** Those that speak to a running sluice about one of its targets. */
function addTargetCommands(program: Command): void {
  const adminOption = ['--admin <address>', 'its admin API: a URL, or unix:/path'] as const;
  program
    .command('drain')
    .description('let a target of a running sluice take no new clients, and end its old ones')
    .argument('<POOL/TARGET>', 'as in the configuration')
    .option('--deadline <duration>', 'how long connections may end by themselves, or off')
    .option('--close-over <duration>', 'over which time those that are left are closed')
    .option('--wait', 'return when no connection is left')
    .option(...adminOption, defaultAdmin)
    .addHelpText(
      'after',
      '\nWithout a duration that of the pool counts (drain:).\n' +
        'Exit code with --wait: 0 all ended by themselves, 3 some were closed, 1 it was\n' +
        'cancelled by sluice enable, or could not be asked for.',
    )
    .action(async (place: string, options: DrainOptions) => {
      const { drainTarget } = await import('./targets.js');
      process.exitCode = await drainTarget(place, options);
    });

  for (const [verb, does] of [
    ['enable', 'let a target of a running sluice take clients again'],
    ['disable', 'let a target of a running sluice take no clients, and probe it no more'],
  ] as const) {
    program
      .command(verb)
      .description(does)
      .argument('<POOL/TARGET>', 'as in the configuration')
      .option(...adminOption, defaultAdmin)
      .action(async (place: string, { admin }: { readonly admin: string }) => {
        const { setTarget } = await import('./targets.js');
        process.exitCode = await setTarget(verb, place, admin);
      });
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (error instanceof SluiceError) {
    process.stderr.write(`sluice: ${error.message} (${error.code})\n`);
    return exitCodes.failed;
  }
  throw error;
}
