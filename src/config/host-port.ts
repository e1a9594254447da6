// "host:port" taken apart, with the mistakes that people make in it each named. What host and
// port mean is for bind-address.ts and target-address.ts.
import { isIPv6 } from 'node:net';
import { type Parsed, parsed, refused, shown } from './parsed.js';

export interface HostPort {
  /** Without brackets. Empty in ":80". */
  readonly host: string;
  readonly bracketed: boolean;
  /** The text behind the last colon: not yet known to be a number. */
  readonly port: string;
}

const code = 'SLUICE_CONFIG_ADDRESS';

export function splitHostPort(text: string): Parsed<HostPort> {
  const what = shown(text);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)/i.exec(text);
  if (scheme !== null) {
    return refused(code, `${what} is a URL: write host:port only`, scheme[2] || undefined);
  }
  if (/\s/.test(text)) return refused(code, `${what} contains a space`, text.replaceAll(/\s/g, ''));
  if (text.startsWith('[')) return splitBracketed(text);
  if (text.includes(']')) return refused(code, `${what} has a "]" but no "["`);
  const colon = text.lastIndexOf(':');
  if (colon < 0) {
    if (/^[0-9]+$/.test(text)) return refused(code, `${what} is only a port`, `127.0.0.1:${text}`);
    return refused(code, `${what} has no port: write address:port`);
  }
  if (text.indexOf(':') !== colon) {
    const whole = isIPv6(text);
    const host = text.slice(0, colon);
    if (!whole && isIPv6(host)) {
      const nearest = `[${host}]:${text.slice(colon + 1)}`;
      return refused(code, `${what} needs brackets around its IPv6 address`, nearest);
    }
    if (whole) {
      return refused(code, `${what} needs brackets and a port: write [${text}]:80`);
    }
    return refused(code, `${what} has too many colons; IPv6 addresses stand in brackets`);
  }
  return parsed({ host: text.slice(0, colon), bracketed: false, port: text.slice(colon + 1) });
}

function splitBracketed(text: string): Parsed<HostPort> {
  const what = shown(text);
  const end = text.indexOf(']');
  if (end < 0) return refused(code, `${what} has a "[" but no "]"`);
  const host = text.slice(1, end);
  const rest = text.slice(end + 1);
  if (rest === '' || rest === ':') {
    return refused(code, `${what} has no port: write [address]:port`);
  }
  if (!rest.startsWith(':')) return refused(code, `${what} needs a colon behind "]"`);
  if (!isIPv6(host)) return refused(code, `${shown(host)} is not an IPv6 address`);
  return parsed({ host, bracketed: true, port: rest.slice(1) });
}

/** One port. `lowest` is 0 where the kernel may choose, otherwise 1. */
export function parsePort(text: string, lowest: 0 | 1): Parsed<number> {
  const what = shown(text);
  if (text === '') return refused('SLUICE_CONFIG_PORT', 'the port is missing behind ":"');
  if (!/^[0-9]+$/.test(text)) return refused('SLUICE_CONFIG_PORT', `${what} is not a port number`);
  const port = Number(text);
  if (port > 65535) return refused('SLUICE_CONFIG_PORT', `port ${text} is above 65535`);
  if (port < lowest) return refused('SLUICE_CONFIG_PORT', 'port 0 cannot be connected to');
  return parsed(port);
}

/** Behind "unix:". sun_path holds 108 bytes with the NUL that ends it. */
export function parseUnixPath(path: string): Parsed<string> {
  const pathCode = 'SLUICE_CONFIG_UNIX_PATH';
  const bytes = Buffer.byteLength(path);
  if (path.includes('\0')) return refused(pathCode, 'the path contains a NUL byte');
  if (bytes > 107) return refused(pathCode, `the path has ${bytes} bytes, 107 are possible`);
  if (path.startsWith('@')) {
    return path.length > 1 ? parsed(path) : refused(pathCode, 'a name is missing behind "@"');
  }
  if (!path.startsWith('/')) {
    const why = `${shown(path)} is not an absolute path`;
    const bare = path.replace(/^[./]+/, '');
    return refused(pathCode, why, `unix:/${/^(run|var|tmp)\//.test(bare) ? '' : 'run/'}${bare}`);
  }
  if (path.endsWith('/')) return refused(pathCode, `${shown(path)} names a directory`);
  return parsed(path);
}
