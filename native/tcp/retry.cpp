// Counting what failed, and the pool's rules about trying again.
#include "tcp/retry.h"

#include <algorithm>

#include "policy/prng.h"
#include "shared/response_time.h"
#include "table/sticky_pick.h"
#include "tcp/admission.h"
#include "tcp/retry_delay.h"
#include "tcp/tcp_context.h"

namespace sluice::tcp {

using shared::CloseReason;
using shared::ConnectFailure;

namespace {

static_assert(static_cast<int>(os::ConnectFault::refused) ==
              static_cast<int>(ConnectFailure::refused));
static_assert(static_cast<int>(os::ConnectFault::timed_out) ==
              static_cast<int>(ConnectFailure::timed_out));
static_assert(static_cast<int>(os::ConnectFault::unreachable) ==
              static_cast<int>(ConnectFailure::unreachable));
static_assert(static_cast<int>(os::ConnectFault::reset) == static_cast<int>(ConnectFailure::reset));
static_assert(static_cast<int>(os::ConnectFault::local) == static_cast<int>(ConnectFailure::local));
static_assert(static_cast<int>(os::ConnectFault::other) == static_cast<int>(ConnectFailure::other));

void release_place(TcpContext& context, TcpConnection& connection) {
  if (!connection.target_claimed) return;
  context.links.active[connection.target_slot].fetch_sub(1, std::memory_order_relaxed);
  connection.target_claimed = false;
  context.links.waiting.offer_place(context.links.worker_index, connection.pool_slot);
}

void count_failure(shared::TargetCounters& row, os::ConnectFault fault) {
  switch (fault) {
    case os::ConnectFault::refused:
      return shared::add(row.connect_refused, 1);
    case os::ConnectFault::timed_out:
      return shared::add(row.connect_timed_out, 1);
    case os::ConnectFault::unreachable:
      return shared::add(row.connect_unreachable, 1);
    case os::ConnectFault::local:
      return shared::add(row.connect_failed_local, 1);
    case os::ConnectFault::none:
    case os::ConnectFault::reset:
    case os::ConnectFault::other:
      return shared::add(row.connect_failed_other, 1);
  }
}

// Where the client's next connection is not to go, in a sticky pool.
void forget_target(TcpContext& context, const TcpConnection& connection, const table::Pool& pool) {
  const table::Target* target = context.table->target_at(connection.target_slot);
  if (target == nullptr) return;
  table::forget_sticky(context.links, pool, connection.client_address, *target);
}

// May it go to the target that has just failed? Once, and not after a shortage of ours, which would
// be met there again.
bool may_go_back(const ConnectState& state, const table::Pool& pool) {
  return pool.retry_same && pool.retries > 0 && state.failures == 1 && !state.last_local;
}

// Is there a further try, and somewhere to go?
bool retries_left(const ConnectState& state, const table::Pool& pool) {
  if (state.failures > pool.retries) return false;
  return may_go_back(state, pool) || pool.has_untried(tried_of(state));
}

}  // namespace

void push_tried(ConnectState& state, uint32_t slot) {
  if (state.tried_count < state.tried.size()) {
    state.tried[state.tried_count++] = static_cast<uint16_t>(slot);
  }
}

table::TriedTargets tried_of(const ConnectState& state) {
  table::TriedTargets tried;
  for (uint32_t i = 0; i < state.tried_count; i++) tried.push(state.tried[i]);
  return tried;
}

void release_target(TcpContext& context, TcpConnection& connection) {
  connection.target.fd.reset();
  connection.target = Side{};
  release_place(context, connection);
}

void note_failure(TcpContext& context, TcpConnection& connection, os::ConnectOutcome outcome) {
  ConnectState& state = connection.connecting;
  release_target(context, connection);
  state.failures++;
  state.last_timed_out = outcome.fault == os::ConnectFault::timed_out;
  state.last_local = outcome.fault == os::ConnectFault::local;
  count_failure(context.target_row(connection), outcome.fault);
  // A shortage of ours says nothing about the target.
  if (outcome.fault != os::ConnectFault::local) {
    shared::note_failure(context.links.turns[connection.target_slot].response_us);
  }
  push_failure(context, connection,
               {.failure = static_cast<ConnectFailure>(outcome.fault), .error = outcome.error});
}

void push_failure(TcpContext& context, const TcpConnection& connection, const Failure& failure) {
  shared::Event event{};
  event.type = static_cast<uint16_t>(shared::EventType::connect_failed);
  event.code = static_cast<uint16_t>(failure.failure);
  event.slot = connection.target_slot;
  event.target_slot = connection.target_slot;
  event.error = failure.error;
  std::copy_n(connection.client_address.ip, sizeof(event.client_ip), event.client_ip);
  event.client_port = connection.client_address.port;
  context.push_event(event);
}

NextTry plan_retry(TcpContext& context, TcpConnection& connection, const table::Pool& pool) {
  ConnectState& state = connection.connecting;
  const bool goes_back = may_go_back(state, pool);
  if (!goes_back) push_tried(state, connection.target_slot);
  bool tries_again = retries_left(state, pool);
  if (tries_again && !context.links.retries.take(pool.slot, pool.retry_rules, context.now_ns())) {
    shared::add(context.listener_row(connection).connect_retries_refused, 1);
    tries_again = false;
  }
  state.same_next = goes_back && tries_again;
  // A shortage of ours says nothing about the target.
  if (!state.same_next && !state.last_local) forget_target(context, connection, pool);
  if (!tries_again) return NextTry::none;
  return pool.backoff.max_ms > 0 ? NextTry::later : NextTry::now;
}

NextTry plan_replay(TcpContext& context, TcpConnection& connection, const table::Pool& pool) {
  ConnectState& state = connection.connecting;
  state.failures++;
  state.last_timed_out = false;
  state.last_local = false;
  return plan_retry(context, connection, pool);
}

bool back_off(TcpContext& context, TcpConnection& connection, const table::Pool& pool) {
  if (client_has_left(connection)) {
    connection.reason = CloseReason::client_closed;
    return false;
  }
  connection.phase = ConnectionPhase::backing_off;
  connection.changed_ns = context.now_ns();
  // Never longer than the try itself may take.
  const table::Backoff rules{
      .base_ms = pool.backoff.base_ms,
      .max_ms = std::min(pool.backoff.max_ms, connection.connect_timeout_ms)};
  const uint64_t delay_ns = retry_delay_ns(rules, connection.connecting.failures,
                                           policy::next_random(context.cursors[pool.slot]));
  context.links.wheel.arm(connection, context.now_ns() + delay_ns);
  return true;
}

}  // namespace sluice::tcp
