// Reading /proc: CPU times of a core and a process, memory, bound sockets.
import { describe, expect, it } from 'vitest';
import {
  busySeconds,
  isBound,
  parseCoreTimes,
  parseKib,
  parseParent,
  parseProcessSeconds,
  spent,
} from '../../../bench/measure/proc.mjs';

const stat = `cpu  300 0 300 3000 0 0 0 0 0 0
cpu0 100 20 200 1000 50 10 30 5 0 0
cpu1 200 0 100 2000 0 0 0 0 0 0
cpu10 1 2 3 4 5 6 7 8 0 0
intr 12345
`;

describe('CPU times of a core', () => {
  it('are read from its own line, in seconds', () => {
    expect(parseCoreTimes(stat, 0)).toEqual({
      user: 1.2,
      system: 2,
      interrupts: 0.4,
      steal: 0.05,
      idle: 10.5,
    });
  });

  it('do not take cpu10 for cpu1', () => {
    expect(parseCoreTimes(stat, 1).user).toBe(2);
    expect(parseCoreTimes(stat, 10).user).toBe(0.03);
  });

  it('leave as work what was neither idling, waiting nor stolen', () => {
    const times = { user: 0, system: 0.1, interrupts: 0, steal: 0.05, idle: 0.37 };
    expect(busySeconds(times, 0.5)).toBeCloseTo(0.08);
    // The tick's 10 ms are coarser than our clock.
    expect(busySeconds({ ...times, idle: 0.51 }, 0.5)).toBe(0);
  });

  it('are subtracted field by field', () => {
    const now = parseCoreTimes(stat, 0);
    expect(busySeconds(spent(now, now), 1)).toBe(1);
    const before = { user: 0.2, system: 1, interrupts: 0, steal: 0, idle: 0 };
    expect(spent(before, now)).toMatchObject({ user: 1, system: 1, idle: 10.5 });
  });

  it('of a core that is not there are an error', () => {
    expect(() => parseCoreTimes(stat, 7)).toThrow('no core 7');
  });
});

describe('a line of /proc/PID/stat', () => {
  const fields = 'S 41 1 1 0 -1 4194304 100 0 0 0 250 150 0 0 20 0 3 0 100';

  it('tells the CPU seconds of all threads and the parent', () => {
    expect(parseProcessSeconds(`42 (node) ${fields}`)).toBe(4);
    expect(parseParent(`42 (node) ${fields}`)).toBe(41);
  });

  it('is read right when the name has spaces and parentheses', () => {
    expect(parseProcessSeconds(`42 (a (b) c) ${fields}`)).toBe(4);
    expect(parseParent(`42 (x) y) ${fields}`)).toBe(41);
  });

  it('of another form is an error', () => {
    expect(() => parseProcessSeconds('42 (node)')).toThrow('form');
  });
});

describe('a value in KiB', () => {
  const rollup = 'Rss:       5000 kB\nPss:       1234 kB\nPss_Anon:   99 kB\n';

  it('is found by its whole name', () => {
    expect(parseKib(rollup, 'Pss')).toBe(1234);
    expect(parseKib(rollup, 'Pss_Anon')).toBe(99);
  });

  it('that is absent is an error', () => {
    expect(() => parseKib(rollup, 'Swap')).toThrow('Swap');
  });
});

describe('a table of sockets', () => {
  const table = `  sl  local_address rem_address   st queues
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F91 0100007F:C001 01 00000000:00000000
   2: 00000000:1F92 00000000:0000 07 00000000:00000000
`;

  it('shows a listening and a bound socket', () => {
    expect(isBound(table, 8080)).toBe(true);
    expect(isBound(table, 8082)).toBe(true);
  });

  it('does not take a connection for a listener', () => {
    expect(isBound(table, 8081)).toBe(false);
    expect(isBound(table, 0xc001)).toBe(false);
  });
});
