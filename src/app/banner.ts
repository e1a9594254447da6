// Banner: the first screen of a run, for people: what listens where, who serves it, where to look,
// how to stop. Pure text; the log says the same for machines.
import type { Status } from '../model/status.js';
import type { DemoTarget } from './demo-targets.js';

export interface BannerFacts {
  readonly version: string;
  readonly workers: number;
  readonly adminAddress: string | null;
  readonly logOutput: string;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function banner(status: Status, facts: BannerFacts): readonly string[] {
  const { version, workers, adminAddress, logOutput } = facts;
  const lines = [`sluice ${version}, ${plural(workers, 'worker')}`];
  for (const listener of status.listeners) {
    const pool = status.pools.find(({ name }) => name === listener.pool);
    const targets = pool?.targets ?? [];
    const ready = targets.filter(({ eligible }) => eligible).length;
    lines.push(
      `  ${listener.protocol}  ${listener.addresses.join(', ')}  ->  ${listener.pool} ` +
        `(${pool?.policy ?? 'no pool'}, ${ready} of ${plural(targets.length, 'target')} ready)`,
    );
  }
  lines.push(adminAddress === null ? '  admin  off' : `  admin  ${adminAddress}`);
  lines.push(`  log    ${logOutput}`);
  return lines;
}

/** Where each demo command goes: the first address of a listener of that protocol. */
function firstAddress(status: Status, protocol: DemoTarget['protocol']): string | null {
  const listener = status.listeners.find((candidate) => candidate.protocol === protocol);
  return listener?.addresses.find((address) => !address.startsWith('unix:')) ?? null;
}

function hostAndPort(address: string): { host: string; port: string } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return {
    host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host,
    port: address.slice(colon + 1),
  };
}

/**
 * What to type to see the demo balance, one line per protocol. `has` tells whether a command is
 * installed; bash alone can do both, so that a bare machine gets working lines too.
 */
export function demoCommands(status: Status, has: (command: string) => boolean): readonly string[] {
  const lines: string[] = [];
  const tcp = firstAddress(status, 'tcp');
  if (tcp !== null) {
    const { host, port } = hostAndPort(tcp);
    const once = has('curl')
      ? `curl -s http://${tcp}`
      : `bash -c 'exec 3<>/dev/tcp/${host}/${port}; ` +
        `printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; tail -n1 <&3'`;
    lines.push(`for i in 1 2 3 4 5 6; do ${once}; done`);
  }
  const udp = firstAddress(status, 'udp');
  if (udp !== null) {
    const { host, port } = hostAndPort(udp);
    const once = `bash -c 'exec 3<>/dev/udp/${host}/${port}; echo hi >&3; head -n1 <&3'`;
    lines.push(`for i in 1 2 3 4 5 6; do ${once}; done`);
  }
  return lines;
}
