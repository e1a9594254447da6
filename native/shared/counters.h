// The rows of counters that workers write, and TypeScript reads, in the shared region: one row per
// worker, and per worker one for each listener, target and pool slot (layout.h says where).
//
// u64 each. Each worker is the only writer of its rows (relaxed load, add, relaxed store), so no
// locked instruction runs per byte. Readers sum over workers. X(name, unit, help).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sluice::shared {

inline constexpr size_t kCacheLineBytes = 64;

#define SLUICE_WORKER_COUNTERS(X)                                                                 \
  X(loops, turns, "Turns of the worker's event loop")                                             \
  X(ready_turns, turns, "Turns in which a connection was resumed after using up its byte budget") \
  X(accept_paused, episodes, "Times accepting paused because no descriptor was left")             \
  X(events_dropped, records, "Events that did not fit into the event ring")                       \
  X(stash_exhausted, times, "Times a connection had to go on without a stash buffer")             \
  X(pipes_exhausted, times, "Times a stream stayed on copy because no pipe was left")             \
  X(copied_bytes, bytes, "Bytes forwarded by copy")                                               \
  X(spliced_bytes, bytes, "Bytes forwarded by splice")                                            \
  X(connections_open, connections, "TCP connections the worker holds now")                        \
  X(sessions_open, sessions, "UDP sessions the worker holds now")                                 \
  X(stashes_in_use, buffers, "Stash buffers in use now")                                          \
  X(pipes_in_use, pipes, "Pipes in use now")

#define SLUICE_LISTENER_COUNTERS(X)                                                             \
  X(connections_opened, connections, "TCP connections accepted")                                \
  X(connections_closed, connections, "TCP connections ended, for any reason")                   \
  X(sessions_opened, sessions, "UDP sessions started")                                          \
  X(sessions_closed, sessions, "UDP sessions ended, for any reason")                            \
  X(to_target_bytes, bytes, "Bytes forwarded from clients to targets")                          \
  X(to_client_bytes, bytes, "Bytes forwarded from targets to clients")                          \
  X(to_target_datagrams, datagrams, "Datagrams forwarded from clients to targets")              \
  X(to_client_datagrams, datagrams, "Datagrams forwarded from targets to clients")              \
  X(accept_paused_limit, episodes, "Times accepting paused at max_connections")                 \
  X(accept_errors, errors, "accept() failures other than running out of descriptors")           \
  X(connect_retries, tries, "Further tries after a failed connect")                             \
  X(connect_retries_refused, tries, "Further tries that the retry budget refused")              \
  X(replays, connections, "Times a connection went elsewhere, its target having ended unheard") \
  X(connections_waiting, connections, "TCP connections that wait to be given a target")         \
  X(connections_queued, connections, "TCP connections that waited for a place")                 \
  X(connections_parked, connections, "TCP connections that waited for an eligible one")         \
  X(wait_us, microseconds, "Time spent waiting to be given a target, summed")                   \
  X(datagrams_dropped_sessions_full, datagrams, "Dropped: the session map was full")            \
  X(datagrams_dropped_no_target, datagrams, "Dropped: the pool had no eligible target")         \
  X(datagrams_dropped_would_block, datagrams, "Dropped: a socket's send buffer was full")       \
  X(datagrams_dropped_truncated, datagrams, "Dropped: larger than the receive buffer")          \
  X(datagrams_dropped_send_error, datagrams, "Dropped: sending failed")                         \
  X(datagrams_dropped_local_error, datagrams, "Dropped: no socket could be made for a session")

#define SLUICE_TARGET_COUNTERS(X)                                                                  \
  X(connections_opened, connections, "TCP connections established to the target")                  \
  X(connections_closed, connections, "TCP connections to the target ended")                        \
  X(sessions_opened, sessions, "UDP sessions started towards the target")                          \
  X(sessions_closed, sessions, "UDP sessions towards the target ended")                            \
  X(to_target_bytes, bytes, "Bytes sent to the target")                                            \
  X(to_client_bytes, bytes, "Bytes received from the target and sent on")                          \
  X(to_target_datagrams, datagrams, "Datagrams sent to the target")                                \
  X(to_client_datagrams, datagrams, "Datagrams received from the target and sent on")              \
  X(connect_refused, tries, "Connects answered by a refusal")                                      \
  X(connect_timed_out, tries, "Connects that met their deadline")                                  \
  X(connect_unreachable, tries, "Connects that ended in a network or host error")                  \
  X(connect_failed_local, tries, "Connects that failed on our side")                               \
  X(connect_failed_other, tries, "Connects that failed for any other reason")                      \
  X(ended_unanswered, connections, "Connections ended before its first byte, and taken elsewhere") \
  X(resets, connections, "Connections the target reset")                                           \
  X(closed_by_operator, connections, "Connections and sessions closed by a command")               \
  X(icmp_errors, errors, "ICMP errors that a session met")                                         \
  X(turns_unmeasured, turns, "Answers in streams whose turns cannot be told apart")

#define SLUICE_POOL_COUNTERS(X)                                                                \
  X(sticky_hits, picks, "Picks of the target that the client had been sent to")                \
  X(sticky_misses, picks, "Picks for clients without a sticky entry")                          \
  X(sticky_moves, picks, "Picks of another target: the client's was down, full or gone")       \
  X(sticky_refusals, picks, "Clients refused: theirs was down or full, and is not to be left") \
  X(sticky_expired, entries, "Sticky entries removed because their time was over")             \
  X(sticky_evicted, entries, "Sticky entries that gave way to newer ones at the capacity")

using Counter = std::atomic<uint64_t>;

struct alignas(kCacheLineBytes) WorkerCounters {
#define X(name, unit, help) Counter name;
  SLUICE_WORKER_COUNTERS(X)
#undef X
};

struct alignas(kCacheLineBytes) ListenerCounters {
#define X(name, unit, help) Counter name;
  SLUICE_LISTENER_COUNTERS(X)
#undef X
  // Ended connections and sessions by CloseReason; index 0 is unused.
  Counter closed_by_reason[24];
};

struct alignas(kCacheLineBytes) TargetCounters {
#define X(name, unit, help) Counter name;
  SLUICE_TARGET_COUNTERS(X)
#undef X
};

struct alignas(kCacheLineBytes) PoolCounters {
#define X(name, unit, help) Counter name;
  SLUICE_POOL_COUNTERS(X)
#undef X
};

// The one way a worker changes a counter of its own row.
inline void add(Counter& counter, uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}
inline void subtract(Counter& counter, uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
}

}  // namespace sluice::shared
