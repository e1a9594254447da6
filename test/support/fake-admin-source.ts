// An admin API without a load balancer behind it: what it is asked to do is written down, and what
// it tells is what a test says.
import type { AdminSource } from '../../src/admin/admin-source.js';
import type { AdminReach } from '../../src/admin/guard.js';
import { adminRoutes } from '../../src/admin/routes.js';
import { hashToken } from '../../src/admin/token.js';
import { connectTimes } from '../../src/model/connection-ends.js';
import { emptyHistogram } from '../../src/model/histogram.js';
import { noRates } from '../../src/model/overview.js';
import { responseTimes } from '../../src/model/response-times.js';
import type { PoolStatus, Status, TargetStatus } from '../../src/model/status.js';

export function targetStatus(name: string, parts: Partial<TargetStatus> = {}): TargetStatus {
  return {
    name,
    address: '192.0.2.1:80',
    resolved: '192.0.2.1:80',
    weight: 1,
    effectiveWeight: 1,
    agent: null,
    priority: 0,
    backup: false,
    health: 'healthy',
    healthReason: '',
    healthDetail: '',
    certificateExpires: null,
    role: '',
    healthSince: null,
    probeLatencyMs: null,
    adminState: 'enabled',
    ejection: null,
    drain: null,
    eligible: true,
    active: 0,
    activeTurns: 0,
    responses: responseTimes(emptyHistogram, 0),
    connects: connectTimes(emptyHistogram),
    maxConnections: 0,
    totals: {},
    ...parts,
  };
}

export function poolStatus(name: string, targets: readonly TargetStatus[]): PoolStatus {
  return {
    name,
    policy: 'round_robin',
    healthCheck: 'tcp',
    role: 'any',
    tiers: [{ priority: 0, candidates: 1, configured: 1, share: 1, panic: false }],
    sticky: null,
    totals: {},
    targets,
  };
}

export function statusOf(...pools: PoolStatus[]): Status {
  return {
    generation: { wanted: 1, applied: 1 },
    listeners: [],
    pools,
    workers: [],
    eventsDropped: 0,
  };
}

/** A name for each role, and its token. */
export const roleTokens = { read: 'token-that-reads', admin: 'token-that-changes' } as const;

export const accessByTokens: ReturnType<AdminSource['access']> = {
  hosts: [],
  tokens: (['read', 'admin'] as const).map((role) => ({
    name: `${role}er`,
    role,
    hash: hashToken(roleTokens[role]),
  })),
};

export function adminSource(parts: Partial<AdminSource> = {}): AdminSource {
  return {
    clock: { nowMs: () => 0 },
    log: { event: () => undefined },
    access: () => ({ hosts: [], tokens: [] }),
    changes: null,
    build: { version: '1.2.3', nodeVersion: 'v20' },
    counters: { workerCounters: [], listenerCounters: [], targetCounters: [], poolCounters: [] },
    history: {
      read: () => 'unknown',
      overview: () => ({ total: noRates, listeners: [], pools: [] }),
    },
    events: { open: () => null, kept: () => new Uint8Array() },
    status: () => statusOf(),
    readiness: () => ({ ready: true, missing: [] }),
    explain: async () => ({ ok: false, what: 'listener', message: 'there is none' }),
    connections: { close: () => null },
    targets: { setAdminState: async () => true, drain: async () => null },
    ...parts,
  };
}

export interface AdminReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** What the API answers on an address that is reached so. */
export function fakeAdmin(parts: Partial<AdminSource> = {}, reach: AdminReach = 'loopback') {
  const app = adminRoutes(adminSource(parts), reach);
  const reply = async (response: Response): Promise<AdminReply> => {
    const { status, headers } = response;
    return { status, headers, body: (await response.json()) as Record<string, unknown> };
  };
  return {
    app,
    get: async (path: string) => reply(await app.request(path)),
    post: async (path: string, body: unknown, type = 'application/json') => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const headers = { 'content-type': type, 'content-length': String(text.length) };
      return reply(await app.request(path, { method: 'POST', headers, body: text }));
    },
  };
}
