// WorkerLinks: what a worker lends to its tcp and udp parts. All of it outlives them, none of it is
// shared with another worker except where said.
#pragma once

#include <cstdint>
#include <span>

#include "os/epoll.h"
#include "os/timer_wheel.h"
#include "policy/candidate.h"
#include "shared/engine_options.h"
#include "shared/event_ring.h"
#include "shared/layout.h"
#include "shared/retry_budgets.h"
#include "shared/waiting_board.h"

namespace sluice::shared {

// Kinds of os::EpollToken and os::TimerNode, by which a worker hands an event to its owner.
enum class TokenKind : uint8_t {
  doorbell = 0,
  tcp_listener = 1,
  tcp_client = 2,
  tcp_target = 3,
  udp_listener = 4,
  udp_session = 5,
  icmp = 6,
};
enum class TimerKind : uint8_t {
  tcp_connection = 0,
  tcp_accept_resume = 1,
  udp_session = 2,
  tcp_wait_look = 3,
};

struct WorkerLinks {
  uint32_t worker_index;
  const EngineOptions& options;
  os::Epoll& epoll;
  os::TimerWheel& wheel;
  const uint64_t& now_ns;  // monotonic; read once per turn of the loop
  EventRing& events;
  WorkerCounters& counters;
  std::span<ListenerCounters> listeners;             // this worker's row of each listener slot
  std::span<TargetCounters> targets;                 // this worker's row of each target slot
  std::span<PoolCounters> pools;                     // this worker's row of each pool slot
  std::span<std::atomic<uint32_t>> active;           // shared by all workers, per target slot
  std::span<std::atomic<uint32_t>> listener_active;  // shared by all workers, per listener slot
  std::span<std::atomic<uint32_t>> sticky_entries;   // shared by all workers, per pool slot
  std::span<TurnSignals> turns;                      // shared by all workers, per target slot
  std::span<Histogram> responses;                    // this worker's row of each target slot
  std::span<Histogram> connects;                     // this worker's row of each target slot
  std::span<EndHistograms> ends;                     // this worker's row of each listener slot
  policy::Signals signals;                           // what picks see of all that
  WaitingBoard& waiting;                             // shared by all workers
  RetryBudgets& retries;                             // shared by all workers
};

}  // namespace sluice::shared
