// Tables written as images, read back by the layout.
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesOf, getNumber } from '../../../src/engine/record-fields.js';
import { encodeTableImage } from '../../../src/engine/table-image.js';
import type { Table, TableTier } from '../../../src/model/table.js';
import { loopback, loopbackIpv6, tableOf } from '../../support/engine-harness.js';
import { fakeLayout } from '../../support/fake-layout.js';
import { sticky } from '../../support/sample-config.js';

const layout = fakeLayout();
const { records, enums } = layout;

const spilling: readonly TableTier[] = [
  { candidates: [{ target: 2, weight: 5 }], configured: 4, share: 7000 },
  { candidates: [], configured: 2, share: 0 },
];
const table = tableOf({
  generation: 2 ** 33 + 7,
  listeners: [
    { name: 'päris', accessLog: true, tcp: { ...tcp(), nodelay: false } },
    { protocol: 'udp', binds: [loopback(53), { kind: 'unix', path: '@here' }] },
  ],
  pools: [
    { targets: [8080, { kind: 'ip', ip: loopbackIpv6, port: 81 }] },
    {
      policy: 'source_hash',
      targets: [9000],
      overrides: { tiers: spilling, sticky: { ...sticky, whenDown: 'refuse' } },
    },
  ],
});

function tcp() {
  return {
    nodelay: true,
    userTimeoutMs: 11,
    keepaliveIdleS: 12,
    keepaliveIntervalS: 13,
    keepaliveCount: 14,
  };
}

/** Reads an image back by the layout. */
function reader(image: Uint8Array) {
  const view = new DataView(image.buffer);
  const header = (name: keyof typeof records.image_header.fields) =>
    getNumber(view, 0, records.image_header.fields[name]);
  return {
    header,
    listener: (index: number, name: keyof typeof records.listener.fields) =>
      getNumber(
        view,
        header('listeners_offset') + index * records.listener.bytes,
        records.listener.fields[name],
      ),
    pool: (index: number, name: keyof typeof records.pool.fields) =>
      getNumber(
        view,
        header('pools_offset') + index * records.pool.bytes,
        records.pool.fields[name],
      ),
    tier: (index: number, name: keyof typeof records.tier.fields) =>
      getNumber(
        view,
        header('tiers_offset') + index * records.tier.bytes,
        records.tier.fields[name],
      ),
    bind: (index: number, name: keyof typeof records.address.fields) =>
      getNumber(
        view,
        header('binds_offset') + index * records.address.bytes,
        records.address.fields[name],
      ),
    target: (index: number, name: keyof typeof records.target.fields) =>
      getNumber(
        view,
        header('targets_offset') + index * records.target.bytes,
        records.target.fields[name],
      ),
    targetIp: (index: number) => [
      ...bytesOf(
        view,
        header('targets_offset') + index * records.target.bytes,
        records.target.fields.ip,
      ),
    ],
    text: (offset: number, bytes: number) =>
      new TextDecoder().decode(
        image.subarray(header('strings_offset') + offset).subarray(0, bytes),
      ),
  };
}

