// Ends of connections. Every opened connection passes end_connection() once.
#include "tcp/connection_end.h"

#include <algorithm>

#include "os/check.h"
#include "os/socket.h"
#include "shared/response_time.h"
#include "tcp/pump_turn.h"
#include "tcp/tcp_context.h"
#include "tcp/turn_clock.h"

namespace sluice::tcp {

using shared::CloseReason;

namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;
// How long a client may go on sending after everything that it was sent has been acknowledged:
// nginx's lingering_timeout.
constexpr uint64_t kLingerNs = 5'000 * kMillisecondNs;
// Without a half_close timeout: how long acknowledgements may make no progress.
constexpr uint64_t kStallNs = 30'000 * kMillisecondNs;
// Progress or not. What is left to deliver fits a socket buffer.
constexpr uint64_t kDeliveryNsMax = 600'000 * kMillisecondNs;
// The kernel has no event for "everything acknowledged". A healthy peer does it in a round trip,
// and a crowd of stalled ones must not cost us more than one look per second each.
constexpr uint32_t kPollMsMin = 8;
constexpr uint32_t kPollMsMax = 1000;

void leave_ready_list(TcpContext& context, TcpConnection& connection) {
  if (!connection.in_ready_list) return;
  connection.in_ready_list = false;
  context.ready.remove(connection);
  context.ready_count--;
}

void say_farewell(Side& side, Farewell farewell) {
  if (!side.fd.valid()) return;
  if (farewell == Farewell::reset) {
    os::abort_connection(std::move(side.fd));
  } else {
    side.fd.reset();
  }
}

// Did the target end it without a word, as one does that takes connections only to throw them away?
// A close says that only to a client that had asked; a reset always does.
bool failed_unheard(const TcpConnection& connection) {
  if (connection.to_client.moved_bytes != 0) return false;
  return connection.reason == CloseReason::target_reset ||
         (connection.reason == CloseReason::target_closed && connection.to_target.moved_bytes != 0);
}

uint64_t age_ms(const TcpContext& context, const TcpConnection& connection) {
  return (context.now_ns() - connection.accepted_ns) / kMillisecondNs;
}

void count_end(TcpContext& context, const TcpConnection& connection) {
  shared::ListenerCounters& listener = context.listener_row(connection);
  shared::add(listener.connections_closed, 1);
  shared::add(listener.closed_by_reason[static_cast<size_t>(connection.reason)], 1);
  shared::count_end(context.links.ends[connection.listener_slot], age_ms(context, connection),
                    connection.to_target.moved_bytes, connection.to_client.moved_bytes);
  shared::subtract(context.links.counters.connections_open, 1);
  // Relaxed: a count that other workers compare with a limit; it orders nothing else.
  context.links.listener_active[connection.listener_slot].fetch_sub(1, std::memory_order_relaxed);
  if (connection.target_claimed) {
    context.links.active[connection.target_slot].fetch_sub(1, std::memory_order_relaxed);
    context.links.waiting.offer_place(context.links.worker_index, connection.pool_slot);
  }
  if (connection.target_connected) {
    shared::TargetCounters& target = context.target_row(connection);
    shared::add(target.connections_closed, 1);
    if (connection.reason == CloseReason::target_reset) shared::add(target.resets, 1);
    if (failed_unheard(connection)) {
      shared::note_failure(context.links.turns[connection.target_slot].response_us);
    }
    if (connection.reason == CloseReason::closed_by_operator) {
      shared::add(target.closed_by_operator, 1);
    }
  }
}

void record_end(TcpContext& context, const TcpConnection& connection) {
  shared::Event event{};
  event.type = static_cast<uint16_t>(shared::EventType::connection_closed);
  event.code = static_cast<uint16_t>(connection.reason);
  event.slot = connection.listener_slot;
  event.target_slot = connection.target_connected ? connection.target_slot : shared::kNoSlot;
  std::copy_n(connection.client_address.ip, sizeof(event.client_ip), event.client_ip);
  event.client_port = connection.client_address.port;
  event.connect_us = connection.connect_us;
  event.duration_ms = static_cast<uint32_t>(age_ms(context, connection));
  event.id = connection.waited_ms;
  event.index = connection.replays;
  event.to_target_bytes = connection.to_target.moved_bytes;
  event.to_client_bytes = connection.to_client.moved_bytes;
  context.push_event(event);
}

// Would this direction's destination miss bytes if both sockets were closed now?
bool would_cut(const Pump& pump, const Side& from) {
  if (pump.holds_unsent()) return true;
  return pump.source == SourceState::open && from.fd.valid() && os::unread_bytes(from.fd.get()) > 0;
}

void begin_delivery(TcpContext& context, TcpConnection& connection, Survivor survivor,
                    CloseReason reason) {
  connection.survivor_is_client = survivor == Survivor::client;
  if (connection.reason == CloseReason{}) connection.reason = reason;
  SLUICE_CHECK(!connection.to_target.keeps());
  Side& gone = connection.survivor_is_client ? connection.target : connection.client;
  say_farewell(gone, Farewell::reset);
  drop_unsent(connection.survivor_is_client ? connection.to_target : connection.to_client,
              context.tools);
  leave_ready_list(context, connection);
  connection.delivery = {.begun_ns = context.now_ns(),
                         .progress_ns = context.now_ns(),
                         .unacknowledged_bytes = UINT32_MAX,
                         .poll_ms = kPollMsMin};
  abandon_turn(context, connection);
}

// Reads away what the survivor still sends.
void discard(TcpContext& context, TcpConnection& connection) {
  Pump& pump = connection.survivor_is_client ? connection.to_target : connection.to_client;
  Side& gone = connection.survivor_is_client ? connection.target : connection.client;
  const PumpTurn turn = run_pump<os::RealSys>(pump, connection.survivor(), gone, context.tools);
  if (pump.source != SourceState::open) {
    end_connection(context, connection, connection.reason, Farewell::fin);
  } else if (turn.budget_used) {
    context.add_ready(connection);
  }
}

uint64_t stall_limit_ns(const TcpConnection& connection) {
  if (connection.half_close_timeout_ms == 0) return kStallNs;
  return std::min(connection.half_close_timeout_ms * kMillisecondNs, kStallNs);
}

// Everything that the survivor was sent has reached it.
void delivered(TcpContext& context, TcpConnection& connection) {
  const DeliveryState& delivery = connection.delivery;
  if (connection.phase == ConnectionPhase::resetting) {
    end_connection(context, connection, connection.reason, Farewell::reset);
  } else if (!connection.survivor_is_client) {
    // Nobody is left to read a target's answer, so the target may know at once. A client gets time:
    // some systems throw away what they have received when a reset comes.
    end_connection(context, connection, connection.reason, Farewell::reset);
  } else if (context.now_ns() - delivery.progress_ns >=
             std::min(kLingerNs, stall_limit_ns(connection))) {
    end_connection(context, connection, connection.reason, Farewell::fin);
  }
}

}  // namespace

