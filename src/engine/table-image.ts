// Writes a Table as a table image: the bytes that native validates and builds its structures from
// (native/table/table_image.h). Pure: the same table gives the same bytes.
import { crc32 } from 'node:zlib';
import { SluiceError } from '../errors.js';
import type { Endpoint, IpAddress } from '../model/address.js';
import type { TcpOptions } from '../model/listener.js';
import type { Table, TableListener, TablePool, TableTarget, TableTier } from '../model/table.js';
import type { Layout, RecordLayout, Records } from './layout.js';
import { setBytes, setNumber } from './record-fields.js';

/** The fields of one record; one that is left out is 0. */
type Values<Kind extends keyof Records> = Readonly<
  Partial<Record<keyof Records[Kind]['fields'], number | Uint8Array>>
>;

/** An image in the making: its records as values, until all sizes are known. */
interface Draft {
  readonly enums: Layout['enums'];
  readonly listeners: Values<'listener'>[];
  readonly binds: Values<'address'>[];
  readonly pools: Values<'pool'>[];
  readonly tiers: Values<'tier'>[];
  readonly targets: Values<'target'>[];
  readonly candidates: Values<'candidate'>[];
  readonly sources: Values<'address'>[];
  readonly strings: Uint8Array[];
  stringsBytes: number;
}

const textEncoder = new TextEncoder();

/** Throws SLUICE_TABLE_TOO_LARGE when a slot or the whole is beyond what the engine can hold. */
export function encodeTableImage(table: Table, layout: Layout): Uint8Array {
  checkSlots(table, layout);
  const draft: Draft = {
    enums: layout.enums,
    listeners: [],
    binds: [],
    pools: [],
    tiers: [],
    targets: [],
    candidates: [],
    sources: [],
    strings: [],
    stringsBytes: 0,
  };
  for (const listener of table.listeners) addListener(draft, listener);
  for (const pool of table.pools) addPool(draft, pool);
  for (const target of table.targets) addTarget(draft, target, layout.constants.no_slot);
  return writeImage(draft, table.generation, layout);
}

function tooLarge(generation: number, what: string, got: number, limit: number): SluiceError {
  return new SluiceError('SLUICE_TABLE_TOO_LARGE', `${what}: ${got}, at most ${limit}`, {
    context: { generation, what, got, limit },
  });
}

function checkSlots(table: Table, { constants }: Layout): void {
  const kinds = [
    ['listener slots', table.listeners, constants.listener_slots_max],
    ['pool slots', table.pools, constants.pool_slots_max],
    ['target slots', table.targets, constants.target_slots_max],
  ] as const;
  for (const [what, items, limit] of kinds) {
    for (const { slot } of items) {
      if (slot >= limit) throw tooLarge(table.generation, what, slot + 1, limit);
    }
  }
}

function addListener(draft: Draft, { slot, pool, listener }: TableListener): void {
  const { protocol, listener_flag: flag } = draft.enums;
  const { timeouts, udp } = listener;
  const name = addString(draft, listener.name);
  const bindsFirst = draft.binds.length;
  for (const bind of listener.binds) draft.binds.push(addressValues(draft, bind));
  draft.listeners.push({
    slot,
    protocol: protocol.values[listener.protocol],
    pool_index: pool,
    flags:
      (udp.bulk ? flag.values.bulk : 0) |
      (listener.accessLog ? flag.values.access_log : 0) |
      (listener.tcp.nodelay ? flag.values.nodelay : 0) |
      (listener.ipv6Only ? flag.values.ipv6_only : 0),
    binds_first: bindsFirst,
    binds_count: listener.binds.length,
    backlog: listener.backlog,
    max_connections: listener.maxConnections,
    connect_timeout_ms: timeouts.connectMs,
    idle_timeout_ms: timeouts.idleMs,
    half_close_timeout_ms: timeouts.halfCloseMs,
    lifetime_ms: timeouts.lifetimeMs,
    ...keepAliveValues(listener.tcp),
    udp_requests: udp.requests,
    udp_responses: udp.responses,
    udp_sessions_max: udp.sessionsMax,
    name_offset: name.offset,
    name_bytes: name.bytes,
    unix_mode: listener.unixMode,
    replay_kib: listener.replayBytes / 1024,
  });
}

function addPool(draft: Draft, pool: TablePool): void {
  const { policy, policy_key: key, pool_flag: flag } = draft.enums;
  const { sticky_key: stickyKey, sticky_when_down: whenDown } = draft.enums;
  const tiersFirst = draft.tiers.length;
  for (const tier of pool.tiers) addTier(draft, tier);
  const sourcesFirst = draft.sources.length;
  for (const source of pool.sources) draft.sources.push(ipValues(draft, source, 0));
  draft.pools.push({
    slot: pool.slot,
    policy: policy.values[pool.policy.name],
    flags:
      (pool.tcp.nodelay ? flag.values.nodelay : 0) |
      (pool.policy.load === 'turns' ? flag.values.load_turns : 0) |
      (pool.retry.sameFirst ? flag.values.retry_same : 0),
    retries: pool.retries,
    retry_backoff_base_ms: pool.retry.backoffBaseMs,
    retry_backoff_max_ms: pool.retry.backoffMaxMs,
    retry_percent: pool.retry.budgetPercent,
    retry_min_per_second: pool.retry.budgetMinPerSecond,
    tiers_first: tiersFirst,
    tiers_count: pool.tiers.length,
    queue_max: pool.queue.max,
    queue_timeout_ms: pool.queue.timeoutMs,
    park_max: pool.park.max,
    park_timeout_ms: pool.park.timeoutMs,
    sources_first: sourcesFirst,
    sources_count: pool.sources.length,
    hash_prefix_v4: pool.policy.prefixV4,
    hash_prefix_v6: pool.policy.prefixV6,
    ...keepAliveValues(pool.tcp),
    key: key.values[pool.policy.key],
    bounded_load: pool.policy.boundedLoad,
    weight_max: pool.weightMax,
    ...(pool.sticky && {
      sticky_key: stickyKey.values[pool.sticky.by],
      sticky_when_down: whenDown.values[pool.sticky.whenDown],
      sticky_capacity: pool.sticky.capacity,
      sticky_expire_ms: pool.sticky.expireMs,
      sticky_prefix_v4: pool.sticky.prefixV4,
      sticky_prefix_v6: pool.sticky.prefixV6,
    }),
  });
}

