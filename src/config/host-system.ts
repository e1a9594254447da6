// HostSystem: the questions that check.ts has for the machine, in one place that tests replace.
import { lookup } from 'node:dns/promises';
import { access, constants, readFile, stat } from 'node:fs/promises';
import { availableParallelism, networkInterfaces } from 'node:os';
import { systemErrorName } from '../errors.js';

export interface Permissions {
  /** CAP_NET_RAW is in effect. */
  readonly rawSockets: boolean;
  /** net.ipv4.ping_group_range; null when it cannot be read. */
  readonly pingGroups: { readonly low: number; readonly high: number } | null;
  /** The groups of this process. */
  readonly groups: readonly number[];
}

export interface HostSystem {
  /** null: it resolves. Otherwise the reason why not. */
  lookup(host: string): Promise<string | null>;
  ownAddresses(): readonly string[];
  permissions(): Promise<Permissions>;
  /** Open files that this process may have; null when unlimited or unknown. */
  descriptorLimit(): Promise<number | null>;
  cpus(): number;
  /** null: the file is there and this process may use it so. Otherwise the reason why not. */
  fileUsable(path: string, use: 'read' | 'execute'): Promise<string | null>;
}

const lookupReasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'the resolver does not answer',
  ENODATA: 'the name has no address',
};

/** `root` stands for `/` in tests, where /proc is a directory of theirs. */
export function hostSystem(root = ''): HostSystem {
  const read = (path: string) => readFile(root + path, 'utf8').catch(() => '');
  return {
    async lookup(host) {
      try {
        await lookup(host, { all: true });
        return null;
      } catch (error) {
        const name = systemErrorName(error);
        return lookupReasons[name] ?? name;
      }
    },
    ownAddresses() {
      return Object.values(networkInterfaces()).flatMap((addresses) =>
        (addresses ?? []).map(({ address }) => address),
      );
    },
    async permissions() {
      const range = await read('/proc/sys/net/ipv4/ping_group_range');
      const status = await read('/proc/self/status');
      return {
        rawSockets: hasCapability(status, capNetRaw),
        pingGroups: parseRange(range),
        groups: [...new Set([process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])])],
      };
    },
    async descriptorLimit() {
      // Node has raised the soft limit to the hard one at its start.
      const limits = await read('/proc/self/limits');
      const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
      return hard === undefined ? null : Number(hard);
    },
    cpus: availableParallelism,
    async fileUsable(path, use) {
      try {
        await access(path, use === 'read' ? constants.R_OK : constants.X_OK);
        return (await stat(path)).isFile() ? null : 'it is not a file';
      } catch (error) {
        return systemErrorName(error);
      }
    },
  };
}

/** Bit numbers of linux/capability.h. */
const capNetRaw = 13n;

function hasCapability(status: string, bit: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
}

function parseRange(text: string): { readonly low: number; readonly high: number } | null {
  const match = /^(\d+)\s+(\d+)/.exec(text);
  return match === null ? null : { low: Number(match[1]), high: Number(match[2]) };
}