describe('encodeTableImage', () => {
  const image = encodeTableImage(table, layout);
  const read = reader(image);

  it('heads the image with its size, generation and sections', () => {
    expect(read.header('magic')).toBe(layout.constants.image_magic);
    expect(read.header('generation')).toBe(2 ** 33 + 7);
    expect(read.header('total_bytes')).toBe(image.length);
    expect(read.header('listeners_count')).toBe(2);
    expect(read.header('binds_count')).toBe(3);
    expect(read.header('targets_count')).toBe(3);
    expect(read.header('candidates_count')).toBe(3);
    expect(read.header('strings_offset') + read.header('strings_bytes')).toBe(image.length);
  });

  it('carries the checksum of the bytes with the checksum zero', () => {
    const copy = image.slice();
    const { offset } = records.image_header.fields.checksum;
    copy.fill(0, offset, offset + 4);
    expect(read.header('checksum')).toBe(crc32(copy));
  });

  it('writes listeners with their flags, names in UTF-8 and addresses of every kind', () => {
    const flags = enums.listener_flag.values;
    expect(read.listener(0, 'flags')).toBe(flags.access_log);
    expect(read.listener(1, 'flags')).toBe(flags.access_log | flags.nodelay);
    expect(read.listener(0, 'user_timeout_ms')).toBe(11);
    expect(read.listener(1, 'binds_first')).toBe(1);
    expect(read.listener(1, 'pool_index')).toBe(1);
    expect(read.text(read.listener(0, 'name_offset'), read.listener(0, 'name_bytes'))).toBe(
      'päris',
    );
    expect(read.bind(1, 'port')).toBe(53);
    expect(read.bind(2, 'family')).toBe(enums.address_family.values.unix);
    expect(read.text(read.bind(2, 'path_offset'), read.bind(2, 'path_bytes'))).toBe('@here');
  });

  it('writes pools and targets', () => {
    expect(read.pool(1, 'policy')).toBe(enums.policy.values.source_hash);
    expect(read.pool(1, 'tiers_first')).toBe(1);
    expect(read.pool(1, 'tiers_count')).toBe(2);
    expect(read.header('tiers_count')).toBe(3);
    expect(read.tier(1, 'candidates_first')).toBe(2);
    expect(read.tier(1, 'candidates_count')).toBe(1);
    expect(read.tier(1, 'configured')).toBe(4);
    expect(read.tier(1, 'share')).toBe(7000);
    expect(read.tier(2, 'candidates_first')).toBe(3);
    expect(read.tier(2, 'share')).toBe(0);
    expect(read.target(1, 'family')).toBe(enums.address_family.values.ipv6);
    expect(read.targetIp(1)).toEqual([...loopbackIpv6.bytes]);
    expect(read.targetIp(0).slice(0, 4)).toEqual([127, 0, 0, 1]);
  });

  it('writes by what a sticky pool knows its clients, and which targets they may keep', () => {
    expect(read.pool(0, 'sticky_key')).toBe(0);
    expect(read.pool(0, 'sticky_capacity')).toBe(0);
    expect(read.pool(1, 'sticky_key')).toBe(enums.sticky_key.values.source);
    expect(read.pool(1, 'sticky_when_down')).toBe(enums.sticky_when_down.values.refuse);
    expect(read.pool(1, 'sticky_capacity')).toBe(1000);
    expect(read.pool(1, 'sticky_expire_ms')).toBe(60_000);
    expect(read.pool(1, 'sticky_prefix_v4')).toBe(32);
    expect(read.pool(1, 'sticky_prefix_v6')).toBe(128);
    const flags = enums.target_flag.values;
    expect(read.target(2, 'pool_slot')).toBe(1);
    expect(read.target(2, 'flags')).toBe(
      flags.serves_sessions | flags.serves_sticky | flags.renews_sticky,
    );
    const [first] = table.targets;
    const alone = {
      ...table,
      targets: [{ ...first, poolSlot: null, servesSticky: false, renewsSticky: false }],
      pools: [],
      listeners: [],
    } as Table;
    const left = reader(encodeTableImage(alone, layout));
    expect(left.target(0, 'pool_slot')).toBe(layout.constants.no_slot);
    expect(left.target(0, 'flags')).toBe(flags.serves_sessions);
  });

  it('gives the same bytes for the same table', () => {
    expect(encodeTableImage(table, layout)).toEqual(image);
  });

  it('refuses slots and sizes beyond what the engine holds', () => {
    const beyond = { ...table, pools: table.pools.map((pool) => ({ ...pool, slot: 8 })) };
    expect(() => encodeTableImage(beyond, layout)).toThrow(/pool slots: 9, at most 8/);
    const longName = tableOf({
      generation: 1,
      listeners: [{ name: 'x'.repeat(4096) }],
      pools: [{ targets: [] }],
    });
    expect(() => encodeTableImage(longName, layout)).toThrow(
      expect.objectContaining({ code: 'SLUICE_TABLE_TOO_LARGE' }),
    );
  });
});
