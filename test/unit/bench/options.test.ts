// The bench's command line.
import { describe, expect, it, vi } from 'vitest';
import { parseOptions } from '../../../bench/options.mjs';

const choices = {
  rows: [
    { name: 'bulk-1', group: 'bulk' },
    { name: 'bulk-8', group: 'bulk' },
    { name: 'udp-echo', group: 'udp' },
    { name: 'udp-bulk', group: 'udp' },
  ],
  quickRows: ['bulk-1', 'udp-echo'],
  contenders: [
    { name: 'sluice', kind: 'subject' },
    { name: 'haproxy', kind: 'peer' },
    { name: 'pen', kind: 'peer' },
    { name: 'floor', kind: 'floor' },
    { name: 'direct', kind: 'direct' },
  ],
};

const parse = (line: string) => parseOptions(line.split(' ').filter(Boolean), choices);

describe('the options of the bench', () => {
  it('measure everything in five rounds when nothing is said', () => {
    expect(parse('')).toEqual({
      rows: ['bulk-1', 'bulk-8', 'udp-echo', 'udp-bulk'],
      contenders: ['sluice', 'haproxy', 'pen', 'floor', 'direct'],
      rounds: 5,
      seconds: 3,
      topology: 'auto',
      quick: false,
      readme: false,
    });
  });

  it('choose rows by name, group or beginning, in the order of the table', () => {
    expect(parse('--only udp-bulk,bulk')?.rows).toEqual(['bulk-1', 'bulk-8', 'udp-bulk']);
    expect(parse('--only udp-e')?.rows).toEqual(['udp-echo']);
  });

  it('choose peers and keep sluice, the floor and direct', () => {
    expect(parse('--peers haproxy')?.contenders).toEqual(['sluice', 'haproxy', 'floor', 'direct']);
  });

  it('of a quick run are few rows, one round and no slow contender', () => {
    const options = parse('--quick');
    expect(options).toMatchObject({ rows: ['bulk-1', 'udp-echo'], rounds: 1, quick: true });
    expect(options?.contenders).toEqual(['sluice', 'haproxy', 'floor']);
  });

  it('of a quick run can be widened', () => {
    const options = parse('--quick --only bulk-8 --peers pen --rounds 2');
    expect(options).toMatchObject({ rows: ['bulk-8'], rounds: 2 });
    expect(options?.contenders).toContain('pen');
  });

  it.each([
    ['--only nothing', 'No row is called nothing'],
    ['--peers sluice', 'No peer is called sluice'],
    ['--rounds 0', '--rounds is a whole number from 1 to 100'],
    ['--rounds 2.5', '--rounds is a whole number'],
    ['--seconds x', '--seconds is a whole number'],
    ['--topology moon', '--topology is loopback, namespaces or auto'],
  ])('refuse %s', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });

  it('list the rows instead of measuring', () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(parse('--list')).toBeNull();
    expect(write).toHaveBeenCalledWith('bulk-1\nbulk-8\nudp-echo\nudp-bulk\n');
    write.mockRestore();
  });
});
