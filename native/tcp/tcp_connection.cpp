// Where the bytes go: one turn of a connection, and what follows when a direction ends.
//   FIN from one side    flush what it sent, FIN to the other; the other direction lives on
//   RST from one side    deliver what it had sent, then RST to the other
//   a side takes no more deliver what it still says; throw away what the other sends to it
#include "tcp/tcp_connection.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "tcp/connection_end.h"
#include "tcp/connector.h"
#include "tcp/pump_turn.h"
#include "tcp/replay.h"
#include "tcp/tcp_context.h"
#include "tcp/turn_clock.h"

namespace sluice::tcp {

using shared::CloseReason;

namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;
// A write that fails makes the other direction worth another look, at most once per side.
constexpr int kRoundsMax = 3;

void count_moved(TcpContext& context, const TcpConnection& connection, size_t to_target_bytes,
                 size_t to_client_bytes) {
  shared::ListenerCounters& listener = context.listener_row(connection);
  shared::TargetCounters& target = context.target_row(connection);
  if (to_target_bytes > 0) {
    shared::add(listener.to_target_bytes, to_target_bytes);
    shared::add(target.to_target_bytes, to_target_bytes);
  }
  if (to_client_bytes > 0) {
    shared::add(listener.to_client_bytes, to_client_bytes);
    shared::add(target.to_client_bytes, to_client_bytes);
  }
}

CloseReason failure_reason(int error, CloseReason reset) {
  switch (error) {
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      return reset;
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENONET:
      return CloseReason::peer_timeout;
    default:
      return CloseReason::local_error;
  }
}

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

struct Deadline {
  uint64_t at_ns = kNever;
  CloseReason reason{};

  void consider(uint64_t from_ns, uint32_t timeout_ms, CloseReason why) {
    if (timeout_ms == 0) return;
    const uint64_t candidate_ns = from_ns + timeout_ms * kMillisecondNs;
    if (candidate_ns < at_ns) *this = {candidate_ns, why};
  }
};

// Idle means that no byte was written either way, so a reader that has stalled is idle too. Half
// closed, the stricter of the two limits holds.
Deadline next_deadline(const TcpConnection& connection) {
  const uint64_t moved_ns = std::max({connection.to_target.last_moved_ns,
                                      connection.to_client.last_moved_ns, connection.changed_ns});
  Deadline deadline;
  deadline.consider(moved_ns, connection.idle_timeout_ms, CloseReason::idle_timeout);
  if (connection.half_closed()) {
    deadline.consider(moved_ns, connection.half_close_timeout_ms, CloseReason::half_close_timeout);
  }
  deadline.consider(connection.accepted_ns, connection.lifetime_ms, CloseReason::lifetime);
  return deadline;
}

void arm_deadline(TcpContext& context, TcpConnection& connection) {
  uint64_t at_ns = next_deadline(connection).at_ns;
  if (connection.target_liveness_due) {
    at_ns = std::min(at_ns, liveness_due_ns(connection));
  }
  if (at_ns == kNever) return;
  context.links.wheel.arm(connection, at_ns);
}

// The source has sent FIN and everything before it is written: the sink gets its FIN.
void pass_fin(TcpContext& context, TcpConnection& connection, Pump& pump, const Pump& opposite,
              Side& to, CloseReason who) {
  if (pump.source != SourceState::ended) return;
  if (connection.first_closed == CloseReason{}) connection.first_closed = who;
  if (pump.sink != SinkState::open || pump.holds_unsent()) return;
  // The last one: close() follows at once and sends it.
  if (opposite.source == SourceState::ended && opposite.over()) return;
  pump.sink = SinkState::shut;
  // Fails when the sink was reset in the meantime; reading from it will tell.
  if (os::RealSys::shutdown_write(to.fd.get()).failed()) {
    pump.sink = SinkState::failed;
    to.readable = true;
    to.read_to_end = true;
  }
  connection.changed_ns = context.now_ns();
  arm_deadline(context, connection);
}

// One side of a connection as the consequences below see it: `inward` reads it, `outward` writes.
struct View {
  const Side& socket;
  const Pump& inward;
  const Pump& outward;
  Survivor other;
  CloseReason reset;
};

// True when the connection is past forwarding, as from the next ones. A write that failed on our
// side (no memory) leaves a socket that lives on with a hole in its stream.
bool pass_local_error(TcpContext& context, TcpConnection& connection, const View& side) {
  const int error = side.socket.write_error;
  if (error == 0 || failure_reason(error, side.reset) != CloseReason::local_error) return false;
  end_connection(context, connection, CloseReason::local_error, Farewell::reset);
  return true;
}

bool pass_failure(TcpContext& context, TcpConnection& connection, const View& side) {
  // Before it failed it may have sent bytes that the other side has not taken yet.
  if (side.inward.source != SourceState::failed || !side.inward.over()) return false;
  const CloseReason reason = failure_reason(side.inward.error, side.reset);
  if (side.inward.sink == SinkState::failed) {
    end_connection(context, connection, reason, Farewell::reset);
  } else {
    begin_resetting(context, connection, side.other, reason);
  }
  return true;
}

// The side sends nothing more and takes nothing more, the other one still sends.
bool pass_departure(TcpContext& context, TcpConnection& connection, const View& side) {
  if (side.outward.sink != SinkState::failed || side.outward.source != SourceState::open) {
    return false;
  }
  if (!side.inward.over()) return false;
  begin_lingering(context, connection, side.other, connection.first_closed);
  return true;
}

// Draws the consequences of what the pumps have met. True when the connection is past forwarding.
bool settle(TcpContext& context, TcpConnection& connection) {
  Pump& to_target = connection.to_target;
  Pump& to_client = connection.to_client;
  pass_fin(context, connection, to_target, to_client, connection.target,
           CloseReason::client_closed);
  pass_fin(context, connection, to_client, to_target, connection.client,
           CloseReason::target_closed);
  const View client{connection.client, to_target, to_client, Survivor::target,
                    CloseReason::client_reset};
  const View target{connection.target, to_client, to_target, Survivor::client,
                    CloseReason::target_reset};
  if (pass_local_error(context, connection, client)) return true;
  if (pass_local_error(context, connection, target)) return true;
  if (pass_failure(context, connection, client)) return true;
  if (pass_failure(context, connection, target)) return true;
  if (to_target.over() && to_client.over()) {
    // Both inputs are read to their ends, so close() cuts nothing: the kernel delivers the rest.
    end_connection(context, connection, connection.first_closed, Farewell::fin);
    return true;
  }
  return pass_departure(context, connection, client) || pass_departure(context, connection, target);
}

}  // namespace

