// Who waits, who is next, and who has waited too long.
#include "tcp/waiting_room.h"

#include <algorithm>
#include <span>

#include "os/random.h"
#include "tcp/admission.h"
#include "tcp/connection_end.h"
#include "tcp/retry.h"
#include "tcp/tcp_context.h"

namespace sluice::tcp {

using shared::CloseReason;

namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;
// As the look of a listener at max_connections: a few counts to read, no system call.
constexpr uint64_t kLookNs = 20 * kMillisecondNs;
// While no target of a pool can be reached, one connection in so long tries, on each worker: soon
// enough that a failover is not felt to last, seldom enough that a target that comes up is not
// knocked at all the time.
constexpr uint64_t kProbeNs = 200 * kMillisecondNs;
// Connects begun per turn: about a millisecond before new events are looked at.
constexpr uint32_t kServedPerTurn = 64;

// From the first wait on, whatever else came in between: who fails and comes back gets no new time.
uint64_t deadline_of(WaitReason reason, const table::Pool& pool, const TcpConnection& connection) {
  const uint32_t timeout_ms =
      reason == WaitReason::place ? pool.queue_timeout_ms : pool.park_timeout_ms;
  const uint64_t began_ms = connection.connecting.wait_began_ms - 1;
  return connection.accepted_ns + (began_ms + timeout_ms) * kMillisecondNs;
}

}  // namespace

std::optional<WaitReason> reason_to_wait(const table::Pool& pool, const ConnectState& state,
                                         bool may_try) {
  if (pool.queue_max > 0 && may_try && pool.has_untried(tried_of(state))) return WaitReason::place;
  const bool unreachable = state.failures > 0 && !state.last_local;
  if (pool.park_max > 0 && (unreachable || !pool.has_candidates())) return WaitReason::target;
  return std::nullopt;
}

WaitingRoom::WaitingRoom(TcpContext& context) : context_(context), by_slot_(shared::kPoolSlotsMax) {
  kind = static_cast<uint8_t>(shared::TimerKind::tcp_wait_look);
  os::fill_random(std::as_writable_bytes(std::span(&key_, 1)));
}

WaitingRoom::~WaitingRoom() {
  if (armed()) context_.links.wheel.cancel(*this);
}

bool WaitingRoom::must_wait(const table::Pool& pool) const {
  const PoolQueue* queue = queue_at(pool.slot);
  if (queue == nullptr) return false;
  // Also behind those of other workers: who overtakes them would take the place that is to be
  // offered to them.
  return !queue->waiting.empty() ||
         (pool.queue_max > 0 && context_.links.waiting.anybody(pool.slot));
}

ConnectProgress WaitingRoom::wait_behind(const table::Pool& pool, TcpConnection& connection) {
  return wait_for(reason_behind(pool), pool, connection);
}

WaitReason WaitingRoom::reason_behind(const table::Pool& pool) const {
  const bool reachable = pool.has_candidates() && queue_at(pool.slot)->next_probe_ns == 0;
  return reachable && pool.queue_max > 0 ? WaitReason::place : WaitReason::target;
}

WaitingRoom::Room WaitingRoom::room(WaitReason reason, const table::Pool& pool) const {
  const uint32_t max = reason == WaitReason::place ? pool.queue_max : pool.park_max;
  if (queue_at(pool.slot) == nullptr || max == 0) return Room::none;
  return context_.links.waiting.count(pool.slot) < max ? Room::enough : Room::full;
}

bool WaitingRoom::may_enter(WaitReason reason, const table::Pool& pool,
                            TcpConnection& connection) const {
  const bool for_place = reason == WaitReason::place;
  const uint32_t max = for_place ? pool.queue_max : pool.park_max;
  if (queue_at(pool.slot) == nullptr || max == 0) {
    connection.reason = CloseReason::no_target;
  } else if (client_has_left(connection)) {
    connection.reason = CloseReason::client_closed;
  } else if (deadline_of(reason, pool, connection) <= context_.now_ns()) {
    connection.reason = for_place ? CloseReason::queue_timeout : CloseReason::park_timeout;
  } else if (!context_.links.waiting.enter(pool.slot, max)) {
    connection.reason = for_place ? CloseReason::queue_full : CloseReason::park_full;
  } else {
    return true;
  }
  return false;
}

ConnectProgress WaitingRoom::wait_for(WaitReason reason, const table::Pool& pool,
                                      TcpConnection& connection) {
  ConnectState& state = connection.connecting;
  if (state.wait_began_ms == 0) {
    const uint64_t age_ns = context_.now_ns() - connection.accepted_ns;
    state.wait_began_ms = static_cast<uint32_t>(age_ns / kMillisecondNs) + 1;
  }
  if (!may_enter(reason, pool, connection)) return ConnectProgress::failed;
  PoolQueue& queue = *queue_at(pool.slot);
  const bool for_place = reason == WaitReason::place;
  if (!for_place && state.failures > 0) {
    queue.due = 0;
    queue.next_probe_ns = context_.now_ns() + kProbeNs;
    state.failures = 0;
  }
  // After the wait every target is as good as another; how often one may fail is still counted.
  state.tried_count = 0;
  state.same_next = false;
  state.waits_for_place = for_place;
  connection.phase = ConnectionPhase::waiting;
  connection.changed_ns = context_.now_ns();
  if (queue.waiting.push(connection)) {
    context_.links.waiting.add_source(context_.links.worker_index, pool.slot);
  }
  waiting_count_++;
  shared::ListenerCounters& row = context_.listener_row(connection);
  shared::add(for_place ? row.connections_queued : row.connections_parked, 1);
  shared::add(row.connections_waiting, 1);
  context_.links.wheel.arm(connection, deadline_of(reason, pool, connection));
  if (!armed()) context_.links.wheel.arm(*this, context_.now_ns() + kLookNs);
  return ConnectProgress::pending;
}

