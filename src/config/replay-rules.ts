// Rules about connections that may be sent again: what contradicts itself, and what has no effect.
import { defaults } from './defaults.js';
import type { Facts, ListenerFacts } from './facts.js';
import { formatPath } from './problem.js';
import { parseSize } from './units.js';

export function checkReplays(facts: Facts): void {
  for (const listener of facts.listeners) {
    if (listener.protocol !== 'tcp') continue;
    checkBuffer(facts, listener);
    checkRetriesOf(facts, listener);
  }
}

function checkBuffer(facts: Facts, listener: ListenerFacts): void {
  const { replay_buffer: text, replay_safe: safe } = listener.draft;
  const path = [...listener.path, 'replay_buffer'];
  if (text !== undefined && safe !== true) {
    facts.report({
      severity: 'warning',
      code: 'SLUICE_CONFIG_NO_EFFECT',
      path,
      aim: 'key',
      message: 'nothing is kept unless replay_safe is true',
    });
    return;
  }
  if (safe !== true || (text === undefined && Object.hasOwn(listener.draft, 'replay_buffer'))) {
    return;
  }
  const wanted = text ?? defaults.listener.replayBuffer;
  const size = parseSize(wanted);
  if (!size.ok) return;
  if (size.value % 1024 !== 0) {
    const message = `${text} is not a whole number of KiB`;
    facts.report({ code: 'SLUICE_CONFIG_RANGE', path, message });
    return;
  }
  const bufferText = facts.draft.engine?.buffer ?? defaults.engine.buffer;
  const buffer = parseSize(bufferText);
  if (!buffer.ok || size.value <= buffer.value) return;
  facts.report({
    code: 'SLUICE_CONFIG_CONFLICT',
    path: text === undefined ? [...listener.path, 'replay_safe'] : path,
    message: `replay_buffer, ${wanted}, is larger than engine.buffer, ${bufferText}`,
  });
}

function checkRetriesOf(facts: Facts, listener: ListenerFacts): void {
  const { pool: name, replay_safe: safe } = listener.draft;
  const pool = name === undefined ? undefined : facts.pools.get(name);
  if (safe !== true || pool?.draft.retries !== 0) return;
  facts.report({
    code: 'SLUICE_CONFIG_CONFLICT',
    path: [...listener.path, 'replay_safe'],
    message: `${formatPath(pool.path)}.retries is 0: nothing would be sent again`,
  });
}
