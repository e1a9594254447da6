// The command line: which commands exist and what they take. Each command is one file.
import { Command, CommanderError, Option } from 'commander';
import { version } from '../app/version.js';
import { SluiceError } from '../errors.js';
import { exitCodes } from './exit-codes.js';
import type { ImportOptions } from './import.js';
import type { DrainOptions } from './targets.js';
import type { TokenOptions } from './token.js';

/** Every command with its arguments and options; completion reads them too. */
export function createProgram(): Command {
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
  addFileCommands(program);

  addTokenCommand(program);

  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${version()}\n`);
    });
  return program;
}

/** Runs one command; sets process.exitCode and leaves the exit to Node where nothing holds it. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

/** Those that make a file. */
function addFileCommands(program: Command): void {
  program
    .command('import')
    .description('make a configuration from one of HAProxy (mode tcp) or nginx (stream)')
    .argument('<FILE>', 'such as haproxy.cfg or nginx.conf')
    .addOption(
      new Option('--from <program>', 'whose file it is, if it is not seen').choices([
        'haproxy',
        'nginx',
      ]),
    )
    .option('-o, --output <file>', 'write there instead of to standard output')
    .option('--force', 'replace the file of --output')
    .option('--json', 'print the result and what became of each statement as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice import /etc/haproxy/haproxy.cfg -o sluice.yaml\n' +
        '  sluice import nginx.conf > sluice.yaml\n\n' +
        'What was not carried over, and what to do instead, is told on standard error.\n' +
        'Exit code: 0 a file was made, 1 nothing could be carried over, 2 no such file.',
    )
    .action(async (file: string, options: ImportOptions) => {
      const { importCommand } = await import('./import.js');
      process.exitCode = await importCommand(file, options);
    });
}

function addTokenCommand(program: Command): void {
  program
    .command('token')
    .description('make a token for the admin API, and the line of the configuration for it')
    .option('--name <name>', 'who will have it, for the log of changes', 'operator')
    .option('--role <role>', 'read or admin', 'read')
    .option('--json', 'print token and hash as JSON')
    .action(async (options: TokenOptions) => {
      const { token } = await import('./token.js');
      process.exitCode = token(options);
    });
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
