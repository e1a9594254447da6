// zod's issues to findings in our words: every issue becomes exactly what is wrong, in which of
// the shapes that the user meant, with the nearest key that exists.
import type { z } from 'zod';
import { keysAt } from './json-schema.js';
import type { Finding, Located } from './located.js';
import { shown } from './parsed.js';
import { formatPath, type Path } from './problem.js';
import type { IssueParams } from './scalars.js';
import { nearestWord } from './suggest.js';

type Issue = z.core.$ZodIssue;

function partsOf(path: readonly PropertyKey[]): Path {
  return path.map((part) => (typeof part === 'number' ? part : String(part)));
}

function nodeAt(root: Located, path: Path): Located | undefined {
  let node: Located | undefined = root;
  for (const part of path) node = node?.children.get(part);
  return node;
}

export function findingsOf(issues: readonly Issue[], root: Located): readonly Finding[] {
  const findings = issues.flatMap((issue) => explain(issue, [], root));
  // A required key that stands there misspelt is not also missing.
  const meant = new Set(
    findings
      .filter(({ code }) => code === 'SLUICE_CONFIG_UNKNOWN_KEY')
      .map(({ path, suggestion }) => formatPath([...path.slice(0, -1), suggestion ?? ''])),
  );
  return findings.filter(
    ({ code, path }) => code !== 'SLUICE_CONFIG_MISSING' || !meant.has(formatPath(path)),
  );
}

function explain(issue: Issue, prefix: Path, root: Located): readonly Finding[] {
  const path = [...prefix, ...partsOf(issue.path)];
  const node = nodeAt(root, path);
  // An alias that could not be followed: said already, where it stands.
  if (node !== undefined && node.value === undefined) return [];
  switch (issue.code) {
    case 'custom': {
      const { code, suggestion } = issue.params as unknown as IssueParams;
      return [{ code, path, message: issue.message, suggestion }];
    }
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key));
    case 'invalid_union':
      return explainUnion(issue, path, node, root);
    case 'invalid_type':
      return [wrongType(path, node, issue.expected)];
    case 'too_small': {
      const message = `the list is empty: at least ${issue.minimum} is needed`;
      return [{ code: 'SLUICE_CONFIG_MISSING', path, message }];
    }
    case 'too_big': {
      const message = `the list is longer than ${issue.maximum}`;
      return [{ code: 'SLUICE_CONFIG_LIMIT', path, message }];
    }
    default:
      return [{ code: 'SLUICE_CONFIG_VALUE', path, message: issue.message }];
  }
}

/** Unions are short form | full form (scalars.ts): the kind of value says which one was meant. */
function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  node: Located | undefined,
  root: Located,
): readonly Finding[] {
  const [short = [], full = []] = issue.errors;
  const value = node?.value;
  if (typeof value !== 'object' || value === null) {
    return short.flatMap((inner) => explain(inner, path, root));
  }
  const mismatch = full.find((inner) => inner.path.length === 0 && inner.code === 'invalid_type');
  if (mismatch?.code !== 'invalid_type') {
    return full.flatMap((inner) => explain(inner, path, root));
  }
  const expected = mismatch.expected === 'array' ? 'a list' : 'a map';
  const message = `expected a text or ${expected}, not ${shown(value)}`;
  return [{ code: 'SLUICE_CONFIG_TYPE', path, message }];
}

function wrongType(path: Path, node: Located | undefined, expected: string): Finding {
  if (node === undefined) {
    return { code: 'SLUICE_CONFIG_MISSING', path, message: 'is required here' };
  }
  if (node.value === null) return { code: 'SLUICE_CONFIG_MISSING', path, message: 'has no value' };
  const kind = expected === 'array' ? 'a list' : 'a map';
  const message = `expected ${kind}, not ${shown(node.value)}`;
  return { code: 'SLUICE_CONFIG_TYPE', path, message };
}

/** Words of other balancers for keys that exist here under another name. */
const synonyms: ReadonlyMap<string, string> = new Map([
  ['address', 'bind'],
  ['listen', 'bind'],
  ['balance', 'policy'],
  ['algorithm', 'policy'],
  ['lb_policy', 'policy'],
  ['check', 'health'],
  ['health_check', 'health'],
  ['healthcheck', 'health'],
  ['members', 'targets'],
  ['endpoints', 'targets'],
  ['nodes', 'targets'],
  ['maxconn', 'max_connections'],
  ['max_conns', 'max_connections'],
  ['threads', 'workers'],
]);

function unknownKey(holder: Path, key: string): Finding {
  const known = keysAt(holder);
  const plain = key.toLowerCase().replaceAll('-', '_');
  const synonym = synonyms.get(plain);
  const suggestion =
    (synonym !== undefined && known.includes(synonym) ? synonym : undefined) ??
    nestedKey(holder, known, plain) ??
    nearestWord(key, known);
  const choices = suggestion === undefined ? `; known here: ${known.join(', ')}` : '';
  return {
    code: 'SLUICE_CONFIG_UNKNOWN_KEY',
    path: [...holder, key],
    aim: 'key',
    message: `no key ${shown(key)} here${choices}`,
    suggestion,
  };
}

/** A key that belongs one level deeper, as `connect` in `timeouts`. */
function nestedKey(holder: Path, known: readonly string[], key: string): string | undefined {
  const parent = known.find((name) => keysAt([...holder, name]).includes(key));
  return parent === undefined ? undefined : `${parent}.${key}`;
}
