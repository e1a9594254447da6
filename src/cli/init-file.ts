// The file that `sluice init` writes: small, and with a reason for each line. Pure.
import { type Service, type ServiceName, services } from './init-services.js';

export interface InitAnswers {
  readonly service: ServiceName;
  readonly listen: string;
  readonly targets: readonly string[];
  /** One of the checks of the service. */
  readonly health: string;
}

export function defaultAnswers(service: ServiceName): InitAnswers {
  const { port, checks }: Service = services[service];
  return {
    service,
    listen: `*:${port}`,
    targets: [`10.0.0.1:${port}`, `10.0.0.2:${port}`],
    health: Object.keys(checks)[0] ?? 'none',
  };
}

/** `schema`: path of the schema for editors. */
export function initFile(
  { service, listen, targets, health }: InitAnswers,
  schema: string,
): string {
  const { says, protocol, policy, why, checks, idle }: Service = services[service];
  const quoted = (text: string): string => JSON.stringify(text);
  const list = targets.map((target) => `      - ${quoted(target)}\n`).join('');
  return `# yaml-language-server: $schema=${schema}
# ${says[0]?.toUpperCase()}${says.slice(1)}, made by sluice init. Every key is explained in
# docs/configuration.md; sluice check says what is wrong with the file, and whether this machine
# can run it.

listeners:
  ${service}:
    # Where clients arrive: *:port is every address, IPv4 and IPv6.
    bind: ${quoted(listen)}
${protocol === 'udp' ? '    protocol: udp\n' : ''}    pool: ${service}
    # Ends what has been silent in both directions for so long.
    timeouts: { idle: ${idle} }

pools:
  ${service}:
    # ${why}
    policy: ${policy}
    targets:
${list}    # How to find out which targets work.
    health: ${checks[health] ?? 'none'}

# Status, metrics and changes at run time; only this machine can reach it.
admin: { listen: "127.0.0.1:9090" }

# At SIGTERM connections may end by themselves for so long.
shutdown: { drain_timeout: 30s }
`;
}
