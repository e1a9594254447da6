// The client that `explain` is asked about, as people write it: an address, or one with its port.
import { anyInterface, type InterfaceIndex, parseIp } from '../config/ip.js';
import { type Parsed, parsed, refused, shown } from '../config/parsed.js';
import type { ForecastClient } from '../model/forecast.js';

const code = 'SLUICE_ADMIN_REQUEST';

/**
 * `192.0.2.7`, `192.0.2.7:4000`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4000`; `unix`: who
 * comes over a unix socket has no address. A port 0, or none: not said.
 */
export function parseClient(
  text: string,
  interfaceIndex: InterfaceIndex = anyInterface,
): Parsed<ForecastClient> {
  if (text === 'unix') return parsed({ ip: null, port: 0 });
  const bare = parseIp(text, interfaceIndex);
  if (bare !== null) return parsed({ ip: bare, port: 0 });
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]+))?$/.exec(text) ?? [];
  const ip = parseIp(bracketed ?? plain ?? '', interfaceIndex);
  // Brackets are for IPv6.
  if (ip === null || bracketed?.includes(':') === false) {
    const example = 'such as 192.0.2.7, 192.0.2.7:4000 or [2001:db8::1]:4000';
    return refused(code, `${shown(text)} is not an address, ${example}`);
  }
  const port = Number(digits ?? 0);
  if (port > 65_535) return refused(code, `port ${port} is above 65535`);
  return parsed({ ip, port });
}
