// sluice init: asks a few questions on a terminal and writes a commented file; without a terminal
// it takes what the options say, and defaults for the rest.
import type { Interface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { formatProblems, problemStyle } from '../app/check.js';
import { bindProblem, targetProblem, textProblems } from '../app/init-rules.js';
import { askOnTerminal } from './ask-on-terminal.js';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import { defaultAnswers, type InitAnswers, initFile } from './init-file.js';
import { type Service, type ServiceName, serviceNames, services } from './init-services.js';
import { type OutputOptions, putFile } from './output-file.js';
import { paintFor, visible } from './terminal.js';

export interface InitOptions extends OutputOptions {
  readonly service?: ServiceName;
  readonly listen?: string;
  readonly to?: readonly string[];
  readonly health?: string;
}

const schema = fileURLToPath(new URL('../../schema/sluice.schema.json', import.meta.url));

export async function init(options: InitOptions): Promise<number> {
  const asks = process.stdin.isTTY && process.stderr.isTTY && process.stdout.isTTY;
  const given = asks
    ? await askOnTerminal((terminal, signal) => askOpen(terminal, options, signal))
    : options;
  if (given === null) return fail('nothing was written', exitCodes.failed);
  const answers = answersOf(given);
  const { checks }: Service = services[answers.service];
  if (!Object.hasOwn(checks, answers.health)) {
    const choices = Object.keys(checks).join(', ');
    return fail(`--health: ${answers.service} is asked by ${choices}`, exitCodes.usage);
  }
  const text = initFile(answers, schema);
  const problems = textProblems(text);
  if (problems.length > 0) {
    process.stderr.write(formatProblems(problems, problemStyle(process.stderr, process.env)));
    return exitCodes.usage;
  }
  const trouble = await putFile(text, given);
  if (trouble !== null) return fail(trouble, exitCodes.usage);
  if (given.output !== undefined) {
    const next = `sluice check ${given.output}\n  sluice run ${given.output}`;
    process.stderr.write(`${visible(given.output)} is written. Next:\n  ${next}\n`);
  }
  return exitCodes.ok;
}

function answersOf({ service = 'tcp', listen, to, health }: InitOptions): InitAnswers {
  const otherwise = defaultAnswers(service);
  return {
    service,
    listen: listen ?? otherwise.listen,
    targets: to === undefined || to.length === 0 ? otherwise.targets : to,
    health: health ?? otherwise.health,
  };
}

/** What the options leave open. */
async function askOpen(
  terminal: Interface,
  options: InitOptions,
  signal: AbortSignal,
): Promise<InitOptions> {
  const ask = async (
    question: string,
    otherwise: string,
    problemOf: (text: string) => string | null,
  ): Promise<string> => {
    const paint = paintFor(process.stderr);
    for (;;) {
      const prompt = `${paint('bold', question)} [${otherwise}] `;
      const answer = (await terminal.question(prompt, { signal })).trim() || otherwise;
      const problem = problemOf(answer);
      if (problem === null) return answer;
      process.stderr.write(`  ${visible(problem)}\n`);
    }
  };
  const oneOf = (names: readonly string[]) => (text: string) =>
    names.includes(text) ? null : `one of ${names.join(', ')}`;
  const service =
    options.service ??
    ((await ask(
      `What is balanced? (${serviceNames.join(', ')})`,
      'tcp',
      oneOf(serviceNames),
    )) as ServiceName);
  const otherwise = defaultAnswers(service);
  const checks = Object.keys(services[service].checks);
  const listen =
    options.listen ?? (await ask('Where do clients arrive?', otherwise.listen, bindProblem));
  const targets = await ask(
    'Where are the targets? (host:port, several with spaces)',
    (options.to ?? otherwise.targets).join(' '),
    (text) =>
      text
        .split(/[\s,]+/)
        .map(targetProblem)
        .find((problem) => problem !== null) ?? null,
  );
  const health =
    options.health ??
    (await ask(`How are they checked? (${checks.join(', ')})`, otherwise.health, oneOf(checks)));
  const output = options.output ?? (await ask('Which file?', 'sluice.yaml', () => null));
  return { ...options, service, listen, to: targets.split(/[\s,]+/), health, output };
}
