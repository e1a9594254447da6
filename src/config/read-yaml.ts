// Text to located data. The YAML library reads the text; this file bounds what it may cost, says
// its errors in our words, and turns its nodes into plain data: YAML 1.2 core schema, no tags, one
// document, string keys, no duplicates, aliases and merges (<<) followed within a bound.
import { Composer, type Document, isScalar, Lexer, Parser, type YAMLError } from 'yaml';
import type { ErrorCode } from '../errors.js';
import { locate } from './locate.js';
import type { Located, SourceText } from './located.js';
import type { ConfigProblem } from './problem.js';

export type YamlResult =
  | { readonly ok: true; readonly root: Located; readonly problems: readonly ConfigProblem[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * A configuration nests 6 deep; the parser's own stack grows by at most two per level. The bound
 * stands in front of the composer, which recurses: at some thousand levels it exhausts the stack
 * inside V8's regular expression compiler, and that aborts the process (seen with yaml 2.9.1).
 */
const parserDepthMax = 64;
/** 16384 targets with every key in flow style are 700 000. Each costs about a microsecond. */
const lexemesMax = 1_000_000;

export function readYaml(source: SourceText): YamlResult {
  const parser = new Parser();
  const tokens = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(source.text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    lexemes++;
    const deep = parser.stack.length > parserDepthMax;
    if (!deep && lexemes <= lexemesMax) continue;
    const message = deep ? 'nested too deeply' : `more than ${lexemesMax} parts`;
    return refuse(source.problemAt(parser.offset, 'SLUICE_CONFIG_COMPLEXITY', message));
  }
  for (const token of parser.end()) tokens.push(token);

  const documents: Document.Parsed[] = [];
  const composer = new Composer({
    schema: 'core',
    customTags: [],
    resolveKnownTags: false,
    // Ours is linear in the number of keys, theirs quadratic.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  for (const document of composer.compose(tokens, true, source.text.length)) {
    documents.push(document as Document.Parsed);
    if (documents.length > 1) break;
  }
  const [document, second] = documents;
  if (document === undefined) return refuse(emptyProblem(source));
  const errors = document.errors.map((error) => yamlProblem(source, error));
  if (second !== undefined) {
    const message = 'a second document begins here; a configuration is one document';
    const at = secondDocumentOffset(source.text, second);
    errors.push(source.problemAt(at, 'SLUICE_CONFIG_DOCUMENTS', message));
  }
  if (errors.length > 0) return { ok: false, problems: errors };
  const contents = document.contents;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return refuse(emptyProblem(source));
  }
  return locate(document, source);
}

function refuse(problem: ConfigProblem): YamlResult {
  return { ok: false, problems: [problem] };
}

function emptyProblem(source: SourceText): ConfigProblem {
  const what = source.text.trim() === '' ? 'is empty' : 'says nothing';
  const message = `the file ${what}: it needs \`listeners\` and \`pools\``;
  return source.problemAt(0, 'SLUICE_CONFIG_EMPTY', message);
}

/** Its `---` line, which stands in front of what the library calls the document's start. */
function secondDocumentOffset(text: string, second: Document.Parsed): number {
  const marker = text.lastIndexOf('\n---', second.range[0]);
  return marker < 0 ? second.range[0] : marker + 1;
}

function yamlProblem(source: SourceText, error: YAMLError): ConfigProblem {
  const { code, message, suggestion, at } = explain(source.text, error);
  return source.problemAt(at ?? error.pos[0], code, message, suggestion);
}

interface Explanation {
  readonly code: ErrorCode;
  readonly message: string;
  readonly suggestion?: string;
  /** When it is not where the library noticed. */
  readonly at?: number;
}

/** The library's words are good; the ones that configurations meet most get better ones. */
function explain(text: string, error: YAMLError): Explanation {
  const before = text.slice(Math.max(0, error.pos[0] - 64), error.pos[0]);
  const rest = text.slice(error.pos[0], error.pos[0] + 200).split(/[\r\n]/, 1)[0] ?? '';
  if (error.code === 'TAB_AS_INDENT') {
    return { code: 'SLUICE_CONFIG_TAB', message: 'indented with a tab: use spaces' };
  }
  if (error.code === 'MULTIPLE_DOCS') {
    const message = 'a second document begins here; a configuration is one document';
    return { code: 'SLUICE_CONFIG_DOCUMENTS', message };
  }
  const bracket = /(\[[0-9a-f:.]*\]:[0-9-]*)$/i.exec(before + rest.split(/[\s,}]/, 1)[0]);
  if (bracket !== null) {
    const message = 'a text that begins with [ needs quotes';
    const at = error.pos[0] - before.length + bracket.index;
    return { code: 'SLUICE_CONFIG_SYNTAX', message, suggestion: `"${bracket[1]}"`, at };
  }
  if (error.code === 'MISSING_CHAR' && /quote$/.test(error.message)) {
    return { code: 'SLUICE_CONFIG_SYNTAX', message: 'a quote is not closed before this' };
  }
  const sentence = error.message.split('\n', 1)[0] ?? '';
  const plain = sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/[:.]$/, '');
  return { code: 'SLUICE_CONFIG_SYNTAX', message: plain };
}
