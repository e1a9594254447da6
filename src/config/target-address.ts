// The texts that a target's address takes: 10.0.0.1:80, [::1]:80, name:80, unix:/path, unix:@name.
import type { IpAddress, TargetAddress } from '../model/address.js';
import { parsePort, parseUnixPath, splitHostPort } from './host-port.js';
import { type InterfaceIndex, isWildcard, parseIp } from './ip.js';
import { type Parsed, parsed, refused, shown } from './parsed.js';

const code = 'SLUICE_CONFIG_ADDRESS';

export function parseTargetAddress(
  value: unknown,
  interfaceIndex: InterfaceIndex,
): Parsed<TargetAddress> {
  if (typeof value === 'number') {
    return refused(code, `${value} is only a port`, `127.0.0.1:${value}`);
  }
  if (typeof value !== 'string') {
    const why = `expected an address such as 10.0.0.1:80, not ${shown(value)}`;
    return refused('SLUICE_CONFIG_TYPE', why);
  }
  if (value.startsWith('unix:')) {
    const path = parseUnixPath(value.slice('unix:'.length));
    return path.ok ? parsed({ kind: 'unix', path: path.value }) : path;
  }
  if (value.startsWith('/')) return refused(code, `${shown(value)} has no port`, `unix:${value}`);
  const parts = splitHostPort(value);
  if (!parts.ok) return parts;
  const { host, port: portText } = parts.value;
  if (/^[0-9]+-[0-9]+$/.test(portText)) {
    return refused('SLUICE_CONFIG_PORT', `a target has one port, not the range ${portText}`);
  }
  const port = parsePort(portText, 1);
  const ip = parseIp(host, interfaceIndex);
  if (ip !== null) {
    if (isWildcard(ip)) {
      const why = `${shown(host)} means every address: a target needs one`;
      return refused(code, why, `127.0.0.1:${portText}`);
    }
    return port.ok ? parsed({ kind: 'ip', ip, port: port.value }) : port;
  }
  const name = checkHostName(host, portText);
  if (!name.ok) return name;
  return port.ok ? parsed({ kind: 'name', host: name.value, port: port.value }) : port;
}

/** RFC 1123 names, and "_" which container networks allow. A dot at the end stops search lists. */
function checkHostName(host: string, port: string): Parsed<string> {
  if (host === '') return refused(code, 'the host is missing in front of ":"', `127.0.0.1:${port}`);
  if (host === '*') return refused(code, '"*" means every address: a target needs one');
  if (host.includes('%')) {
    const interfaceName = host.slice(host.indexOf('%') + 1);
    return refused(code, `this machine has no network interface ${shown(interfaceName)}`);
  }
  const bare = host.endsWith('.') ? host.slice(0, -1) : host;
  const labels = bare.split('.');
  // A name whose last label is a number would be read as an IPv4 address by some resolvers.
  if (/^[0-9]+$/.test(labels.at(-1) ?? '')) {
    return refused(code, `${shown(host)} is not an IPv4 address`);
  }
  const good = labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
  if (!good || bare.length > 253) {
    return refused(code, `${shown(host)} is neither an IP address nor a host name`);
  }
  return parsed(host.toLowerCase());
}

/** Addresses in `source`: an IP address alone. */
export function parseSource(value: unknown, interfaceIndex: InterfaceIndex): Parsed<IpAddress> {
  if (typeof value !== 'string') {
    return refused('SLUICE_CONFIG_TYPE', `expected an IP address, not ${shown(value)}`);
  }
  const ip = parseIp(value, interfaceIndex);
  if (ip !== null) {
    if (!isWildcard(ip)) return parsed(ip);
    return refused(code, `${shown(value)} is no source: leave it out to let the kernel choose`);
  }
  const parts = splitHostPort(value);
  if (parts.ok && parseIp(parts.value.host, interfaceIndex) !== null) {
    const why = `${shown(value)} has a port: the kernel chooses the port of a source`;
    return refused(code, why, parts.value.host);
  }
  return refused(code, `${shown(value)} is not an IP address`);
}
