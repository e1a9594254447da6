// Agent: a program beside a target that says what share of the work the target wants. What it has
// said stays until it says something else: a dead one changes nothing, and nobody else reverts it.
import type { AdminState, Health } from './target.js';

/** How the agents of a pool are asked. */
export interface AgentCheck {
  readonly port: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Sent before its answer is read; null: nothing. */
  readonly send: Uint8Array | null;
}

/** What an agent has said, each null until it says so for the first time. */
export interface AgentWords {
  /** A factor of the configured weight, or a weight in its place. */
  readonly weight: { readonly kind: 'share' | 'weight'; readonly value: number } | null;
  /** In the place of the configured limit; 0 = no limit. */
  readonly maxConnections: number | null;
  readonly adminState: AdminState | null;
  readonly up: boolean | null;
}

export const nothingSaid: AgentWords = {
  weight: null,
  maxConnections: null,
  adminState: null,
  up: null,
};

/** New words replace old ones of their own sort only. */
export function afterWords(before: AgentWords, said: AgentWords): AgentWords {
  return {
    weight: said.weight ?? before.weight,
    maxConnections: said.maxConnections ?? before.maxConnections,
    adminState: said.adminState ?? before.adminState,
    up: said.up ?? before.up,
  };
}

export function sameWords(a: AgentWords, b: AgentWords): boolean {
  return (
    a.weight?.kind === b.weight?.kind &&
    a.weight?.value === b.weight?.value &&
    a.maxConnections === b.maxConnections &&
    a.adminState === b.adminState &&
    a.up === b.up
  );
}

const strictness: readonly AdminState[] = ['enabled', 'draining', 'disabled'];

/** Neither the operator nor the agent can bring back what the other has taken out. */
export function joinAdminStates(operator: AdminState, { adminState }: AgentWords): AdminState {
  const strictest = Math.max(
    strictness.indexOf(operator),
    strictness.indexOf(adminState ?? 'enabled'),
  );
  return strictness[strictest] ?? operator;
}

export function joinHealth(measured: Health, { up }: AgentWords): Health {
  return up === false ? 'unhealthy' : measured;
}

/** A real number: build-table makes whole ones of all of a pool together. */
export function joinWeight(configured: number, { weight }: AgentWords): number {
  if (weight === null) return configured;
  return weight.kind === 'weight' ? weight.value : configured * weight.value;
}
