// What `sluice init` knows of each kind of service: usual port, policy, health check, and why.

export interface Service {
  readonly says: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly policy: string;
  readonly why: string;
  /** The first is the usual one. Each as it stands in the file. */
  readonly checks: Readonly<Record<string, string>>;
  readonly idle: string;
}

const tcp = '{ type: tcp, interval: 2s }';

export const services = {
  tcp: {
    says: 'any TCP service',
    protocol: 'tcp',
    port: 8080,
    policy: 'round_robin',
    why: 'Many short connections to equal targets; least_connections suits long ones.',
    checks: { tcp, ping: '{ type: ping, interval: 2s }', none: 'none' },
    idle: '1h',
  },
  http: {
    says: 'HTTP, HTTPS or gRPC, passed through as it is',
    protocol: 'tcp',
    port: 8080,
    policy: 'least_connections',
    why: 'Connections are kept alive, so that the number open says more than whose turn it is.',
    checks: {
      http: '{ type: http, interval: 2s, http: { path: /, status: 200-399 } }',
      https: '{ type: https, interval: 2s, http: { path: / } }',
      tcp,
    },
    idle: '5m',
  },
  redis: {
    says: 'Redis or Valkey',
    protocol: 'tcp',
    port: 6379,
    policy: 'least_connections',
    why: 'Connections live long. With replicas set role: primary or replica, as in examples/.',
    checks: { redis: '{ type: redis, interval: 1s }', tcp },
    idle: '24h',
  },
  postgres: {
    says: 'PostgreSQL',
    protocol: 'tcp',
    port: 5432,
    policy: 'least_connections',
    why: 'Connections live long. With replicas set role: primary or replica, as in examples/.',
    checks: { postgresql: '{ type: postgresql, interval: 2s }', tcp },
    idle: '24h',
  },
  mysql: {
    says: 'MySQL or MariaDB',
    protocol: 'tcp',
    port: 3306,
    policy: 'least_connections',
    why: 'Connections live long. With replicas set role: primary or replica, as in examples/.',
    checks: { mysql: '{ type: mysql, interval: 2s }', tcp },
    idle: '24h',
  },
  dns: {
    says: 'DNS by UDP',
    protocol: 'udp',
    port: 53,
    policy: 'random',
    why: 'Every question is a session of its own.',
    checks: { dns: '{ type: dns, interval: 2s, dns: { name: "." } }', none: 'none' },
    idle: '5s',
  },
  udp: {
    says: 'any UDP service',
    protocol: 'udp',
    port: 5000,
    policy: 'source_hash',
    why: 'A client that comes again is sent to the same target.',
    checks: { ping: '{ type: ping, interval: 2s }', none: 'none' },
    idle: '1m',
  },
} as const satisfies Record<string, Service>;

export type ServiceName = keyof typeof services;

export const serviceNames = Object.keys(services) as readonly ServiceName[];
