// Picking a target and connecting to it, as often as the pool allows.
#include "tcp/connector.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "os/connect.h"
#include "os/socket.h"
#include "shared/response_time.h"
#include "table/sticky_pick.h"
#include "tcp/tcp_context.h"

namespace sluice::tcp {

using shared::CloseReason;

namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;

bool is_out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// nullptr: it has left the table.
const table::Pool* pool_of(const TcpContext& context, const TcpConnection& connection) {
  return context.pool_at(connection.pool_slot, connection.connecting.pool_tenancy);
}

// The count is raised first and looked at after: of several workers that want the last place, at
// most one gets it. Relaxed: it is a count and orders nothing else.
bool claim_place(TcpContext& context, const table::Target& target) {
  std::atomic<uint32_t>& active = context.links.active[target.slot];
  const uint32_t before = active.fetch_add(1, std::memory_order_relaxed);
  if (target.max_connections == 0 || before < target.max_connections) return true;
  active.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

os::TcpOptions options_of(const table::SocketOptions& options) {
  return {.nodelay = options.nodelay,
          .user_timeout_ms = options.user_timeout_ms,
          .keepalive_idle_s = options.keepalive_idle_s,
          .keepalive_interval_s = options.keepalive_interval_s,
          .keepalive_count = options.keepalive_count};
}

// A limit that could be met before the options are set cannot wait.
bool liveness_may_wait(const os::TcpOptions& options) {
  const auto may_wait = [](uint64_t limit_ms) {
    constexpr uint64_t kLatestNs = kLivenessDelayNs + kLivenessSpreadNs;
    return limit_ms == 0 || limit_ms * kMillisecondNs >= 2 * kLatestNs;
  };
  return may_wait(options.user_timeout_ms) && may_wait(options.keepalive_idle_s * uint64_t{1000});
}

// From the pool's source addresses in turn. One that has no port left towards this target is
// skipped: another may have.
os::ConnectStart start_from_sources(TcpContext& context, TcpConnection& connection,
                                    const table::Pool& pool, const table::Target& target) {
  os::TcpOptions options = options_of(pool.target_options);
  options.data_follows =
      connection.to_target.holds_unsent() || os::unread_bytes(connection.client.fd.get()) > 0;
  options.liveness_later = liveness_may_wait(options);
  connection.target_liveness_due = options.liveness_later && target.address.family() != AF_UNIX;
  std::optional<os::ConnectStart> last;
  uint32_t& position = context.source_positions[pool.slot];
  for (size_t i = 0; i < pool.sources.size(); i++) {
    const os::Address& source = pool.sources[position++ % pool.sources.size()];
    if (source.family() != target.address.family()) continue;
    last = os::connect_start(target.address, &source, options);
    if (last->outcome.error != EADDRNOTAVAIL) return std::move(*last);
  }
  if (last.has_value()) return std::move(*last);
  // No source of the target's family: the kernel chooses.
  return os::connect_start(target.address, nullptr, options);
}

void note_claimed(TcpConnection& connection, uint32_t slot) {
  ConnectState& state = connection.connecting;
  // It was to go back to where it had failed, and that is full or out of rotation: it is given up.
  if (state.same_next && slot != connection.target_slot) push_tried(state, connection.target_slot);
  state.same_next = false;
  connection.target_slot = slot;
  connection.target_claimed = true;
}

// The target of the try before, if it may still be picked and has a place.
const table::Target* claim_same(TcpContext& context, TcpConnection& connection,
                                const table::Pool& pool) {
  const table::Target* same = context.table->target_at(connection.target_slot);
  if (same == nullptr || !pool.has_candidate(same->slot)) return nullptr;
  if (!claim_place(context, *same)) return nullptr;
  note_claimed(connection, same->slot);
  return same;
}

ConnectProgress give_up(TcpConnection& connection) {
  const ConnectState& state = connection.connecting;
  if (state.failures == 0) {
    connection.reason = CloseReason::no_target;
  } else if (state.last_local) {
    connection.reason = CloseReason::local_error;
  } else if (state.last_timed_out) {
    connection.reason = CloseReason::connect_timeout;
  } else {
    connection.reason = CloseReason::connect_failed;
  }
  return ConnectProgress::failed;
}

ConnectProgress note_connected(TcpContext& context, TcpConnection& connection) {
  // The connect of this try, not of the earlier ones: it is the target's latency.
  const uint64_t took_us = (context.now_ns() - connection.changed_ns) / 1000;
  connection.connect_us = static_cast<uint32_t>((context.now_ns() - connection.accepted_ns) / 1000);
  connection.target_connected = true;
  shared::add(context.target_row(connection).connections_opened, 1);
  shared::count(context.links.connects[connection.target_slot], took_us);
  shared::TurnSignals& signals = context.links.turns[connection.target_slot];
  if (!signals.measured.load(std::memory_order_relaxed)) {
    shared::note_response(signals.response_us, took_us);
  }
  context.waiting.note_reached(connection.pool_slot);
  return ConnectProgress::connected;
}

// Who is at the other end of the try's socket. Only an event of an earlier try's socket can come
// too early, and only a socket with the target's own port can have met itself: one question settles
// it for nearly every connection.
os::FarEnd far_end_of(const TcpContext& context, const TcpConnection& connection) {
  const int fd = connection.target.fd.get();
  const table::Target* target = context.table->target_at(connection.target_slot);
  const bool is_first_try = connection.connecting.failures == 0;
  if (is_first_try && target != nullptr && os::local_address(fd).port() != target->address.port()) {
    return os::FarEnd::other;
  }
  return os::far_end(fd);
}

// One try. `pending` and `connected` as they say; `failed`: noted, another may follow.
ConnectProgress try_target(TcpContext& context, TcpConnection& connection, const table::Pool& pool,
                           const table::Target& target) {
  os::ConnectStart start = start_from_sources(context, connection, pool, target);
  connection.changed_ns = context.now_ns();
  if (start.outcome.state == os::ConnectState::failed) {
    if (is_out_of_descriptors(start.outcome.error)) context.out_of_descriptors = true;
    note_failure(context, connection, start.outcome);
    return ConnectProgress::failed;
  }
  connection.target.fd = std::move(start.fd);
  connection.target.read_to_end = target.address.family() == AF_UNIX;
  const auto token =
      os::EpollToken::of(&connection, static_cast<uint8_t>(shared::TokenKind::tcp_target));
  const auto added = context.links.epoll.add(connection.target.fd.get(), kSideEvents, token);
  if (added.failed()) {
    note_failure(context, connection,
                 {os::ConnectState::failed, added.error, os::ConnectFault::local});
    return ConnectProgress::failed;
  }
  if (start.outcome.state == os::ConnectState::connected) {
    return note_connected(context, connection);
  }
  context.links.wheel.arm(connection,
                          context.now_ns() + connection.connect_timeout_ms * kMillisecondNs);
  return ConnectProgress::pending;
}

// No try follows at once. The connection may wait, for a place when the targets that it may still
// try are all at their limits, or for a target when there is none that can be reached.
ConnectProgress wait_or_give_up(TcpContext& context, TcpConnection& connection,
                                const table::Pool* pool, bool may_try) {
  if (pool == nullptr || context.out_of_descriptors) return give_up(connection);
  const std::optional<WaitReason> reason = reason_to_wait(*pool, connection.connecting, may_try);
  if (!reason.has_value()) return give_up(connection);
  return context.waiting.wait_for(*reason, *pool, connection);
}

ConnectProgress back_off_or_give_up(TcpContext& context, TcpConnection& connection,
                                    const table::Pool& pool) {
  return back_off(context, connection, pool) ? ConnectProgress::pending : ConnectProgress::failed;
}

// Tries until one is under way, a pause is, or none is left. `claimed`: the first one to try.
ConnectProgress try_next(TcpContext& context, TcpConnection& connection, const table::Pool* pool,
                         const table::Target* claimed = nullptr) {
  while (pool != nullptr) {
    const table::Target* target =
        claimed != nullptr ? claimed : claim_target(context, connection, *pool);
    claimed = nullptr;
    if (target == nullptr) break;
    if (connection.connecting.failures > 0) {
      shared::add(context.listener_row(connection).connect_retries, 1);
    }
    const ConnectProgress progress = try_target(context, connection, *pool, *target);
    if (progress != ConnectProgress::failed) return progress;
    // The next socket would not be made either.
    if (context.out_of_descriptors) break;
    switch (plan_retry(context, connection, *pool)) {
      case NextTry::now:
        break;
      case NextTry::later:
        return back_off_or_give_up(context, connection, *pool);
      case NextTry::none:
        return wait_or_give_up(context, connection, pool, false);
    }
  }
  return wait_or_give_up(context, connection, pool, true);
}

// The try under way has failed, and that has been noted.
ConnectProgress after_failure(TcpContext& context, TcpConnection& connection) {
  const table::Pool* pool = pool_of(context, connection);
  if (pool == nullptr) return give_up(connection);
  return connect_again(context, connection, plan_retry(context, connection, *pool));
}

// Behind those who wait already, or at once.
ConnectProgress wait_or_try(TcpContext& context, TcpConnection& connection,
                            const table::Pool* pool) {
  if (pool != nullptr && context.waiting.must_wait(*pool)) {
    return context.waiting.wait_behind(*pool, connection);
  }
  return try_next(context, connection, pool);
}

}  // namespace

uint64_t liveness_due_ns(const TcpConnection& connection) {
  // By the place in the slab, which neighbours in time do not share (Knuth's multiplicative hash).
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
  const auto place = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(&connection));
  const uint64_t spread_ns = (place * kGolden) >> 32U;
  static_assert(kLivenessSpreadNs == uint64_t{1} << 32U);
  return connection.accepted_ns + kLivenessDelayNs + spread_ns;
}

