// Bytes to a frozen Config, or to every problem that they have. Pure: the same bytes on the same
// machine always give the same answer, nothing is read, started or thrown.
import type { Config } from '../model/config.js';
import { checkAdmin } from './admin-rules.js';
import { checkBinds } from './bind-rules.js';
import { buildConfig } from './build.js';
import { decode } from './decode.js';
import { draftOf } from './draft.js';
import { checkEjections } from './ejection-rules.js';
import { factsOf } from './facts.js';
import { checkHealth } from './health-rules.js';
import {
  type Finding,
  type Located,
  offsetOf,
  problemOf,
  type SourceText,
  sourceText,
} from './located.js';
import { checkLoops } from './loop-rules.js';
import { type Machine, thisMachine } from './machine.js';
import { checkNames, checkReferences, checkTargets } from './pool-rules.js';
import {
  type ConfigProblem,
  compareProblems,
  fileProblem,
  formatPath,
  type Path,
} from './problem.js';
import { checkProtocols } from './protocol-rules.js';
import { readYaml } from './read-yaml.js';
import { checkReplays } from './replay-rules.js';
import { checkRetries } from './retry-rules.js';
import { checkRoles } from './role-rules.js';
import { fileSchema } from './schema.js';
import { findingsOf } from './schema-issues.js';
import { checkTiers } from './tier-rules.js';
import { checkWaiting } from './waiting-rules.js';

/** Where a part of the model stands in the file. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly sourceLine: string;
}

export interface LoadedConfig {
  readonly ok: true;
  readonly config: Config;
  readonly warnings: readonly ConfigProblem[];
  /** For a listener, bind, pool, target, `engine` or `admin` of `config`; otherwise null. */
  readonly originOf: (part: object) => Origin | null;
}

export interface RefusedConfig {
  readonly ok: false;
  /** At least one, sorted by position. */
  readonly errors: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

export type LoadResult = LoadedConfig | RefusedConfig;

/** More help nobody, and a file of garbage would have a million. */
const problemsMax = 1000;

/** `file` is what messages call it. */
export function loadConfig(
  bytes: Uint8Array,
  file: string,
  machine: Machine = thisMachine(),
): LoadResult {
  const decoded = decode(bytes);
  if (!decoded.ok) {
    if (decoded.code === 'SLUICE_CONFIG_FILE_TOO_LARGE') {
      return refuse([fileProblem(file, decoded.code, decoded.message)]);
    }
    const { code, message, text, offset } = decoded;
    return refuse([sourceText(file, text).problemAt(offset, code, message)]);
  }
  const source = sourceText(file, decoded.text);
  const yaml = readYaml(source);
  if (!yaml.ok) return refuse(yaml.problems);
  return understand(source, yaml.root, yaml.problems, machine);
}

function understand(
  source: SourceText,
  root: Located,
  yamlProblems: readonly ConfigProblem[],
  machine: Machine,
): LoadResult {
  const shape = fileSchema.safeParse(root.value);
  const findings: Finding[] = [...findingsOf(shape.error?.issues ?? [], root)];
  runRules(source, root, findings, machine);
  const problems = [
    ...yamlProblems,
    ...findings.map((finding) => problemOf(source, root, finding)),
  ].sort(compareProblems);
  const errors = problems.filter(({ severity }) => severity === 'error');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  if (errors.length > 0 || !shape.success) return refuse(errors, warnings);

  const paths = new WeakMap<object, Path>();
  const config = buildConfig(shape.data, machine, (part, path) => paths.set(part, path));
  return {
    ok: true,
    config,
    warnings,
    originOf(part) {
      const path = paths.get(part);
      if (path === undefined) return null;
      const isNamed = path[0] === 'listeners' || path[0] === 'pools';
      const aim = isNamed && path.length === 2 ? 'key' : 'value';
      const place = source.place(offsetOf(root, path, aim));
      return { file: source.file, path: formatPath(path), ...place };
    },
  };
}

function runRules(source: SourceText, root: Located, findings: Finding[], machine: Machine): void {
  const facts = factsOf(draftOf(root.value, findings), {
    interfaceIndex: machine.interfaceIndex,
    lineOf: (path) => source.place(offsetOf(root, path, 'value')).line,
    report: (finding) => findings.push(finding),
  });
  checkNames(facts);
  checkReferences(facts);
  checkBinds(facts);
  checkAdmin(facts);
  checkProtocols(facts);
  checkTargets(facts);
  checkTiers(facts);
  checkEjections(facts);
  checkRetries(facts);
  checkReplays(facts);
  checkWaiting(facts);
  checkHealth(facts);
  checkRoles(facts);
  checkLoops(facts);
}

function refuse(
  errors: readonly ConfigProblem[],
  warnings: readonly ConfigProblem[] = [],
): RefusedConfig {
  const sorted = [...errors].sort(compareProblems).filter(isNews);
  const last = sorted[problemsMax - 1];
  if (last === undefined || sorted.length === problemsMax)
    return { ok: false, errors: sorted, warnings };
  const kept = sorted.slice(0, problemsMax);
  const message = `${sorted.length - problemsMax} more problems follow`;
  kept.push({ ...last, path: '', code: 'SLUICE_CONFIG_MANY_PROBLEMS', message });
  return { ok: false, errors: kept, warnings };
}

/** The YAML library says some things twice, at the same place in the same words. */
function isNews(problem: ConfigProblem, index: number, all: readonly ConfigProblem[]): boolean {
  const previous = all[index - 1];
  return (
    previous === undefined ||
    compareProblems(previous, problem) !== 0 ||
    previous.path !== problem.path ||
    previous.message !== problem.message
  );
}