void begin_forwarding(TcpContext& context, TcpConnection& connection) {
  connection.phase = ConnectionPhase::forwarding;
  connection.changed_ns = context.now_ns();
  // Not known, only likely: a write that finds no room says so, and an event follows.
  connection.client.writable = true;
  connection.target.writable = true;
  // The connect deadline is still armed; another one, or none, takes its place.
  if (connection.armed()) context.links.wheel.cancel(connection);
  arm_deadline(context, connection);
  forward(context, connection);
}

void forward(TcpContext& context, TcpConnection& connection) {
  Side& client = connection.client;
  Side& target = connection.target;
  bool budget_used = false;
  for (int round = 0; round < kRoundsMax; round++) {
    const PumpTurn up = run_pump<os::RealSys>(connection.to_target, client, target, context.tools);
    const PumpTurn down =
        run_pump<os::RealSys>(connection.to_client, target, client, context.tools);
    count_moved(context, connection, up.moved_bytes(), down.moved_bytes());
    if (up.moved_bytes() + down.moved_bytes() > 0) {
      note_turn(context, connection, up.moved_bytes() > 0, down.moved_bytes() > 0);
    }
    if (connection.to_target.keeps() && replay_or_settle(context, connection)) return;
    // A target that has ended its stream answers nothing more.
    if (connection.turn.waiting() && connection.to_client.over()) {
      abandon_turn(context, connection);
    }
    if (settle(context, connection)) return;
    budget_used = up.budget_used || down.budget_used;
    if (budget_used) break;
    if (!connection.to_target.can_move(client, target) &&
        !connection.to_client.can_move(target, client)) {
      return;
    }
  }
  context.add_ready(connection);
}

void check_deadlines(TcpContext& context, TcpConnection& connection) {
  if (connection.target_liveness_due && liveness_due_ns(connection) <= context.now_ns()) {
    set_target_liveness(context, connection);
  }
  const Deadline deadline = next_deadline(connection);
  if (deadline.at_ns > context.now_ns()) {
    arm_deadline(context, connection);
    return;
  }
  cut_connection(context, connection, deadline.reason);
}

}  // namespace sluice::tcp