void set_target_liveness(TcpContext& context, TcpConnection& connection) {
  connection.target_liveness_due = false;
  // A pool that has left the table has its connections closed before a peer could vanish for long.
  const table::Pool* pool = pool_of(context, connection);
  if (pool == nullptr) return;
  // An option that this kernel lacks is reported once, by features; it stops no connection.
  static_cast<void>(os::set_liveness(connection.target.fd.get(), options_of(pool->target_options)));
}

const table::Target* claim_target(TcpContext& context, TcpConnection& connection,
                                  const table::Pool& pool) {
  if (connection.connecting.same_next) {
    const table::Target* same = claim_same(context, connection, pool);
    if (same != nullptr) return same;
  }
  os::ClientAddress destination;
  if (pool.asks_for_destination()) {
    const os::Address local = os::local_address(connection.client.fd.get());
    destination = os::ClientAddress::from(local.get(), local.bytes());
  }
  const table::Arrival arrival{.client = connection.client_address, .destination = destination};
  table::TriedTargets passed = tried_of(connection.connecting);
  // Each miss adds one to those passed over, so this ends.
  while (passed.count < std::size(passed.slots)) {
    const uint32_t slot = table::pick_or_stick(
        context.links, {*context.table, pool, arrival, passed}, context.cursors[pool.slot]);
    if (slot == policy::kNoPick) return nullptr;
    const table::Target* target = context.table->target_at(slot);
    if (target != nullptr && claim_place(context, *target)) {
      note_claimed(connection, slot);
      return target;
    }
    // Another worker was quicker to the last place.
    passed.push(slot);
  }
  return nullptr;
}

