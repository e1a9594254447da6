// Adding a policy as docs/development.md says: one pair of files and one line in a list, in a copy
// of the sources; then it picks, and the configuration knows it.
import { cpSync, symlinkSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { runProgram, temporaryFolder } from '../support/real-server.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const timeoutMs = 240_000;

const header = `// last: the last usable candidate in the order of the file.
#pragma once

#include <cstdint>
#include <span>

#include "policy/candidate.h"

namespace sluice::policy {

class Last {
 public:
  explicit Last(std::span<const Candidate> candidates);

  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(const Usable& usable) const {
    for (uint32_t i = count_; i > 0; i--) {
      if (usable(i - 1)) return i - 1;
    }
    return kNoPick;
  }

 private:
  uint32_t count_;
};

}  // namespace sluice::policy
`;

const source = `// last: knows no more of its candidates than how many there are.
#include "policy/last.h"

namespace sluice::policy {

Last::Last(std::span<const Candidate> candidates)
    : count_(static_cast<uint32_t>(candidates.size())) {}

}  // namespace sluice::policy
`;

/** Prints what every policy of the list picks of three; the third cannot be used. */
const program = `#include <atomic>
#include <cstdio>

#include "policy/policies.h"

using namespace sluice::policy;

std::atomic<uint32_t> numbers[3];
Bandwidth bandwidths[3];

template <typename Policy>
void pick(const char* name) {
  const Candidate candidates[3] = {{.slot = 0, .name = "a"}, {.slot = 1, .name = "b"},
                                   {.slot = 2, .name = "c"}};
  const SlotNumbers zeros(numbers, 3);
  const Signals signals{zeros, zeros, zeros, zeros, bandwidths};
  const auto policy = make_policy<Policy>(candidates, Settings{});
  Cursor cursor{.random = {1, 2, 3, 4}};
  const Key key{};
  std::printf("%s %u\\n", name,
              pick_with(policy, {key, cursor, signals}, [](uint32_t i) { return i < 2; }));
}

int main() {
#define X(name, number, Class) pick<Class>(#name);
  SLUICE_POLICIES(X)
}
`;

async function copyOfSources(): Promise<string> {
  const copy = await temporaryFolder();
  for (const name of ['native', 'src', 'scripts', 'tsconfig.json', 'package.json']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

const generate = (copy: string) =>
  runProgram(process.execPath, [join(copy, 'scripts/generate-policies.mjs')]);

const flags = ['-std=c++20', '-O0', '-Wall', '-Wextra', '-Werror', '-fno-rtti'];

it('takes one pair of files and one line in a list', { timeout: timeoutMs }, async () => {
  const copy = await copyOfSources();
  const list = join(copy, 'native/policy/policies.txt');
  await writeFile(join(copy, 'native/policy/last.h'), header);
  await writeFile(join(copy, 'native/policy/last.cpp'), source);
  await appendFile(list, 'last  250  no  none  never\n');
  await generate(copy);

  // The one list of sources has its file, and it picks like all the others.
  const sources = (await readFile(join(copy, 'native/sources.txt'), 'utf8')).split('\n');
  const policies = sources.filter((name) => name.startsWith('policy/'));
  const files = policies.map((name) => `"$1"/native/${name}`).join(' ');
  await writeFile(join(copy, 'program.cpp'), program);
  const command = `exec g++ ${flags.join(' ')} -I "$1/native" -o "$1/program" "$1/program.cpp"`;
  await runProgram('/bin/sh', ['-c', `${command} ${files}`, 'sh', copy], { timeoutMs });
  const picks = (await runProgram(join(copy, 'program'), [])).trimEnd().split('\n');
  const before = await readFile(join(root, 'native/policy/policies.txt'), 'utf8');
  expect(picks).toHaveLength(before.split('\n').filter((line) => /^[a-z]/.test(line)).length + 1);
  expect(picks).toContain('last 1');

  // The configuration knows it, and what it does not heed.
  await runProgram(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', copy], {
    timeoutMs,
  });
  const dist = (path: string) => pathToFileURL(join(copy, 'dist', path)).href;
  const script = `
    import { loadConfig } from ${JSON.stringify(dist('config/load.js'))};
    import { publishedJsonSchema } from ${JSON.stringify(dist('config/json-schema.js'))};
    const load = (policy) => loadConfig(Buffer.from(\`
      listeners: { web: { bind: "127.0.0.1:0", pool: web } }
      pools: { web: { policy: \${policy}, targets: ["192.0.2.1:80"] } }\`), 'new.yaml');
    const good = load('last');
    const bad = load('{ name: last, key: source }');
    console.log(JSON.stringify({
      picked: good.ok && good.config.pools[0].policy.name,
      refused: bad.ok ? [] : bad.errors.map(({ message }) => message),
      inSchema: JSON.stringify(publishedJsonSchema()).includes('"last"'),
    }));`;
  const answer = await runProgram(process.execPath, ['--input-type=module', '-e', script]);
  expect(JSON.parse(answer)).toEqual({
    picked: 'last',
    refused: ['last does not decide by a key: ring_hash and maglev do'],
    inSchema: true,
  });

  // A line that promises a key which the class does not take.
  const text = await readFile(list, 'utf8');
  await writeFile(list, text.replace('250  no  none', '250  no  any'));
  await generate(copy);
  const wrong = [...flags, '-fsyntax-only', '-I', join(copy, 'native'), join(copy, 'program.cpp')];
  await expect(runProgram('g++', wrong, { timeoutMs })).rejects.toThrow(
    /the column `key` of policies\.txt/,
  );
});
