// Two hosts on one machine for fault tests: network namespaces `lb` and `targets`, joined by a veth
// pair, made and removed by the test itself. sluice runs in `lb` and is reached over unix sockets,
// which cross namespaces; so nothing of the machine's own network is touched.
import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { requireTools } from './require-tool.js';

export interface Network {
  /** Prefix of a command that is to run on that host. */
  readonly lb: readonly string[];
  readonly targets: readonly string[];
  /** Runs a command on a host and returns what it prints. */
  on(host: 'lb' | 'targets', ...command: string[]): string;
  /** Addresses of the targets' host, from the lb's side. */
  readonly targetAddresses: readonly string[];
  readonly lbAddress: string;
}

/** Root and the tools are needed; says so, or fails where skipping is forbidden. */
export function networkPossible(): boolean {
  if (!requireTools('ip', 'nft')) return false;
  if (process.getuid?.() === 0) return true;
  if (process.env.SLUICE_REQUIRE_TOOLS === '1') throw new Error('network tests need root');
  process.stderr.write('notice: not root: network tests skipped\n');
  return false;
}

let made = 0;

export function makeNetwork(): Network {
  made++;
  const unique = `${process.pid}-${made}`;
  const names = { lb: `sluice-lb-${unique}`, targets: `sluice-tg-${unique}` };
  const run = (command: readonly string[]) => {
    const [file = '', ...args] = command;
    return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const enter = (host: 'lb' | 'targets') => ['ip', 'netns', 'exec', names[host]];
  onTestFinished(() => {
    for (const name of Object.values(names)) run(['ip', 'netns', 'delete', name]);
  });
  for (const name of Object.values(names)) run(['ip', 'netns', 'add', name]);
  const veth = { lb: `vl${made}p${process.pid}`, targets: `vt${made}p${process.pid}` };
  run([
    ...['ip', 'link', 'add', veth.lb, 'netns', names.lb, 'type', 'veth'],
    ...['peer', 'name', veth.targets, 'netns', names.targets],
  ]);
  // 192.0.2.0/24 is reserved for documentation: never a real neighbour.
  const lbAddress = '192.0.2.1';
  const targetAddresses = ['192.0.2.11', '192.0.2.12', '192.0.2.13'];
  const on = (host: 'lb' | 'targets', ...command: string[]) => run([...enter(host), ...command]);
  on('lb', 'ip', 'addr', 'add', `${lbAddress}/24`, 'dev', veth.lb);
  for (const address of targetAddresses) {
    on('targets', 'ip', 'addr', 'add', `${address}/24`, 'dev', veth.targets);
  }
  for (const host of ['lb', 'targets'] as const) {
    on(host, 'ip', 'link', 'set', 'lo', 'up');
    on(host, 'ip', 'link', 'set', veth[host], 'up');
  }
  return { lb: enter('lb'), targets: enter('targets'), on, targetAddresses, lbAddress };
}