function addTier(draft: Draft, { candidates, configured, share }: TableTier): void {
  draft.tiers.push({
    candidates_first: draft.candidates.length,
    candidates_count: candidates.length,
    configured,
    share,
  });
  for (const { target, weight } of candidates) {
    draft.candidates.push({ target_index: target, weight });
  }
}

function addTarget(draft: Draft, target: TableTarget, noSlot: number): void {
  const flag = draft.enums.target_flag.values;
  const name = addString(draft, target.name);
  draft.targets.push({
    slot: target.slot,
    flags:
      (target.servesSessions ? flag.serves_sessions : 0) |
      (target.servesSticky ? flag.serves_sticky : 0) |
      (target.renewsSticky ? flag.renews_sticky : 0),
    max_connections: target.maxConnections,
    name_offset: name.offset,
    name_bytes: name.bytes,
    ...addressValues(draft, target.address),
    pool_slot: target.poolSlot ?? noSlot,
  });
}

function keepAliveValues(tcp: TcpOptions) {
  return {
    user_timeout_ms: tcp.userTimeoutMs,
    keepalive_idle_s: tcp.keepaliveIdleS,
    keepalive_interval_s: tcp.keepaliveIntervalS,
    keepalive_count: tcp.keepaliveCount,
  };
}

function ipValues(draft: Draft, ip: IpAddress, port: number): Values<'address'> {
  const family = draft.enums.address_family.values[ip.family];
  return { family, port, scope_id: ip.scopeId, ip: ip.bytes };
}

function addressValues(draft: Draft, endpoint: Endpoint): Values<'address'> {
  if (endpoint.kind === 'ip') return ipValues(draft, endpoint.ip, endpoint.port);
  const path = addString(draft, endpoint.path);
  const family = draft.enums.address_family.values.unix;
  return { family, path_offset: path.offset, path_bytes: path.bytes };
}

function addString(
  draft: Draft,
  text: string,
): { readonly offset: number; readonly bytes: number } {
  const encoded = textEncoder.encode(text);
  const offset = draft.stringsBytes;
  draft.strings.push(encoded);
  draft.stringsBytes += encoded.length;
  return { offset, bytes: encoded.length };
}

function writeImage(draft: Draft, generation: number, { records, constants }: Layout): Uint8Array {
  const sections = [
    { name: 'listeners', layout: records.listener, items: draft.listeners },
    { name: 'binds', layout: records.address, items: draft.binds },
    { name: 'pools', layout: records.pool, items: draft.pools },
    { name: 'tiers', layout: records.tier, items: draft.tiers },
    { name: 'targets', layout: records.target, items: draft.targets },
    { name: 'candidates', layout: records.candidate, items: draft.candidates },
    { name: 'sources', layout: records.address, items: draft.sources },
  ] as const;
  const header: Record<string, number> = {
    magic: constants.image_magic,
    version: constants.image_version,
    generation,
  };
  let end = records.image_header.bytes;
  for (const { name, layout, items } of sections) {
    header[`${name}_offset`] = end;
    header[`${name}_count`] = items.length;
    end += items.length * layout.bytes;
  }
  const totalBytes = end + draft.stringsBytes;
  if (totalBytes > constants.image_bytes_max) {
    throw tooLarge(generation, 'bytes of the table image', totalBytes, constants.image_bytes_max);
  }
  Object.assign(header, {
    total_bytes: totalBytes,
    strings_offset: end,
    strings_bytes: draft.stringsBytes,
  });

  const image = new Uint8Array(totalBytes);
  const view = new DataView(image.buffer);
  writeRecords(view, 0, records.image_header, [header]);
  for (const { name, layout, items } of sections) {
    writeRecords(view, header[`${name}_offset`] ?? 0, layout, items);
  }
  let at = end;
  for (const text of draft.strings) {
    image.set(text, at);
    at += text.length;
  }
  setNumber(view, 0, records.image_header.fields.checksum, crc32(image));
  return image;
}

function writeRecords(
  view: DataView,
  offset: number,
  layout: RecordLayout<string>,
  items: readonly Readonly<Partial<Record<string, number | Uint8Array>>>[],
): void {
  const fields = Object.entries(layout.fields);
  for (const [index, values] of items.entries()) {
    const at = offset + index * layout.bytes;
    for (const [name, field] of fields) {
      const value = values[name];
      if (value === undefined) continue;
      if (typeof value === 'number') setNumber(view, at, field, value);
      else setBytes(view, at, field, value);
    }
  }
}