void end_connection(TcpContext& context, TcpConnection& connection, CloseReason reason,
                    Farewell farewell) {
  SLUICE_CHECK(connection.phase != ConnectionPhase::closed);
  if (connection.reason == CloseReason{}) connection.reason = reason;
  if (connection.phase == ConnectionPhase::waiting) context.waiting.remove(connection);
  drop_unsent(connection.to_target, context.tools);
  drop_unsent(connection.to_client, context.tools);
  say_farewell(connection.client, farewell);
  say_farewell(connection.target, farewell);
  if (connection.armed()) context.links.wheel.cancel(connection);
  leave_ready_list(context, connection);
  context.open.remove(connection);
  context.open_count--;
  context.closed.push_back(connection);
  connection.phase = ConnectionPhase::closed;
  abandon_turn(context, connection);
  count_end(context, connection);
  if (connection.access_log) record_end(context, connection);
  context.place_freed = true;
}

void refuse_connection(TcpContext& context, TcpConnection& connection, CloseReason reason) {
  connection.reason = reason;
  say_farewell(connection.client, Farewell::reset);
  connection.phase = ConnectionPhase::closed;
  count_end(context, connection);
  if (connection.access_log) record_end(context, connection);
}

void cut_connection(TcpContext& context, TcpConnection& connection, CloseReason reason) {
  if (connection.phase != ConnectionPhase::forwarding) {
    end_connection(context, connection, reason, Farewell::reset);
    return;
  }
  // Both are judged before either is closed.
  const bool cuts_client = would_cut(connection.to_client, connection.target);
  const bool cuts_target = would_cut(connection.to_target, connection.client);
  if (cuts_client) say_farewell(connection.client, Farewell::reset);
  if (cuts_target) say_farewell(connection.target, Farewell::reset);
  end_connection(context, connection, reason, Farewell::fin);
}

void begin_resetting(TcpContext& context, TcpConnection& connection, Survivor survivor,
                     CloseReason reason) {
  begin_delivery(context, connection, survivor, reason);
  connection.phase = ConnectionPhase::resetting;
  check_delivery(context, connection);
}

void begin_lingering(TcpContext& context, TcpConnection& connection, Survivor survivor,
                     CloseReason reason) {
  begin_delivery(context, connection, survivor, reason);
  connection.phase = ConnectionPhase::lingering;
  check_delivery(context, connection);
  if (connection.phase == ConnectionPhase::lingering) discard(context, connection);
}

void survivor_event(TcpContext& context, TcpConnection& connection, uint32_t events) {
  connection.survivor().note(events);
  if (connection.phase == ConnectionPhase::lingering) {
    discard(context, connection);
  } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    end_connection(context, connection, connection.reason, Farewell::fin);
  }
  if (connection.phase != ConnectionPhase::closed) check_delivery(context, connection);
}

void check_delivery(TcpContext& context, TcpConnection& connection) {
  DeliveryState& delivery = connection.delivery;
  const uint64_t now_ns = context.now_ns();
  const auto underway =
      static_cast<uint32_t>(os::unacknowledged_bytes(connection.survivor().fd.get()));
  if (underway != delivery.unacknowledged_bytes) {
    delivery.unacknowledged_bytes = underway;
    delivery.progress_ns = now_ns;
  }
  if (underway == 0) {
    delivered(context, connection);
  } else if (now_ns - delivery.progress_ns >= stall_limit_ns(connection) ||
             now_ns - delivery.begun_ns >= kDeliveryNsMax) {
    end_connection(context, connection, connection.reason, Farewell::reset);
  }
  if (connection.phase == ConnectionPhase::closed) return;
  context.links.wheel.arm(connection, now_ns + delivery.poll_ms * kMillisecondNs);
  delivery.poll_ms = std::min(delivery.poll_ms * 2, kPollMsMax);
}

}  // namespace sluice::tcp