void WaitingRoom::leave(PoolQueue& queue, TcpConnection& connection, bool served) {
  const bool source_gone =
      served ? queue.waiting.remove_served(connection) : queue.waiting.remove(connection);
  shared::WaitingBoard& board = context_.links.waiting;
  if (source_gone) board.remove_source(context_.links.worker_index, queue.slot);
  board.leave(queue.slot);
  waiting_count_--;
  if (connection.armed()) context_.links.wheel.cancel(connection);
  const uint64_t waited_ns = context_.now_ns() - connection.changed_ns;
  connection.waited_ms += static_cast<uint32_t>(waited_ns / kMillisecondNs);
  shared::ListenerCounters& row = context_.listener_row(connection);
  shared::subtract(row.connections_waiting, 1);
  shared::add(row.wait_us, waited_ns / 1000);
  connection.phase = ConnectionPhase::connecting;
}

void WaitingRoom::remove(TcpConnection& connection) {
  leave(*queue_at(connection.pool_slot), connection, false);
}

void WaitingRoom::time_out(TcpConnection& connection) {
  const bool for_place = connection.connecting.waits_for_place;
  end_connection(context_, connection,
                 for_place ? CloseReason::queue_timeout : CloseReason::park_timeout,
                 Farewell::reset);
}

void WaitingRoom::note_reached(uint32_t pool_slot) {
  PoolQueue* queue = queue_at(pool_slot);
  if (queue == nullptr || queue->next_probe_ns == 0) return;
  queue->next_probe_ns = 0;
  queue->due = queue->waiting.count();
}

void WaitingRoom::adopt() {
  for (PoolQueue* queue : queues_) {
    const table::Pool* pool = context_.pool_at(queue->slot, queue->tenancy);
    if (pool == nullptr || (!pool->has_candidates() && pool->park_max == 0)) end_all(*queue);
    queue->next_probe_ns = 0;
    queue->due = queue->waiting.count();
    const bool wanted = pool != nullptr && (pool->queue_max > 0 || pool->park_max > 0);
    if (!wanted && queue->waiting.empty()) by_slot_[queue->slot].reset();
  }
  queues_.clear();
  for (const table::Pool& pool : context_.table->pools) {
    std::unique_ptr<PoolQueue>& queue = by_slot_[pool.slot];
    if (queue == nullptr && (pool.queue_max > 0 || pool.park_max > 0)) {
      queue = std::make_unique<PoolQueue>(pool.slot, context_.pool_tenancy(pool.slot), key_);
    }
    if (queue != nullptr) queues_.push_back(queue.get());
  }
}

void WaitingRoom::end_all(PoolQueue& queue) {
  while (TcpConnection* connection = queue.waiting.first()) {
    end_connection(context_, *connection, CloseReason::no_target, Farewell::reset);
  }
}

void WaitingRoom::look() {
  if (waiting_count_ == 0) return;
  for (PoolQueue* queue : queues_) {
    if (queue->next_probe_ns == 0) {
      queue->due = queue->waiting.count();
    } else if (context_.now_ns() >= queue->next_probe_ns) {
      queue->next_probe_ns = context_.now_ns() + kProbeNs;
      queue->due = 1;
    }
  }
  context_.links.wheel.arm(*this, context_.now_ns() + kLookNs);
}

void WaitingRoom::serve() {
  has_due_ = false;
  if (waiting_count_ == 0) return;
  uint32_t left = kServedPerTurn;
  for (PoolQueue* queue : queues_) {
    const uint32_t offers =
        context_.links.waiting.take_offers(context_.links.worker_index, queue->slot);
    if (queue->next_probe_ns == 0) {
      queue->due = std::min(queue->due + offers, queue->waiting.count());
    }
    while (queue->due > 0 && left > 0) {
      queue->due--;
      left--;
      if (!serve_first(*queue)) queue->due = 0;
    }
    if (queue->due > 0) has_due_ = true;
  }
}

bool WaitingRoom::serve_first(PoolQueue& queue) {
  TcpConnection* connection = queue.waiting.first();
  const table::Pool* pool = context_.pool_at(queue.slot, queue.tenancy);
  if (connection == nullptr || pool == nullptr) return false;
  const table::Target* target = claim_target(context_, *connection, *pool);
  if (target == nullptr) return false;
  leave(queue, *connection, true);
  after_connect(context_, *connection, connect_claimed(context_, *connection, *target));
  return true;
}

}  // namespace sluice::tcp
