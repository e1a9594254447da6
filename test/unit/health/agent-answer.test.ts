// What agents say, and what of it stays.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAgentAnswer } from '../../../src/health/agent-answer.js';
import {
  afterWords,
  joinAdminStates,
  joinHealth,
  joinWeight,
  nothingSaid,
  sameWords,
} from '../../../src/model/agent.js';

const said = (line: string) => readAgentAnswer(line).words;

describe('an answer', () => {
  it('is words of HAProxy, in any order and any case', () => {
    expect(said('75%')).toEqual({ ...nothingSaid, weight: { kind: 'share', value: 0.75 } });
    expect(said('weight:7')).toEqual({ ...nothingSaid, weight: { kind: 'weight', value: 7 } });
    expect(said('READY,up\tmaxconn:30 50%\r')).toEqual({
      weight: { kind: 'share', value: 0.5 },
      maxConnections: 30,
      adminState: 'enabled',
      up: true,
    });
    for (const word of ['down', 'fail', 'failed', 'stopped']) expect(said(word).up).toBe(false);
    expect(said('drain').adminState).toBe('draining');
    expect(said('maint').adminState).toBe('disabled');
  });

  it('may have words that are none, and a remark: the rest counts', () => {
    expect(readAgentAnswer('drain 1001% weight:65536 so-what # maint')).toEqual({
      words: { ...nothingSaid, adminState: 'draining' },
      unknown: ['1001%', 'weight:65536', 'so-what'],
    });
  });

  it('does no harm, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9%:a-z, ]{0,40}$/)), (line) => {
        const { words } = readAgentAnswer(line);
        expect(joinWeight(65_535, words)).toBeGreaterThanOrEqual(0);
        expect(joinWeight(65_535, words)).toBeLessThanOrEqual(655_350);
      }),
      { numRuns: 2000 },
    );
    expect(said('constructor __proto__ toString')).toEqual(nothingSaid);
  });
});

describe('what an agent has said', () => {
  it('stays until it says something else of that sort', () => {
    const lines = ['50% drain', 'down', '', 'ready', '100%'];
    const history = lines.map(said);
    expect(history.reduce(afterWords, nothingSaid)).toEqual({
      weight: { kind: 'share', value: 1 },
      maxConnections: null,
      adminState: 'enabled',
      up: false,
    });
    expect(sameWords(said('50%'), said('50%'))).toBe(true);
    expect(sameWords(said('50%'), said('weight:50'))).toBe(false);
  });

  it('takes a target out beside health and operator, and brings back only what it took', () => {
    expect(joinHealth('healthy', said('down'))).toBe('unhealthy');
    expect(joinHealth('unhealthy', said('up'))).toBe('unhealthy');
    expect(joinHealth('unknown', nothingSaid)).toBe('unknown');
    expect(joinAdminStates('enabled', said('drain'))).toBe('draining');
    expect(joinAdminStates('draining', said('ready'))).toBe('draining');
    expect(joinAdminStates('draining', said('maint'))).toBe('disabled');
    expect(joinAdminStates('disabled', said('drain'))).toBe('disabled');
    expect(joinAdminStates('enabled', nothingSaid)).toBe('enabled');
  });

  it('changes the weight by a share of the configured one, or in its place', () => {
    expect(joinWeight(8, said('75%'))).toBe(6);
    expect(joinWeight(8, said('weight:3'))).toBe(3);
    expect(joinWeight(8, said('0%'))).toBe(0);
    expect(joinWeight(8, nothingSaid)).toBe(8);
  });
});
