// What may stand at the cursor of a command line that is being typed. Read off the commands
// themselves, so that it cannot fall behind them.
import type { Argument, Command, Option } from 'commander';

export interface Completions {
  readonly words: readonly { readonly word: string; readonly says: string }[];
  /** Files are possible, too: the shell knows them better. */
  readonly files: boolean;
}

/** Asks a running sluice; nothing where there is none. `admin`: as given, or undefined. */
export interface RunningNames {
  pools(admin: string | undefined): Promise<readonly string[]>;
  targets(admin: string | undefined): Promise<readonly string[]>;
}

const nothing: Completions = { words: [], files: false };

/** `words`: behind `sluice`, the last one unfinished. */
export async function complete(
  program: Command,
  words: readonly string[],
  running: RunningNames,
): Promise<Completions> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const name = before.find((word) => !word.startsWith('-'));
  const outer = program.commands.find((one) => one.name() === name);
  // Some have commands of their own.
  const rest = outer === undefined ? [] : before.slice(before.indexOf(outer.name()) + 1);
  const command = outer?.commands.find((one) => rest.includes(one.name())) ?? outer;
  if (command === undefined) {
    if (current.startsWith('-')) return optionsOf(program, current);
    const commands = program.commands.filter((one) => !isHidden(one));
    return wordsOf(
      commands.map((one) => [one.name(), one.description()]),
      current,
    );
  }
  const admin = adminIn(before);
  const previous = optionNamed(command, before.at(-1) ?? '');
  if (previous !== undefined && takesValue(previous)) {
    if (!/<pool\/target>/.test(previous.flags)) return valuesOf(previous, current);
    return namesOf(await running.targets(admin), current);
  }
  if (current.startsWith('-')) return optionsOf(command, current);
  if (command.commands.length > 0) {
    return wordsOf(
      command.commands.map((one) => [one.name(), one.description()]),
      current,
    );
  }
  const index = positionOf(command, before.slice(before.indexOf(command.name()) + 1));
  const argument = command.registeredArguments[index];
  return argument === undefined ? nothing : argumentWords(argument, current, admin, running);
}

/** What is made for scripts of shells alone. */
function isHidden(command: Command): boolean {
  return command.description() === '';
}

function wordsOf(pairs: readonly (readonly [string, string])[], current: string): Completions {
  const words = pairs
    .filter(([word]) => word.startsWith(current))
    .map(([word, says]) => ({ word, says }));
  return { words, files: false };
}

/** Words that need no explanation. */
function namesOf(names: readonly string[], current: string): Completions {
  return wordsOf(
    names.map((name) => [name, '']),
    current,
  );
}

function optionsOf(command: Command, current: string): Completions {
  const pairs = command.options.map(
    (option) => [option.long ?? option.flags, option.description] as const,
  );
  return wordsOf([...pairs, ['--help', 'explain the command']], current);
}

function optionNamed(command: Command, word: string): Option | undefined {
  return command.options.find(
    ({ long, short }) => word !== '' && (word === long || word === short),
  );
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function valuesOf(option: Option, current: string): Completions {
  const { argChoices } = option;
  if (argChoices !== undefined) return namesOf(argChoices, current);
  return { words: [], files: /<(file|path)>/.test(option.flags) };
}

/** How many arguments are there already; values of options do not count. */
function positionOf(command: Command, words: readonly string[]): number {
  let position = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const option = optionNamed(command, word);
    if (option !== undefined && takesValue(option)) index++;
    else if (!word.startsWith('-')) position++;
  }
  const last = command.registeredArguments.length - 1;
  return command.registeredArguments[last]?.variadic === true ? Math.min(position, last) : position;
}

async function argumentWords(
  argument: Argument,
  current: string,
  admin: string | undefined,
  running: RunningNames,
): Promise<Completions> {
  const { argChoices } = argument;
  if (argChoices !== undefined) return namesOf(argChoices, current);
  switch (argument.name()) {
    case 'POOL/TARGET':
      return namesOf(await running.targets(admin), current);
    case 'POOL':
      return namesOf(await running.pools(admin), current);
    default:
      return { words: [], files: /^(FILE|OLD|NEW)$/.test(argument.name()) };
  }
}

function adminIn(words: readonly string[]): string | undefined {
  const index = words.indexOf('--admin');
  const joined = words.find((word) => word.startsWith('--admin='));
  return index >= 0 ? words[index + 1] : joined?.slice('--admin='.length);
}
