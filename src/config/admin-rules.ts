// Rules about the admin server: an address of its own, and tokens where other machines reach it.
import { bindsMax } from './bind-address.js';
import { ipBindsConflict } from './bind-rules.js';
import { defaults } from './defaults.js';
import type { Facts } from './facts.js';
import { isLoopback } from './ip.js';
import { formatPath, type Path } from './problem.js';
import { parseAdminListen } from './text-leaves.js';

/** The admin server has an address even when the file does not say so. */
export function checkAdmin(facts: Facts): void {
  checkTokens(facts);
  const written = facts.draft.admin?.listen;
  const parsed = parseAdminListen(written ?? defaults.admin.listen, facts.interfaceIndex);
  const path = ['admin', 'listen'];
  if (!parsed.ok) facts.report({ ...parsed.problem, path });
  if (!parsed.ok || parsed.value === null) return;
  const admin = parsed.value;
  if (admin.kind === 'ip' && !isLoopback(admin.ip)) {
    checkExposed(facts, path);
  }
  const binds = facts.listeners.flatMap((listener) => listener.binds);
  for (const bind of binds.slice(0, bindsMax)) {
    const { address, listener } = bind;
    const clash =
      admin.kind === 'unix' || address.kind === 'unix'
        ? admin.kind === 'unix' && address.kind === 'unix' && admin.path === address.path
        : listener.protocol === 'tcp' && ipBindsConflict(admin, false, address, listener.ipv6Only);
    if (!clash) continue;
    const code = 'SLUICE_CONFIG_DUPLICATE_BIND';
    if (written === undefined) {
      const message = `the admin server has ${defaults.admin.listen} unless admin.listen is set`;
      facts.report({ code, path: bind.path, message });
    } else {
      const where = `${formatPath(bind.path)} (line ${facts.lineOf(bind.path)})`;
      facts.report({ code, path, message: `${where} claims this address already` });
    }
  }
}

function checkExposed(facts: Facts, path: Path): void {
  if ((facts.draft.admin?.tokens ?? []).length === 0) {
    const message = 'other machines reach the admin server here, so it needs admin.tokens';
    facts.report({ code: 'SLUICE_CONFIG_ADMIN_OPEN', path, message });
    return;
  }
  const message = 'tokens and answers cross the network as they are: there is no TLS here';
  facts.report({ severity: 'warning', code: 'SLUICE_CONFIG_ADMIN_EXPOSED', path, message });
}

function checkTokens(facts: Facts): void {
  const seen = new Set<string>();
  for (const [index, token] of (facts.draft.admin?.tokens ?? []).entries()) {
    const name = token?.name;
    if (name === undefined) continue;
    if (seen.has(name)) {
      const path = ['admin', 'tokens', index, 'name'];
      const message = `another token is called ${name}`;
      facts.report({ code: 'SLUICE_CONFIG_DUPLICATE_TOKEN', path, message });
    }
    seen.add(name);
  }
}
