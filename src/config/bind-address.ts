// The texts that `bind` takes: 1.2.3.4:80, [::1]:80, *:80, :80, a range of ports, unix:/path and
// unix:@name. Names are refused: what they resolve to may change, a bound socket may not.
import type { Endpoint, IpAddress } from '../model/address.js';
import { parsePort, parseUnixPath, splitHostPort } from './host-port.js';
import { type InterfaceIndex, parseIp } from './ip.js';
import { type Parsed, parsed, refused, shown } from './parsed.js';

export type BindAddress =
  | { readonly kind: 'ip'; readonly ip: IpAddress; readonly low: number; readonly high: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Every port of a range is a socket per worker. */
export const bindsMax = 1024;

const everyAddress: IpAddress = { family: 'ipv6', bytes: new Uint8Array(16), scopeId: 0 };

export function parseBind(value: unknown, interfaceIndex: InterfaceIndex): Parsed<BindAddress> {
  if (typeof value === 'number') {
    const why = `${value} is only a port`;
    return refused('SLUICE_CONFIG_ADDRESS', why, `"*:${value}"`);
  }
  if (typeof value !== 'string') {
    const why = `expected an address such as 127.0.0.1:80, not ${shown(value)}`;
    return refused('SLUICE_CONFIG_TYPE', why);
  }
  if (value.startsWith('unix:')) {
    const path = parseUnixPath(value.slice('unix:'.length));
    return path.ok ? parsed({ kind: 'unix', path: path.value }) : path;
  }
  if (value.startsWith('/')) {
    return refused('SLUICE_CONFIG_ADDRESS', `${shown(value)} has no port`, `unix:${value}`);
  }
  const parts = splitHostPort(value);
  if (!parts.ok) return parts;
  const { host, port } = parts.value;
  const ports = parsePorts(port);
  const ip = host === '' || host === '*' ? everyAddress : parseIp(host, interfaceIndex);
  if (ip === null) return refusedHost(host, port);
  if (!ports.ok) {
    const { code, message, suggestion } = ports.problem;
    const whole = suggestion && value.slice(0, value.length - port.length) + suggestion;
    return refused(code, message, whole);
  }
  return parsed({ kind: 'ip', ip, ...ports.value });
}

function refusedHost(host: string, port: string): Parsed<never> {
  if (host.includes('%')) {
    const interfaceName = host.slice(host.indexOf('%') + 1);
    const why = `this machine has no network interface ${shown(interfaceName)}`;
    return refused('SLUICE_CONFIG_ADDRESS', why);
  }
  const numeric = /^[0-9.]+$/.test(host);
  const why = numeric
    ? `${shown(host)} is not an IPv4 address`
    : `${shown(host)} is a name: a bind takes an IP address, or * for every address`;
  const nearest = host === 'localhost' ? `127.0.0.1:${port}` : undefined;
  return refused('SLUICE_CONFIG_ADDRESS', why, nearest);
}

function parsePorts(text: string): Parsed<{ readonly low: number; readonly high: number }> {
  const dash = text.indexOf('-');
  if (dash <= 0) {
    const port = parsePort(text, 0);
    return port.ok ? parsed({ low: port.value, high: port.value }) : port;
  }
  const code = 'SLUICE_CONFIG_PORT';
  const low = parsePort(text.slice(0, dash), 0);
  if (!low.ok) return low;
  const high = parsePort(text.slice(dash + 1), 0);
  if (!high.ok) return high;
  if (low.value === 0) return refused(code, `the range ${text} begins with port 0`);
  if (low.value > high.value) {
    return refused(code, `the range ${text} runs backwards`, `${high.value}-${low.value}`);
  }
  const count = high.value - low.value + 1;
  if (count > bindsMax) {
    return refused(code, `the range ${text} has ${count} ports, ${bindsMax} are possible`);
  }
  return parsed({ low: low.value, high: high.value });
}

/** A range becomes one endpoint per port. */
export function endpointsOf(bind: BindAddress): readonly Endpoint[] {
  if (bind.kind === 'unix') return [bind];
  const ports = Array.from({ length: bind.high - bind.low + 1 }, (_, index) => bind.low + index);
  return ports.map((port) => ({ kind: 'ip', ip: bind.ip, port }));
}
