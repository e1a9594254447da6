// A health check: how the targets of a pool are asked whether they work. One form per kind; what a
// kind needs beside the common part stands in a section that is named as in the file.
import { isDeepStrictEqual } from 'node:util';

/** What every kind has. */
export interface CheckBasics {
  /** Time from probe to probe while all is well. */
  readonly intervalMs: number;
  /** The same while a verdict is in doubt: not reached yet, or contradicted by the last probe. */
  readonly fastIntervalMs: number;
  /** The same while a target is down and nothing speaks for a return. */
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive good probes that make an unhealthy target healthy. */
  readonly rise: number;
  /** Consecutive bad probes that make a healthy target unhealthy. */
  readonly fall: number;
  /** 0..0.5: each interval is shortened at random by up to this share; never lengthened. */
  readonly jitter: number;
  /** What a target counts as before its first verdict. */
  readonly initial: 'healthy' | 'unhealthy';
  /** Port to ask at instead of the target's own; 0 = the target's own. */
  readonly port: number;
}

/** How TLS is spoken, by the kinds that do. */
export interface TlsSettings {
  /** The name to ask for and to find in the certificate; null: the target's host. */
  readonly serverName: string | null;
  readonly verify: boolean;
  /** A file of certificates to trust instead of the usual ones; null: the usual ones. */
  readonly ca: string | null;
  /** Protocols to offer; the target must take one. Empty: none are offered. */
  readonly alpn: readonly string[];
}

export interface StatusRange {
  readonly low: number;
  readonly high: number;
}

export interface HttpSettings {
  readonly method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST';
  readonly path: string;
  /** The Host header; null: the target's host, and its port unless it is the usual one. */
  readonly host: string | null;
  readonly status: readonly StatusRange[];
  /** What the body must contain; null: anything. */
  readonly body: string | null;
  /** In the syntax of RE2. */
  readonly bodyRegex: string | null;
}

/** What an answer must contain. */
export type Expectation =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** In the syntax of RE2, over bytes as Latin-1. */
  | { readonly kind: 'regex'; readonly regex: string };

export type DialogStep = { readonly kind: 'send'; readonly bytes: Uint8Array } | Expectation;

export interface SendExpectSettings {
  readonly steps: readonly DialogStep[];
}

export interface UdpSettings {
  readonly send: Uint8Array;
  /** null: any answer will do. */
  readonly expect: Expectation | null;
  /** What it means when nothing comes back within the timeout. */
  readonly silence: 'bad' | 'good';
}

export const dnsTypes = ['A', 'AAAA', 'NS', 'SOA', 'PTR', 'MX', 'TXT', 'SRV', 'CNAME'] as const;
export const dnsCodes = ['NOERROR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

export interface DnsSettings {
  /** Absolute, with or without the last dot; `.` is the root. */
  readonly name: string;
  readonly recordType: (typeof dnsTypes)[number];
  readonly codes: readonly (typeof dnsCodes)[number][];
  /** Records that the answer must have at least. */
  readonly answers: number;
}

export interface GrpcSettings {
  /** Whose health is asked; empty: that of the whole process. */
  readonly service: string;
}

export interface ExecSettings {
  /** The program, as an absolute path, and its arguments. */
  readonly command: readonly string[];
}

/** As whom a probe asks. */
export interface Login {
  /** Empty: not said. */
  readonly user: string;
  /** Its first line is the password; empty: there is none. */
  readonly passwordFile: string;
  /** Empty: the usual one. */
  readonly database: string;
}

interface LoginSection {
  /** null: the probe does not log in, and learns no role where that needs one. */
  readonly login: Login | null;
}

/** Kind to the sections of its own. */
interface Sections {
  none: object;
  tcp: object;
  ping: object;
  tls: { readonly tls: TlsSettings };
  http: { readonly http: HttpSettings };
  https: { readonly http: HttpSettings; readonly tls: TlsSettings };
  /** `tls` null: in the clear. */
  send_expect: { readonly sendExpect: SendExpectSettings; readonly tls: TlsSettings | null };
  memcached: object;
  dns: { readonly dns: DnsSettings };
  udp: { readonly udp: UdpSettings };
  grpc: { readonly grpc: GrpcSettings; readonly tls: TlsSettings | null };
  exec: { readonly exec: ExecSettings };
  redis: LoginSection;
  postgresql: LoginSection;
  mysql: LoginSection;
}

export type ProbeKind = keyof Sections;
/** The kinds that probe. */
export type ActiveProbeKind = Exclude<ProbeKind, 'none'>;

export type CheckOf<Kind extends ProbeKind> = {
  [Each in Kind]: CheckBasics & { readonly kind: Each } & Sections[Each];
}[Kind];
export type HealthCheck = CheckOf<ProbeKind>;
export type ActiveCheck = CheckOf<ActiveProbeKind>;

/** The kinds in the order of the documentation. */
export const probeKinds = [
  'tcp',
  'ping',
  'tls',
  'http',
  'https',
  'send_expect',
  'memcached',
  'dns',
  'udp',
  'grpc',
  'exec',
  'redis',
  'postgresql',
  'mysql',
  'none',
] as const satisfies ProbeKind[];

/** Do both ask the same, however often? Then a result of one is one of the other. */
export function asksTheSame(a: ActiveCheck, b: ActiveCheck): boolean {
  return isDeepStrictEqual(questionOf(a), questionOf(b));
}

function questionOf(check: ActiveCheck): object {
  const { intervalMs, fastIntervalMs, downIntervalMs, timeoutMs, ...rest } = check;
  const { rise, fall, jitter, initial, ...question } = rest;
  return question;
}
