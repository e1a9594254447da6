// The command line: which commands exist and what they take. Each command is one file.
import { Argument, Command, CommanderError, Option } from 'commander';
import { version } from '../app/version.js';
import { SluiceError } from '../errors.js';
import type { Shell } from './completion.js';
import { addConnectionCommands } from './connection-commands.js';
import type { DiffOptions } from './diff.js';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import type { ImportOptions } from './import.js';
import type { InitOptions } from './init.js';
import { serviceNames } from './init-services.js';
import { addReadCommands, adminOption } from './read-commands.js';
import type { ChangeOptions, DrainOptions } from './targets.js';
import type { TokenOptions } from './token.js';
import { wholeNumber } from './whole-number.js';

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

  addReadCommands(program);
  addTargetCommands(program);
  addConnectionCommands(program);
  addFileCommands(program);
  addCompletion(program);

  addTokenCommand(program);

  program.hook('preAction', (_, command) => {
    if (!serving.has(command.name())) endWithReader();
  });

  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${version()}\n`);
    });
  return program;
}

/** What serves goes on when nobody reads what it prints. */
const serving: ReadonlySet<string> = new Set(['run', 'demo']);

/** A reader may have had enough, as `head` has: the others end then, without a word. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? exitCodes.ok);
  });
}

/** Runs one command; sets process.exitCode and leaves the exit to Node where nothing holds it. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

/** Those that make a file, or compare two. */
function addFileCommands(program: Command): void {
  program
    .command('init')
    .description('write a configuration to begin with; on a terminal, after a few questions')
    .addOption(new Option('--service <kind>', 'what is balanced').choices(serviceNames))
    .option('--listen <address>', 'where clients arrive')
    .option('--to <address...>', 'where the targets are')
    .option('--health <check>', 'how they are checked')
    .option('-o, --output <file>', 'write there instead of to standard output')
    .option('--force', 'replace the file of --output')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice init\n  sluice init > sluice.yaml\n' +
        '  sluice init --service redis --listen :6379 --to db1:6379 db2:6379 -o sluice.yaml',
    )
    .action(async (options: InitOptions) => {
      const { init } = await import('./init.js');
      process.exitCode = await init(options);
    });

  program
    .command('diff')
    .description('say what a reload would change: of the running sluice, or of an older file')
    .argument('<FILE>', 'the configuration to be loaded; before a NEW one, the old one')
    .argument('[NEW]', 'the configuration to be loaded')
    .option('--json', 'print the changes as JSON')
    .addOption(adminOption())
    .addHelpText(
      'after',
      '\nExamples:\n  sluice diff /etc/sluice/sluice.yaml\n  sluice diff old.yaml new.yaml',
    )
    .action(async (first: string, second: string | undefined, options: DiffOptions) => {
      const { diff } = await import('./diff.js');
      process.exitCode = await diff(first, second, options);
    });

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

/** Those that speak to a running sluice about one of its targets. */
function addTargetCommands(program: Command): void {
  program
    .command('drain')
    .description('let a target of a running sluice take no new clients, and end its old ones')
    .argument('<POOL/TARGET>', 'as in the configuration')
    .option('--deadline <duration>', 'how long connections may end by themselves, or off')
    .option('--close-over <duration>', 'over which time those that are left are closed')
    .option('--wait', 'return when no connection is left')
    .addOption(adminOption())
    .addHelpText(
      'after',
      '\nWithout a duration that of the pool counts (drain:).\n' +
        'Exit code with --wait: 0 all ended by themselves, 3 some were closed, 1 it was\n' +
        'cancelled by sluice enable, or could not be asked for.\n\n' +
        'Example:\n  sluice drain web/a --deadline 2m --wait',
    )
    .action(async (place: string, options: DrainOptions) => {
      const { drainTarget } = await import('./targets.js');
      process.exitCode = await drainTarget(place, options);
    });

  program
    .command('weight')
    .description('change the weight of a target of a running sluice')
    .argument('<POOL/TARGET>', 'as in the configuration')
    .argument('<WEIGHT>', '0 to 65535; 0 takes no new connections', wholeNumber(0, 65_535))
    .option('--persist', 'write it to the configuration file, too')
    .option('--json', 'print what it answers as JSON')
    .addOption(adminOption())
    .addHelpText('after', '\nExample:\n  sluice weight web/a 5 --persist')
    .action(async (place: string, weight: number, options: ChangeOptions) => {
      const { changeWeight } = await import('./targets.js');
      process.exitCode = await changeWeight(place, weight, options);
    });
  program
    .command('reload')
    .description('let a running sluice read its configuration again')
    .option('--json', 'print what it answers as JSON')
    .addOption(adminOption())
    .addHelpText(
      'after',
      '\nWith an error in the file nothing changes. `sluice diff FILE` says before what\n' +
        'would.\n\nExample:\n  sluice reload',
    )
    .action(async (options: ChangeOptions) => {
      const { reload } = await import('./targets.js');
      process.exitCode = await reload(options);
    });

  for (const [verb, does] of [
    ['enable', 'let a target of a running sluice take clients again'],
    ['disable', 'let a target of a running sluice take no clients, and probe it no more'],
  ] as const) {
    program
      .command(verb)
      .description(does)
      .argument('<POOL/TARGET>', 'as in the configuration')
      .addOption(adminOption())
      .addHelpText('after', `\nExample:\n  sluice ${verb} web/a`)
      .action(async (place: string, { admin }: { readonly admin: string }) => {
        const { setTarget } = await import('./targets.js');
        process.exitCode = await setTarget(verb, place, admin);
      });
  }
}

function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that lets a shell complete commands, options and targets')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nExamples:\n  eval "$(sluice completion bash)"\n' +
        '  sluice completion zsh > ~/.zfunc/_sluice\n  sluice completion fish | source',
    )
    .action(async (shell: Shell) => {
      const { completion } = await import('./completion.js');
      process.exitCode = completion(shell);
    });
  // For the scripts: no description, so that it is not shown.
  program
    .command('complete-words', { hidden: true })
    .argument('[WORDS...]')
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      const { completeWords } = await import('./completion.js');
      process.exitCode = await completeWords(program, words);
    });
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (error instanceof SluiceError) {
    return fail(`${error.message} (${error.code})`, exitCodes.failed);
  }
  throw error;
}
