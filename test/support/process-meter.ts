// What the kernel says of a running process: CPU time of sluice's workers, memory, descriptors.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** CPU time that the threads of workers have used so far. */
export function workerCpuSeconds(pid: number): number {
  let totalNs = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`;
    if (!readFileSync(`${folder}/comm`, 'utf8').startsWith('sluice-w')) continue;
    // The scheduler's own account, in nanoseconds; `stat` counts in hundredths of a second.
    totalNs += Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]);
  }
  return totalNs / 1e9;
}

export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

export interface Descriptors {
  readonly pipes: number;
  /** Sockets, files, epoll and event descriptors. */
  readonly others: number;
}

/** Inodes of the sockets at `address`, as `http://ip:port` or `unix:path`. */
function socketsAt(pid: number, address: string): ReadonlySet<string> {
  const rows = (of: number | 'self', name: string) =>
    readFileSync(`/proc/${of}/net/${name}`, 'utf8')
      .split('\n')
      .map((row) => row.trim().split(/\s+/));
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length);
    // An accepted unix socket belongs to the network namespace of its client: of this process.
    const sockets = [...rows(pid, 'unix'), ...rows('self', 'unix')];
    return new Set(sockets.flatMap((row) => (row[7] === path ? [row[6] ?? ''] : [])));
  }
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return new Set(
    rows(pid, 'tcp').flatMap((row) => (row[1]?.endsWith(local) ? [row[9] ?? ''] : [])),
  );
}

/** Without the sockets of the admin API, which come and go with the questions that tests ask. */
export function descriptorsOf(pid: number, adminAddress: string): Descriptors {
  const folder = `/proc/${pid}/fd`;
  const before = socketsAt(pid, adminAddress);
  const links = readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)];
    } catch {
      // Closed since the listing.
      return [];
    }
  });
  // Before and after: one may close or open while the links are read.
  const admin = new Set([...before, ...socketsAt(pid, adminAddress)]);
  const pipes = links.filter((link) => link.startsWith('pipe:')).length;
  const isAdmin = (link: string) => admin.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '-');
  return { pipes, others: links.filter((link) => !isAdmin(link)).length - pipes };
}
