// AskAgent over TCP: connect, send what is configured, and read one line or all that comes.
import type { Clock } from '../clock.js';
import type { AgentWords } from '../model/agent.js';
import { readAgentAnswer } from './agent-answer.js';
import type { AskAgent } from './agent-watcher.js';
import { converse } from './conversation.js';

export function createAskAgent(clock: Clock): AskAgent {
  return async (endpoint, { send, timeoutMs }) => {
    let words: AgentWords | null = null;
    await converse({ clock, endpoint, timeoutMs }, async (agent) => {
      if (send !== null) agent.send(send);
      const line = await agent.read((received, ended) => {
        const end = received.indexOf(0x0a);
        if (end < 0 && !ended) return null;
        return received.toString('latin1', 0, end < 0 ? received.length : end);
      });
      words = readAgentAnswer(line).words;
      return { ok: true, reason: 'answered' };
    });
    return words;
  };
}
