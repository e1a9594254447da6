// The table image: the flat, versioned, checksummed bytes in which a table crosses from TypeScript
// to C++. The header's offsets count from the image's first byte, a record's name_offset and
// path_offset from strings_offset; all records are 8-byte aligned, numbers are little-endian.
// native validates every field before it builds anything (table_builder.h), so the whole crossing
// can be fuzzed as bytes.
//   ImageHeader | listeners | binds | pools | tiers | targets | candidates | sources | strings
// Ranges of one section that records own (binds, tiers, candidates, sources) come in the records'
// order and do not overlap. A target is a candidate at most once.
#pragma once

#include <cstdint>
#include <type_traits>

#include "policy/policies.h"
#include "shared/layout.h"

namespace sluice::table {

inline constexpr uint32_t kImageMagic = 0x54434c53;  // "SLCT"
inline constexpr uint32_t kImageVersion = 1;
// Of ListenerRecord.replay_kib.
inline constexpr uint32_t kReplayKibMax = 64;
// What the shares of a pool's tiers are parts of.
inline constexpr uint32_t kWholeShare = 10'000;

#define SLUICE_PROTOCOLS(X) X(tcp, 1) X(udp, 2)
// What a keyed policy decides by: PoolRecord.key. Values that a connection's first bytes say are
// still to come, as further numbers.
#define SLUICE_POLICY_KEYS(X) X(source, 1) X(source_port, 2) X(destination, 3)
#define SLUICE_ADDRESS_FAMILIES(X) X(ipv4, 1) X(ipv6, 2) X(unix, 3)
// Bits of ListenerRecord.flags, PoolRecord.flags and TargetRecord.flags.
#define SLUICE_LISTENER_FLAGS(X) X(bulk, 1) X(access_log, 2) X(nodelay, 4) X(ipv6_only, 8)
// load_turns: a policy that counts load counts turns, not connections.
// retry_same: the first retry of a connection goes to the target that has just failed.
#define SLUICE_POOL_FLAGS(X) X(nodelay, 1) X(load_turns, 2) X(retry_same, 4)
// serves_sessions: an existing UDP session may stay on this target (healthy or draining).
// serves_sticky: a sticky entry of its pool may lead new connections here, candidate or not.
// renews_sticky: and that renews the entry; not while it drains, so that a drain comes to an end.
#define SLUICE_TARGET_FLAGS(X) X(serves_sessions, 1) X(serves_sticky, 2) X(renews_sticky, 4)
// PoolRecord.sticky_key: by what a client is known again; 0 = it is not.
#define SLUICE_STICKY_KEYS(X) X(source, 1)
// PoolRecord.sticky_when_down, of a client whose target is down or full.
#define SLUICE_STICKY_WHEN_DOWN(X) X(repick, 1) X(refuse, 2)

#define SLUICE_DECLARE_VALUE(name, value) name = value,
enum class Protocol : uint32_t { SLUICE_PROTOCOLS(SLUICE_DECLARE_VALUE) };
enum class PolicyKey : uint32_t { SLUICE_POLICY_KEYS(SLUICE_DECLARE_VALUE) };
enum class AddressFamily : uint16_t { SLUICE_ADDRESS_FAMILIES(SLUICE_DECLARE_VALUE) };
enum class ListenerFlag : uint32_t { SLUICE_LISTENER_FLAGS(SLUICE_DECLARE_VALUE) };
enum class PoolFlag : uint32_t { SLUICE_POOL_FLAGS(SLUICE_DECLARE_VALUE) };
enum class TargetFlag : uint32_t { SLUICE_TARGET_FLAGS(SLUICE_DECLARE_VALUE) };
enum class StickyKeyKind : uint32_t { SLUICE_STICKY_KEYS(SLUICE_DECLARE_VALUE) };
enum class StickyWhenDown : uint32_t { SLUICE_STICKY_WHEN_DOWN(SLUICE_DECLARE_VALUE) };
#undef SLUICE_DECLARE_VALUE
#define SLUICE_DECLARE_POLICY(name, number, Class) name = number,
enum class PolicyKind : uint32_t { SLUICE_POLICIES(SLUICE_DECLARE_POLICY) };
#undef SLUICE_DECLARE_POLICY

// `checksum` is the CRC-32 (IEEE 802.3, as zlib's crc32) of the whole image with this field zero.
#define SLUICE_IMAGE_HEADER_FIELDS(X) \
  X(uint32_t, 1, magic)               \
  X(uint32_t, 1, version)             \
  X(uint32_t, 1, total_bytes)         \
  X(uint32_t, 1, checksum)            \
  X(uint64_t, 1, generation)          \
  X(uint32_t, 1, listeners_offset)    \
  X(uint32_t, 1, listeners_count)     \
  X(uint32_t, 1, binds_offset)        \
  X(uint32_t, 1, binds_count)         \
  X(uint32_t, 1, pools_offset)        \
  X(uint32_t, 1, pools_count)         \
  X(uint32_t, 1, tiers_offset)        \
  X(uint32_t, 1, tiers_count)         \
  X(uint32_t, 1, targets_offset)      \
  X(uint32_t, 1, targets_count)       \
  X(uint32_t, 1, candidates_offset)   \
  X(uint32_t, 1, candidates_count)    \
  X(uint32_t, 1, sources_offset)      \
  X(uint32_t, 1, sources_count)       \
  X(uint32_t, 1, strings_offset)      \
  X(uint32_t, 1, strings_bytes)

// One listener. Times in milliseconds, 0 = no limit; `connect_timeout_ms` is never 0.
// keepalive_idle_s 0 = no keep-alive; user_timeout_ms 0 = the kernel's own.
// udp_*: 0 = no bound on requests or responses; sessions_max is per worker and never 0 for udp.
// max_connections counts over all workers; 0 = no limit.
// replay_kib: TCP: of a client's first bytes, kept to be sent again; 0 = none are.
#define SLUICE_LISTENER_RECORD_FIELDS(X) \
  X(uint32_t, 1, slot)                   \
  X(uint32_t, 1, protocol)               \
  X(uint32_t, 1, pool_index)             \
  X(uint32_t, 1, flags)                  \
  X(uint32_t, 1, binds_first)            \
  X(uint32_t, 1, binds_count)            \
  X(uint32_t, 1, backlog)                \
  X(uint32_t, 1, max_connections)        \
  X(uint32_t, 1, connect_timeout_ms)     \
  X(uint32_t, 1, idle_timeout_ms)        \
  X(uint32_t, 1, half_close_timeout_ms)  \
  X(uint32_t, 1, lifetime_ms)            \
  X(uint32_t, 1, user_timeout_ms)        \
  X(uint32_t, 1, keepalive_idle_s)       \
  X(uint32_t, 1, keepalive_interval_s)   \
  X(uint32_t, 1, keepalive_count)        \
  X(uint32_t, 1, udp_requests)           \
  X(uint32_t, 1, udp_responses)          \
  X(uint32_t, 1, udp_sessions_max)       \
  X(uint32_t, 1, name_offset)            \
  X(uint32_t, 1, name_bytes)             \
  X(uint32_t, 1, unix_mode)              \
  X(uint32_t, 1, replay_kib)             \
  X(uint32_t, 1, reserved)

// An address: of a bind, a target or a source. ipv4 uses the first 4 bytes of ip. A unix path is
// in the strings ('@' first = abstract). Bind with port 0: the kernel picks, one port for all
// workers. `index` numbers a listener's binds from 0, port ranges expanded.
#define SLUICE_ADDRESS_RECORD_FIELDS(X) \
  X(uint16_t, 1, family)                \
  X(uint16_t, 1, port)                  \
  X(uint32_t, 1, scope_id)              \
  X(uint8_t, 16, ip)                    \
  X(uint32_t, 1, path_offset)           \
  X(uint32_t, 1, path_bytes)

// One pool. tiers_count <= kTiersMax. retries: further tries after the first failed connect.
// hash_prefix_*: leading bits of the client address that count.
// queue_*, park_*: how many connections may wait for a place at a candidate, and for a candidate,
// over all workers, and how long. A max of 0 = none waits, and then the timeout is 0 too.
// sticky_*: all 0 without sticky_key. sticky_capacity: entries, over all workers; sticky_expire_ms:
// after the last use of one; sticky_prefix_*: leading bits of the client address that count.
// key: of a keyed policy; the others do not look at it. bounded_load: percent of the mean load that
// a target may have; 0 = no bound. weight_max: the largest weight that the config has in the pool,
// whoever is eligible; 0 = not known.
// retry_backoff_*: before a retry, none with a max of 0. retry_percent, retry_min_per_second:
// retries of all workers (shared::RetryRules); both 0 = no bound.
#define SLUICE_POOL_RECORD_FIELDS(X)    \
  X(uint32_t, 1, slot)                  \
  X(uint32_t, 1, policy)                \
  X(uint32_t, 1, flags)                 \
  X(uint32_t, 1, retries)               \
  X(uint32_t, 1, tiers_first)           \
  X(uint32_t, 1, tiers_count)           \
  X(uint32_t, 1, sources_first)         \
  X(uint32_t, 1, sources_count)         \
  X(uint32_t, 1, hash_prefix_v4)        \
  X(uint32_t, 1, hash_prefix_v6)        \
  X(uint32_t, 1, user_timeout_ms)       \
  X(uint32_t, 1, keepalive_idle_s)      \
  X(uint32_t, 1, keepalive_interval_s)  \
  X(uint32_t, 1, keepalive_count)       \
  X(uint32_t, 1, queue_max)             \
  X(uint32_t, 1, queue_timeout_ms)      \
  X(uint32_t, 1, park_max)              \
  X(uint32_t, 1, park_timeout_ms)       \
  X(uint32_t, 1, sticky_key)            \
  X(uint32_t, 1, sticky_when_down)      \
  X(uint32_t, 1, sticky_capacity)       \
  X(uint32_t, 1, sticky_expire_ms)      \
  X(uint32_t, 1, sticky_prefix_v4)      \
  X(uint32_t, 1, sticky_prefix_v6)      \
  X(uint32_t, 1, key)                   \
  X(uint32_t, 1, bounded_load)          \
  X(uint32_t, 1, weight_max)            \
  X(uint32_t, 1, retry_backoff_base_ms) \
  X(uint32_t, 1, retry_backoff_max_ms)  \
  X(uint32_t, 1, retry_percent)         \
  X(uint32_t, 1, retry_min_per_second)  \
  X(uint32_t, 1, reserved)

// One tier of a pool, the first to be asked first. Its candidates are the targets that may be
// picked now, in the order of the file. share: of new connections that begin with this tier, in
// basis points; what the shares of a pool leave over begins with its first tier. A tier is asked
// too when nothing can be picked in those before it: that is all that a share of 0 gets.
// configured: targets that the config names for the tier, eligible or not; with it the size of a
// consistent hash table does not follow health. 0 = not known.
#define SLUICE_TIER_RECORD_FIELDS(X) \
  X(uint32_t, 1, candidates_first)   \
  X(uint32_t, 1, candidates_count)   \
  X(uint32_t, 1, configured)         \
  X(uint32_t, 1, share)

// One target, eligible or not (connections that exist need its slot). max_connections: 0 = none.
// pool_slot: of the pool that has it; kNoSlot when the configuration no longer does.
#define SLUICE_TARGET_RECORD_FIELDS(X) \
  X(uint32_t, 1, slot)                 \
  X(uint32_t, 1, flags)                \
  X(uint32_t, 1, max_connections)      \
  X(uint32_t, 1, name_offset)          \
  X(uint32_t, 1, name_bytes)           \
  X(uint16_t, 1, family)               \
  X(uint16_t, 1, port)                 \
  X(uint32_t, 1, scope_id)             \
  X(uint32_t, 1, path_offset)          \
  X(uint32_t, 1, path_bytes)           \
  X(uint32_t, 1, pool_slot)            \
  X(uint8_t, 16, ip)

#define SLUICE_CANDIDATE_RECORD_FIELDS(X) \
  X(uint32_t, 1, target_index)            \
  X(uint32_t, 1, weight)

#define X SLUICE_DECLARE_FIELD
struct alignas(8) ImageHeader {
  SLUICE_IMAGE_HEADER_FIELDS(X)
};
struct alignas(8) ListenerRecord {
  SLUICE_LISTENER_RECORD_FIELDS(X)
};
struct alignas(8) AddressRecord {
  SLUICE_ADDRESS_RECORD_FIELDS(X)
};
struct alignas(8) PoolRecord {
  SLUICE_POOL_RECORD_FIELDS(X)
};
struct alignas(8) TierRecord {
  SLUICE_TIER_RECORD_FIELDS(X)
};
struct alignas(8) TargetRecord {
  SLUICE_TARGET_RECORD_FIELDS(X)
};
struct alignas(8) CandidateRecord {
  SLUICE_CANDIDATE_RECORD_FIELDS(X)
};
#undef X
static_assert(sizeof(ImageHeader) == 88);
static_assert(sizeof(ListenerRecord) == 96);
static_assert(sizeof(AddressRecord) == 32);
static_assert(sizeof(PoolRecord) == 128);
static_assert(sizeof(TierRecord) == 16);
static_assert(sizeof(TargetRecord) == 56);
static_assert(sizeof(CandidateRecord) == 8);

}  // namespace sluice::table
