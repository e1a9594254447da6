// sluice completion SHELL: a script for the shell, which asks `sluice complete-words` what fits.
import type { Command } from 'commander';
import { getAdmin } from './admin-client.js';
import { listOf, textOf } from './answer-fields.js';
import { complete, type RunningNames } from './complete.js';
import { exitCodes } from './exit-codes.js';
import { visible } from './terminal.js';

export type Shell = 'bash' | 'zsh' | 'fish';

/** A line is a word, a tab and what it means; a line `:files` asks for files. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of sluice: eval "$(sluice completion bash)"
_sluice() {
  local line word joined
  joined="\${COMP_LINE:0:COMP_POINT}"
  local -a words
  read -r -a words <<<"$joined"
  [[ "$joined" == *[[:space:]] ]] && words+=('')
  local current="\${words[-1]}" typed="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    word="\${line%%$'\\t'*}"
    if [[ "$word" == ':files' ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
    else
      # Bash breaks words at colons, and wants only what follows the last one.
      [[ "$current" == *:* && "$current" != "$typed" ]] && word="\${word#"\${current%:*}:"}"
      COMPREPLY+=("$word")
    fi
  done < <("\${words[0]}" complete-words -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _sluice sluice
`,
  zsh: `#compdef sluice
# zsh completion of sluice: source <(sluice completion zsh)
_sluice() {
  local line
  local -a found
  local typed=("\${(@)words[2,CURRENT]}")
  for line in "\${(@f)$("\${words[1]}" complete-words -- "\${typed[@]}" 2>/dev/null)}"; do
    if [[ "$line" == ':files' ]]; then
      _files
    elif [[ -n "$line" ]]; then
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( \${#found} )) && _describe sluice found
}
compdef _sluice sluice
`,
  fish: `# fish completion of sluice: sluice completion fish | source
function __sluice_complete
    set -l typed (commandline -opc) (commandline -ct)
    for line in ($typed[1] complete-words -- $typed[2..-1] 2>/dev/null)
        if test "$line" = ':files'
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c sluice -f -a '(__sluice_complete)'
`,
};

export function completion(shell: Shell): number {
  process.stdout.write(scripts[shell]);
  return exitCodes.ok;
}

/** Nobody waits for a completion. */
const answerMs = 500;

const running: RunningNames = {
  pools: (admin) => names(admin, '/api/v1/pools', (body) => listOf(body.pools).map(nameOf)),
  targets: (admin) =>
    names(admin, '/api/v1/status', (body) =>
      listOf(body.pools).flatMap(({ name, targets }) =>
        listOf(targets).map((target) => `${textOf(name)}/${nameOf(target)}`),
      ),
    ),
};

function nameOf({ name }: Readonly<Record<string, unknown>>): string {
  return textOf(name);
}

async function names(
  admin: string | undefined,
  path: string,
  read: (body: Readonly<Record<string, unknown>>) => readonly string[],
): Promise<readonly string[]> {
  const address = admin ?? process.env.SLUICE_ADMIN ?? 'http://127.0.0.1:9090';
  try {
    const { status, body } = await getAdmin(address, path, answerMs);
    return status === 200 ? read(body) : [];
  } catch {
    // A shell that completes wants words or none, whatever is wrong.
    return [];
  }
}

export async function completeWords(program: Command, words: readonly string[]): Promise<number> {
  const { words: found, files } = await complete(program, words, running);
  const lines = found.map(({ word, says }) => `${visible(word)}\t${visible(says)}`);
  if (files) lines.push(':files');
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return exitCodes.ok;
}
