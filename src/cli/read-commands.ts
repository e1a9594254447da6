// The commands that ask a running sluice and change nothing.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { eventLevels } from './event-line.js';
import type { EventsOptions } from './events.js';
import type { ExplainOptions } from './explain.js';
import type { TargetsOptions } from './list-targets.js';
import type { ReadOptions } from './status.js';
import type { TopOptions } from './top.js';
import { wholeNumber } from './whole-number.js';

/** Where a sluice with the defaults listens. */
const defaultAdmin = 'http://127.0.0.1:9090';

/** One of its own for each command: commander keeps the value in it. */
export function adminOption(): Option {
  return new Option('--admin <address>', 'its admin API: a URL, host:port, or unix:/path')
    .env('SLUICE_ADMIN')
    .default(defaultAdmin);
}

function seconds(text: string): number {
  const value = Number(text);
  if (value >= 0.1 && value <= 3600) return value;
  throw new InvalidArgumentError('It is a number of seconds, 0.1 to 3600.');
}

export function addReadCommands(program: Command): void {
  program
    .command('status')
    .description('show what a running sluice listens on, and how its pools are')
    .option('--json', 'print everything it knows as JSON')
    .addOption(adminOption())
    .addHelpText('after', '\nExamples:\n  sluice status\n  sluice status --json | jq .generation')
    .action(async (options: ReadOptions) => {
      const { status } = await import('./status.js');
      process.exitCode = await status(options);
    });
  program
    .command('targets')
    .description('list the targets of a pool, or of all')
    .argument('[POOL]', 'as in the configuration')
    .addOption(
      new Option('--health <word>', 'only those').choices(['healthy', 'unhealthy', 'unknown']),
    )
    .addOption(
      new Option('--state <word>', 'only those').choices(['enabled', 'draining', 'disabled']),
    )
    .option('--search <text>', 'only those with it in their name or address')
    .option('--json', 'print them as JSON')
    .addOption(adminOption())
    .addHelpText('after', '\nExamples:\n  sluice targets web\n  sluice targets --health unhealthy')
    .action(async (pool: string | undefined, options: TargetsOptions) => {
      const { listTargets } = await import('./list-targets.js');
      process.exitCode = await listTargets(pool, options);
    });
  program
    .command('top')
    .description('watch connections, bytes and response times of listeners and targets')
    .option('--interval <seconds>', 'from look to look', seconds, 1)
    .option('--count <frames>', 'print so many as plain text, then end', wholeNumber(1, 1e6))
    .option('--json', 'print frames as JSON, one in a line')
    .addOption(adminOption())
    .addHelpText(
      'after',
      '\nKeys: q quits, s or left and right choose what targets are sorted by,\n' +
        'up and down scroll.\n' +
        'Without a terminal it prints one frame, or --count of them.\n\n' +
        'Examples:\n  sluice top\n  sluice top --count 3 --interval 5',
    )
    .action(async (options: TopOptions) => {
      const { top } = await import('./top.js');
      process.exitCode = await top(options);
    });
  addEventsCommand(program);
  addExplainCommand(program);
}

function addEventsCommand(program: Command): void {
  program
    .command('events')
    .description('list what has happened: health, ejections, drains, reloads')
    .option('-f, --follow', 'go on with what happens, until Ctrl-C')
    .option(
      '-n, --tail <number>',
      'only the last so many of those that are kept',
      wholeNumber(0, 1e6),
    )
    .addOption(new Option('--level <word>', 'only this level and worse').choices(eventLevels))
    .option('--event <name...>', 'only those')
    .option('--json', 'print them as JSON, one in a line')
    .addOption(adminOption())
    .addHelpText(
      'after',
      '\nExamples:\n  sluice events --tail 20\n  sluice events -f --level warn\n' +
        '  sluice events -f --tail 0 --json | jq .event',
    )
    .action(async (options: EventsOptions) => {
      const { events: listEvents } = await import('./events.js');
      process.exitCode = await listEvents(options);
    });
}

function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .description('say which target a client would get now, and why')
    .argument('<LISTENER>', 'as in the configuration')
    .requiredOption('--client <address[:port]>', 'where the client comes from')
    .option('--worker <number>', 'explain the next pick of this worker, and ask no other')
    .option('--json', 'print all that is known as JSON')
    .addOption(adminOption())
    .addHelpText(
      'after',
      '\nExamples:\n  sluice explain web --client 192.0.2.7\n' +
        '  sluice explain dns --client [2001:db8::1]:4000 --json\n\n' +
        'Nothing changes by the asking. Exit code: 0 it would get a target, 1 it would get\n' +
        'none now or nobody could say, 2 wrong usage.',
    )
    .action(async (listener: string, options: ExplainOptions) => {
      const { explain } = await import('./explain.js');
      process.exitCode = await explain(listener, options);
    });
}
