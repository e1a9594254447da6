// Addresses as the model holds them: parsed, never text that still has to be understood.

export interface IpAddress {
  readonly family: 'ipv4' | 'ipv6';
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  /** Interface index of a link-local IPv6 address, otherwise 0. */
  readonly scopeId: number;
}

export interface IpEndpoint {
  readonly kind: 'ip';
  readonly ip: IpAddress;
  /** 0 on a bind: the kernel picks. */
  readonly port: number;
}

export interface UnixEndpoint {
  readonly kind: 'unix';
  /** A leading '@' names Linux's abstract namespace. */
  readonly path: string;
}

/** A target given by name; discovery resolves it. */
export interface NamedEndpoint {
  readonly kind: 'name';
  readonly host: string;
  readonly port: number;
}

export type Endpoint = IpEndpoint | UnixEndpoint;
export type TargetAddress = Endpoint | NamedEndpoint;