ConnectProgress connect_claimed(TcpContext& context, TcpConnection& connection,
                                const table::Target& target) {
  return try_next(context, connection, pool_of(context, connection), &target);
}

ConnectProgress connect_to_target(TcpContext& context, TcpConnection& connection) {
  const table::Pool* pool = pool_of(context, connection);
  if (pool != nullptr && pool->retry_rules.bounded()) {
    context.links.retries.note_connection(pool->slot, context.now_ns());
  }
  return wait_or_try(context, connection, pool);
}

ConnectProgress connect_after_pause(TcpContext& context, TcpConnection& connection) {
  connection.phase = ConnectionPhase::connecting;
  return wait_or_try(context, connection, pool_of(context, connection));
}

ConnectProgress connect_again(TcpContext& context, TcpConnection& connection, NextTry next) {
  const table::Pool* pool = pool_of(context, connection);
  if (pool == nullptr) return give_up(connection);
  switch (next) {
    case NextTry::now:
      return try_next(context, connection, pool);
    case NextTry::later:
      return back_off_or_give_up(context, connection, *pool);
    case NextTry::none:
      break;
  }
  return wait_or_give_up(context, connection, pool, false);
}

ConnectProgress connect_event(TcpContext& context, TcpConnection& connection, uint32_t events) {
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return ConnectProgress::pending;
  const int fd = connection.target.fd.get();
  // An error that waits on the socket would be among the events.
  constexpr os::ConnectOutcome kNoError{os::ConnectState::connected, 0, os::ConnectFault::none};
  const bool in_error = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const os::ConnectOutcome outcome = in_error ? os::connect_result(fd) : kNoError;
  if (outcome.state == os::ConnectState::failed) {
    if (outcome.fault == os::ConnectFault::reset && os::unread_bytes(fd) > 0) {
      // It had accepted, said something and reset before we looked: that is an answer, to be
      // delivered like any other. The question above has taken the error from the socket.
      connection.target.note(events);
      connection.target.write_error = static_cast<int16_t>(outcome.error);
      return note_connected(context, connection);
    }
    note_failure(context, connection, outcome);
    return after_failure(context, connection);
  }
  switch (far_end_of(context, connection)) {
    case os::FarEnd::none:
      // An event that was fetched for an earlier try's socket proves nothing about this one.
      return ConnectProgress::pending;
    case os::FarEnd::itself:
      // Nobody listens there. Aborted, so that the target can have its port back at once.
      os::abort_connection(std::move(connection.target.fd));
      note_failure(context, connection,
                   {os::ConnectState::failed, ECONNREFUSED, os::ConnectFault::refused});
      return after_failure(context, connection);
    case os::FarEnd::other:
      break;
  }
  connection.target.note(events);
  return note_connected(context, connection);
}

ConnectProgress connect_deadline(TcpContext& context, TcpConnection& connection) {
  const uint64_t deadline_ns =
      connection.changed_ns + connection.connect_timeout_ms * kMillisecondNs;
  if (context.now_ns() < deadline_ns) {
    context.links.wheel.arm(connection, deadline_ns);
    return ConnectProgress::pending;
  }
  note_failure(context, connection,
               {os::ConnectState::failed, ETIMEDOUT, os::ConnectFault::timed_out});
  return after_failure(context, connection);
}

}  // namespace sluice::tcp
