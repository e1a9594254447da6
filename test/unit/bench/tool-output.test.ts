// What the bench reads out of the tools' outputs, and what it writes for the contenders.
import { describe, expect, it } from 'vitest';
import { haproxyConfig } from '../../../bench/contenders/haproxy.mjs';
import { nginxStreamConfig } from '../../../bench/contenders/nginx.mjs';
import { sluiceConfig } from '../../../bench/contenders/sluice.mjs';
import { parseIperf } from '../../../bench/rows/bulk.mjs';
import { parseWrk } from '../../../bench/rows/http.mjs';
import { parsePgbench } from '../../../bench/rows/postgres.mjs';
import { parseRedisBenchmark } from '../../../bench/rows/redis.mjs';
import { parseFigures } from '../../../bench/run.mjs';
import { parseRequestCount } from '../../../bench/targets/nginx-http.mjs';
import { parseCommandCount } from '../../../bench/targets/redis.mjs';
import { load } from '../../support/bad-file.js';

const wrkOutput = `Running 2s test @ http://127.0.0.1:1/
  Latency Distribution
     50%  800.00us
     99%    1.50ms
  23456 requests in 2.00s, 5.00MB read
  Socket errors: connect 0, read 3, write 1, timeout 2
  Non-2xx or 3xx responses: 4
Requests/sec:  11728.00
`;

describe('the outputs of tools', () => {
  it('of wrk: requests, rate, p99 in microseconds, all errors', () => {
    expect(parseWrk(wrkOutput)).toEqual({
      requests: 23456,
      perSecond: 11728,
      p99Us: 1500,
      errors: 10,
    });
    expect(() => parseWrk('unable to connect')).toThrow('wrk');
  });

  it('of iperf3: bytes of both ends, and its errors', () => {
    const end = {
      sum_sent: { bytes: 2e9, seconds: 2 },
      sum_received: { bytes: 1.9e9, seconds: 2.1 },
    };
    expect(parseIperf(JSON.stringify({ end }))).toEqual({
      sentBytes: 2e9,
      receivedBytes: 1.9e9,
      seconds: 2.1,
    });
    expect(() => parseIperf('{"error":"server busy"}')).toThrow('server busy');
  });

  it('of redis-benchmark: rate and p99, by the names of the columns', () => {
    const csv = '"test","rps","p50_latency_ms","p99_latency_ms"\n"GET","1000.5","0.1","0.25"\n';
    expect(parseRedisBenchmark(csv)).toEqual({ perSecond: 1000.5, p99Us: 250 });
    expect(() => parseRedisBenchmark('Could not connect')).toThrow('redis-benchmark');
  });

  it('of pgbench: transactions and rate', () => {
    const text = 'number of transactions actually processed: 123\ntps = 61.5 (without initial)\n';
    expect(parsePgbench(text)).toEqual({ transactions: 123, perSecond: 61.5 });
    expect(() => parsePgbench('connection refused')).toThrow('pgbench');
  });

  it('of stub_status and INFO: what the targets counted', () => {
    const status = 'Active connections: 2 \nserver accepts handled requests\n 7 7 99 \n';
    expect(parseRequestCount(status)).toBe(99);
    expect(parseCommandCount('# Stats\r\ntotal_commands_processed:42\r\n')).toBe(42);
  });

  it('of our generators: figures of the last line, none of which may be absent', () => {
    const figures = parseFigures('{"ready":1}\n{"sent":5}\n');
    expect(figures('sent')).toBe(5);
    expect(() => figures('received')).toThrow('received');
  });
});

const job = {
  protocol: 'tcp' as const,
  listen: '10.0.0.1:80',
  targets: ['10.0.0.2:81', '10.0.0.3:81'],
  folder: '/tmp/folder',
};

describe('the configurations of contenders', () => {
  it('of haproxy differ in splice-auto only', () => {
    expect(haproxyConfig(job, true).replace('  option splice-auto\n', '')).toBe(
      haproxyConfig(job, false),
    );
    expect(haproxyConfig(job, false)).toContain('server t1 10.0.0.3:81');
  });

  it('of nginx listen for datagrams when asked', () => {
    expect(nginxStreamConfig({ ...job, protocol: 'udp' })).toContain('listen 10.0.0.1:80 udp;');
  });

  it.each(['tcp', 'udp'] as const)('of sluice are valid for %s', (protocol) => {
    const text = sluiceConfig({ ...job, protocol, bulk: protocol === 'udp', workers: 2 });
    expect(load(text)).toMatchObject({ ok: true });
  });
});
