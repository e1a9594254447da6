// The memory that TypeScript and C++ both read: one region (a memfd mapped by both sides) that
// holds, in this order,
//   RegionHeader
//   table image area 0, table image area 1           (kImageBytesMax each, used in turn)
//   per ring: RingHeader, then kRingRecords records  (order: see RingIndex)
//   the shared `active` counts                       (one u32 per target slot)
//   the shared listener connection counts            (one u32 per listener slot)
//   the sizes of the sticky tables                   (one u32 per pool slot)
//   the shared turn signals                          (one TurnSignals per target slot)
//   the shared bandwidths                            (one policy::Bandwidth per target slot)
//   per worker: worker counters, then listener, target and pool counters per slot, then histograms:
//               of responses and of connects per target slot, of ends per listener slot
//   per worker: its explain area                     (explain_area.h)
// Everything is defined once, here; the addon exports names, sizes and offsets (layout_export.h)
// and TypeScript builds its readers and writers from them. Pages are touched on first use, so the
// capacities below cost address space, not memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "shared/counters.h"
#include "shared/explain_area.h"
#include "shared/histogram.h"

namespace sluice::shared {

inline constexpr uint32_t kRegionMagic = 0x43554c53;  // "SLUC"
inline constexpr uint32_t kRegionVersion = 1;
inline constexpr uint32_t kWorkersMax = 64;
inline constexpr uint32_t kListenerSlotsMax = 1024;
inline constexpr uint32_t kTargetSlotsMax = 16384;
inline constexpr uint32_t kPoolSlotsMax = 1024;
inline constexpr uint32_t kImageBytesMax = 8U << 20U;
inline constexpr uint32_t kRingRecords = 4096;  // power of two
inline constexpr uint32_t kRecordBytes = 64;
inline constexpr uint32_t kBandwidthBytes = 16;  // of a policy::Bandwidth

// ---- Rings -------------------------------------------------------------------------------------
// Single producer, single consumer. `head` counts records ever written, `tail` records ever read,
// both modulo 2^32; head - tail is the fill. Commands go TypeScript -> native, events back.
struct alignas(kCacheLineBytes) RingHeader {
  // Writer: the producer, release after the record is written. Reader: the consumer, acquire.
  alignas(kCacheLineBytes) std::atomic<uint32_t> head;
  // Writer: the consumer, release after the record is read. Reader: the producer, acquire.
  alignas(kCacheLineBytes) std::atomic<uint32_t> tail;
  // Writer: the producer. Records that did not fit. Reader: anyone, relaxed.
  alignas(kCacheLineBytes) std::atomic<uint32_t> dropped;
};
static_assert(sizeof(RingHeader) == 192);

// Ring order in the region: commands of the coordinator, commands of worker 0, 1, ...; then events
// of the coordinator, events of worker 0, 1, ...
struct RingIndex {
  static constexpr uint32_t coordinator = 0;
  static constexpr uint32_t worker(uint32_t index) { return index + 1; }
};

#define SLUICE_COMMAND_TYPES(X)                                                       \
  X(load_table, 1)        /* coordinator: validate and publish a table image */       \
  X(ping, 2)              /* coordinator: send one ICMP echo */                       \
  X(close_connections, 3) /* worker: close of what `scope` and `slot` name a share */ \
  X(explain, 4)           /* worker: what would a client of listener `slot` get? */

enum class CommandType : uint32_t {
#define X(name, value) name = value,
  SLUICE_COMMAND_TYPES(X)
#undef X
};

// What a close_connections command names.
#define SLUICE_CLOSE_SCOPES(X) X(all, 1) X(listener, 2) X(target, 3)
enum class CloseScope : uint32_t {
#define X(name, value) name = value,
  SLUICE_CLOSE_SCOPES(X)
#undef X
};

// X(type, count, name): count 1 = scalar. Explicit padding only.
#define SLUICE_COMMAND_FIELDS(X)                                          \
  X(uint32_t, 1, type)                                                    \
  X(uint32_t, 1, id)         /* ping, explain: echoed in the answer */    \
  X(uint64_t, 1, generation) /* load_table */                             \
  X(uint32_t, 1, area)       /* load_table: image area 0 or 1 */          \
  X(uint32_t, 1, bytes)      /* load_table: bytes of the image */         \
  X(uint32_t, 1, scope)      /* close_connections: CloseScope */          \
  X(uint32_t, 1, slot)       /* close_connections, explain */             \
  X(uint8_t, 16, ip)         /* ping, explain: IPv6, or v4-mapped */      \
  X(uint32_t, 1, scope_id)   /* ping, explain: of a link-local address */ \
  X(uint32_t, 1, one_in)     /* close_connections: a share; 0, 1 = all */ \
  X(uint32_t, 1, port)       /* explain: the client's; 0 = not said */    \
  X(uint32_t, 1, reserved)

#define SLUICE_EVENT_TYPES(X)                                                               \
  X(table_applied, 1)      /* coordinator: every worker has adopted `generation` */         \
  X(table_rejected, 2)     /* coordinator: `generation` changed nothing; `code`, `error` */ \
  X(listener_bound, 3)     /* coordinator: listener `slot`, bind `index` is at `port` */    \
  X(ping_answered, 4)      /* coordinator: `id`, `code` = PingOutcome, `duration_us` */     \
  X(connection_closed, 5)  /* worker: the access record */                                  \
  X(session_ended, 6)      /* worker: the access record of a UDP session */                 \
  X(connect_failed, 7)     /* worker: target `slot`, `code` = ConnectFailure, `error` */    \
  X(accept_paused, 8)      /* worker: out of descriptors; accepting resumes by itself */    \
  X(target_unreachable, 9) /* worker: an ICMP error ended a session of target `slot` */     \
  X(explain_answered, 10)  /* worker: the answer to `id` is in its explain area */

enum class EventType : uint16_t {
#define X(name, value) name = value,
  SLUICE_EVENT_TYPES(X)
#undef X
};

// `slot` is the listener's in access records and listener events, the target's in failures;
// `target_slot` is kNoSlot for a connection that never reached a target.
#define SLUICE_EVENT_FIELDS(X)                                                     \
  X(uint16_t, 1, type)                                                             \
  X(uint16_t, 1, code) /* CloseReason, ConnectFailure, PingOutcome, TableError */  \
  X(uint32_t, 1, slot)                                                             \
  X(uint32_t, 1, target_slot)                                                      \
  X(int32_t, 1, error)      /* errno, 0 when none */                               \
  X(uint8_t, 16, client_ip) /* v4-mapped */                                        \
  X(uint16_t, 1, client_port)                                                      \
  X(uint16_t, 1, index)      /* connection_closed: replays */                      \
  X(uint32_t, 1, connect_us) /* accept to target connected; duration of a ping */  \
  X(uint32_t, 1, duration_ms)                                                      \
  /* as in the command; table events: low 32 bits; connection_closed: ms waited */ \
  X(uint32_t, 1, id)                                                               \
  X(uint64_t, 1, to_target_bytes)                                                  \
  X(uint64_t, 1, to_client_bytes)

#define SLUICE_DECLARE_FIELD(type, count, name) \
  std::conditional_t<(count) == 1, type, type[count]> name;

struct alignas(8) Command {
#define X SLUICE_DECLARE_FIELD
  SLUICE_COMMAND_FIELDS(X)
#undef X
};
static_assert(sizeof(Command) == kRecordBytes);

struct alignas(8) Event {
#define X SLUICE_DECLARE_FIELD
  SLUICE_EVENT_FIELDS(X)
#undef X
};
static_assert(sizeof(Event) == kRecordBytes);

inline constexpr uint32_t kNoSlot = 0xffffffff;

// Why a connection or a session ended. One reason each, decided once; a counter per listener each.
#define SLUICE_CLOSE_REASONS(X)                                                            \
  X(client_closed, 1)       /* the client sent FIN first, the other side followed */       \
  X(target_closed, 2)       /* the target sent FIN first, the other side followed */       \
  X(client_reset, 3)        /* the client sent RST */                                      \
  X(target_reset, 4)        /* the target sent RST */                                      \
  X(connect_failed, 5)      /* every try to reach a target failed */                       \
  X(connect_timeout, 6)     /* the last try ran into timeouts.connect */                   \
  X(no_target, 7)           /* the pool had no eligible target with room */                \
  X(idle_timeout, 8)        /* no byte either way for timeouts.idle */                     \
  X(half_close_timeout, 9)  /* one side had closed, the other stayed silent too long */    \
  X(lifetime, 10)           /* timeouts.lifetime */                                        \
  X(peer_timeout, 11)       /* TCP_USER_TIMEOUT or keep-alive: a side vanished */          \
  X(closed_by_operator, 12) /* a close_connections command */                              \
  X(limit, 13)              /* max_connections, or a bound of the worker */                \
  X(local_error, 14)        /* our side: no descriptor, no source port, no memory */       \
  X(completed, 15)          /* UDP: the bound of requests or responses was reached */      \
  X(target_down, 16)        /* UDP: the session's target left rotation or answered ICMP */ \
  X(shutdown, 17)           /* the engine stopped */                                       \
  X(queue_full, 18)         /* every target was at its limit, and the queue at its own */  \
  X(queue_timeout, 19)      /* no place at a target became free within queue.timeout */    \
  X(park_full, 20)          /* no target was eligible, and park.max clients waited */      \
  X(park_timeout, 21)       /* no target was back within park.timeout */

enum class CloseReason : uint16_t {
#define X(name, value) name = value,
  SLUICE_CLOSE_REASONS(X)
#undef X
};

// Why one try to connect to a target failed. `local` is never the target's fault (no source port,
// no descriptor) and must not count against its health. `unanswered`: it was connected, and ended
// that before its first byte, on a replay_safe listener.
#define SLUICE_CONNECT_FAILURES(X) \
  X(refused, 1)                    \
  X(timed_out, 2) X(unreachable, 3) X(reset, 4) X(local, 5) X(other, 6) X(unanswered, 7)
enum class ConnectFailure : uint16_t {
#define X(name, value) name = value,
  SLUICE_CONNECT_FAILURES(X)
#undef X
};

#define SLUICE_PING_OUTCOMES(X) X(answered, 1) X(unreachable, 2) X(not_permitted, 3) X(failed, 4)
enum class PingOutcome : uint16_t {
#define X(name, value) name = value,
  SLUICE_PING_OUTCOMES(X)
#undef X
};

// Why a table image was refused. `malformed` carries the failed check's number in `index`; the
// others carry the listener's slot, the bind's index and the errno.
#define SLUICE_TABLE_ERRORS(X) \
  X(malformed, 1) X(address_in_use, 2) X(bind_failed, 3) X(permission_denied, 4) X(no_memory, 5)
enum class TableError : uint16_t {
#define X(name, value) name = value,
  SLUICE_TABLE_ERRORS(X)
#undef X
};

// ---- Turns and times ---------------------------------------------------------------------------
// What workers tell each other about a target's turns. A cache line of its own: every turn writes
// it twice, and two workers that serve different targets must not meet there.
struct alignas(kCacheLineBytes) TurnSignals {
  // Connections whose client has spoken last and whose target has not answered yet. Writers: every
  // worker, relaxed adds as a turn begins and ends; readers: policies and TypeScript, relaxed. A
  // count of a moment ago is as good a guess as one of now, and it orders nothing.
  std::atomic<uint32_t> active_turns;
  // A peak-sensitive mean of the time to an answer, or to a connect where no turn can be told; a
  // failure is a slow one; 0 = not measured. Writers: every worker, relaxed (a lost sample is a
  // sample less), and the coordinator, which lets it fall in silence; readers: as above.
  std::atomic<uint32_t> response_us;
  // Has a turn of the present target been measured? Until then connects stand in for turns.
  // Writers: every worker sets it, the coordinator clears it when another target gets the slot;
  // readers: workers; relaxed, as it comes with the estimate above.
  std::atomic<bool> measured;
};
static_assert(sizeof(TurnSignals) == kCacheLineBytes);

// ---- Region ------------------------------------------------------------------------------------
struct alignas(kCacheLineBytes) RegionHeader {
  uint32_t magic;
  uint32_t version;
  uint64_t total_bytes;
  uint32_t worker_count;
  uint32_t reserved;
  // Set by a native producer that finds it clear after pushing an event (it then wakes the
  // control plane); cleared by the control plane before it drains the event rings, so that a
  // wake-up is never lost and never repeated. Sequentially consistent on both sides.
  alignas(kCacheLineBytes) std::atomic<uint32_t> doorbell_pending;
};

struct RegionOffsets {
  uint64_t image_area[2];
  uint64_t first_ring;
  uint64_t ring_bytes;
  uint64_t active;
  uint64_t listener_active;
  uint64_t sticky_entries;
  uint64_t turn_signals;
  uint64_t bandwidth;
  uint64_t first_worker;
  uint64_t worker_bytes;
  uint64_t listener_rows;  // within a worker's block
  uint64_t target_rows;    // within a worker's block
  uint64_t pool_rows;      // within a worker's block
  uint64_t response_rows;  // within a worker's block
  uint64_t connect_rows;   // within a worker's block
  uint64_t end_rows;       // within a worker's block
  uint64_t first_explain;
  uint64_t explain_bytes;  // from one worker's area to the next one's
  uint64_t total_bytes;
};

constexpr uint64_t align_to(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

constexpr RegionOffsets region_offsets(uint32_t workers) {
  constexpr uint64_t kPage = 4096;
  RegionOffsets o{};
  o.image_area[0] = align_to(sizeof(RegionHeader), kPage);
  o.image_area[1] = o.image_area[0] + kImageBytesMax;
  o.first_ring = o.image_area[1] + kImageBytesMax;
  o.ring_bytes = sizeof(RingHeader) + uint64_t{kRingRecords} * kRecordBytes;
  o.active = align_to(o.first_ring + o.ring_bytes * 2 * (workers + 1), kPage);
  o.listener_active = o.active + uint64_t{kTargetSlotsMax} * sizeof(uint32_t);
  o.sticky_entries = o.listener_active + uint64_t{kListenerSlotsMax} * sizeof(uint32_t);
  o.turn_signals = align_to(o.sticky_entries + uint64_t{kPoolSlotsMax} * sizeof(uint32_t), kPage);
  o.bandwidth = o.turn_signals + uint64_t{kTargetSlotsMax} * sizeof(TurnSignals);
  o.first_worker = align_to(o.bandwidth + uint64_t{kTargetSlotsMax} * kBandwidthBytes, kPage);
  o.listener_rows = sizeof(WorkerCounters);
  o.target_rows = o.listener_rows + uint64_t{kListenerSlotsMax} * sizeof(ListenerCounters);
  o.pool_rows = o.target_rows + uint64_t{kTargetSlotsMax} * sizeof(TargetCounters);
  o.response_rows = o.pool_rows + uint64_t{kPoolSlotsMax} * sizeof(PoolCounters);
  o.connect_rows = o.response_rows + uint64_t{kTargetSlotsMax} * sizeof(Histogram);
  o.end_rows = o.connect_rows + uint64_t{kTargetSlotsMax} * sizeof(Histogram);
  o.worker_bytes =
      align_to(o.end_rows + uint64_t{kListenerSlotsMax} * sizeof(EndHistograms), kPage);
  o.first_explain = o.first_worker + o.worker_bytes * workers;
  o.explain_bytes =
      align_to(sizeof(ExplainAnswer) + uint64_t{kTargetSlotsMax} * sizeof(ExplainNote), kPage);
  o.total_bytes = o.first_explain + o.explain_bytes * workers;
  return o;
}

// Lock-free or the two sides could not share them.
static_assert(std::atomic<uint32_t>::is_always_lock_free);
static_assert(std::atomic<uint64_t>::is_always_lock_free);
static_assert(sizeof(Counter) == 8);

}  // namespace sluice::shared
