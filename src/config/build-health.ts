// A health check of the right shape to the model: one case per kind.

import type { AgentCheck } from '../model/agent.js';
import type {
  CheckBasics,
  DialogStep,
  DnsSettings,
  Expectation,
  HealthCheck,
  HttpSettings,
  Login,
  SendExpectSettings,
  TlsSettings,
  UdpSettings,
} from '../model/health-check.js';
import type { Protocol } from '../model/listener.js';
import { defaults } from './defaults.js';
import { parseHexBytes, parseStatus, parseTextBytes } from './health-leaves.js';
import { defaultProbe } from './health-rules.js';
import { acceptedValue } from './parsed.js';
import type { FileConfig } from './schema.js';
import { parseDuration } from './units.js';

type FileHealth = FileConfig['pools'][string]['health'];
type FileHealthMap = Exclude<FileHealth, string | undefined>;

function ms(text: string): number {
  return acceptedValue(parseDuration(text));
}

function basics(file: FileHealthMap): CheckBasics {
  const intervalMs = ms(file.interval ?? defaults.health.interval);
  const timeoutMaxMs = ms(defaults.health.timeoutMax);
  return {
    intervalMs,
    fastIntervalMs: file.fast_interval === undefined ? intervalMs : ms(file.fast_interval),
    downIntervalMs: file.down_interval === undefined ? intervalMs : ms(file.down_interval),
    timeoutMs: file.timeout === undefined ? Math.min(intervalMs, timeoutMaxMs) : ms(file.timeout),
    rise: file.rise ?? defaults.health.rise,
    fall: file.fall ?? defaults.health.fall,
    jitter: file.jitter ?? defaults.health.jitter,
    initial: file.initial ?? defaults.health.initial,
    port: file.port ?? 0,
  };
}

function tls(file: FileHealthMap['tls']): TlsSettings {
  return {
    serverName: file?.server_name ?? null,
    verify: file?.verify ?? defaults.health.tls.verify,
    ca: file?.ca ?? null,
    alpn: file?.alpn ?? [],
  };
}

/** A section, even an empty one, asks for TLS. */
function tlsIf(file: FileHealthMap['tls']): TlsSettings | null {
  return file === undefined ? null : tls(file);
}

function h2(file: FileHealthMap['tls']): TlsSettings | null {
  return file === undefined ? null : tls({ alpn: ['h2'], ...file });
}

function http(file: FileHealthMap['http']): HttpSettings {
  return {
    method: file?.method ?? defaults.health.http.method,
    path: file?.path ?? defaults.health.http.path,
    host: file?.host ?? null,
    status: [file?.status ?? defaults.health.http.status]
      .flat()
      .map((text) => acceptedValue(parseStatus(text))),
    body: file?.body ?? null,
    bodyRegex: file?.body_regex ?? null,
  };
}

type FileStep = NonNullable<FileHealthMap['send_expect']>['steps'][number];

function sent({ send, send_hex }: FileStep): Uint8Array | null {
  if (send !== undefined) return acceptedValue(parseTextBytes(send));
  return send_hex === undefined ? null : acceptedValue(parseHexBytes(send_hex));
}

function expected({ expect, expect_hex, expect_regex }: FileStep): Expectation | null {
  if (expect !== undefined) return { kind: 'bytes', bytes: acceptedValue(parseTextBytes(expect)) };
  if (expect_hex !== undefined) {
    return { kind: 'bytes', bytes: acceptedValue(parseHexBytes(expect_hex)) };
  }
  return expect_regex === undefined ? null : { kind: 'regex', regex: expect_regex };
}

/** health-rules has seen to it that each step has one key. */
function sendExpect(file: FileHealthMap['send_expect']): SendExpectSettings {
  const steps = (file?.steps ?? []).flatMap((step): readonly DialogStep[] => {
    const bytes = sent(step);
    const made = bytes === null ? expected(step) : ({ kind: 'send', bytes } as const);
    return made === null ? [] : [made];
  });
  return { steps };
}

function udp(file: FileHealthMap['udp'] = {}): UdpSettings {
  return {
    send: sent(file) ?? new Uint8Array(),
    expect: expected(file),
    silence: file.silence ?? defaults.health.udp.silence,
  };
}

function dns(file: FileHealthMap['dns']): DnsSettings {
  return {
    name: file?.name ?? '.',
    recordType: file?.type ?? defaults.health.dns.type,
    codes: file?.codes ?? defaults.health.dns.codes,
    answers: file?.answers ?? defaults.health.dns.answers,
  };
}

function loginOf(file: FileHealthMap['login']): Login | null {
  if (file === undefined) return null;
  const { user = '', password_file: passwordFile = '', database = '' } = file;
  return { user, passwordFile, database };
}

export function buildAgent(file: FileConfig['pools'][string]['agent']): AgentCheck | null {
  if (file === undefined) return null;
  const intervalMs = ms(file.interval ?? defaults.agent.interval);
  const timeoutMs = Math.min(intervalMs, ms(file.timeout ?? defaults.health.timeoutMax));
  const send = file.send === undefined ? null : acceptedValue(parseTextBytes(file.send));
  return { port: file.port, intervalMs, timeoutMs, send };
}

export function buildHealth(file: FileHealth, protocols: ReadonlySet<Protocol>): HealthCheck {
  const full = typeof file === 'object' ? file : file === undefined ? {} : { type: file };
  const kind = full.type ?? defaultProbe(protocols);
  const common = basics(full);
  switch (kind) {
    case 'tcp':
    case 'ping':
    case 'memcached':
    case 'none':
      return { ...common, kind };
    case 'tls':
      return { ...common, kind, tls: tls(full.tls) };
    case 'http':
      return { ...common, kind, http: http(full.http) };
    case 'https':
      return { ...common, kind, http: http(full.http), tls: tls(full.tls) };
    case 'send_expect':
      return { ...common, kind, sendExpect: sendExpect(full.send_expect), tls: tlsIf(full.tls) };
    case 'dns':
      return { ...common, kind, dns: dns(full.dns) };
    case 'udp':
      return { ...common, kind, udp: udp(full.udp) };
    case 'grpc':
      return { ...common, kind, grpc: { service: full.grpc?.service ?? '' }, tls: h2(full.tls) };
    case 'exec':
      return { ...common, kind, exec: { command: full.exec?.command ?? [] } };
    case 'redis':
    case 'postgresql':
    case 'mysql':
      return { ...common, kind, login: loginOf(full.login) };
  }
}
