// Whether a target has ended a connection unheard, and the way to another one.
#include "tcp/replay.h"

#include <cerrno>

#include "shared/response_time.h"
#include "tcp/admission.h"
#include "tcp/keep_pump.h"
#include "tcp/retry.h"
#include "tcp/tcp_context.h"
#include "tcp/turn_clock.h"

namespace sluice::tcp {

namespace {

// The client has been told nothing yet, and is there to be told.
bool is_open_question(const TcpConnection& connection) {
  const Pump& answer = connection.to_client;
  return answer.moved_bytes == 0 && !answer.holds_unsent() && answer.sink == SinkState::open &&
         connection.to_target.source != SourceState::failed;
}

// By FIN or RST. A host that has vanished, or a failure of ours, is another matter.
bool has_ended(const Pump& answer) {
  return answer.source == SourceState::ended ||
         (answer.source == SourceState::failed &&
          (answer.error == ECONNRESET || answer.error == EPIPE || answer.error == ECONNABORTED));
}

// A client that says nothing and leaves is no question: ending it is the right answer.
bool has_asked_nothing(const Pump& to_target) {
  return to_target.source == SourceState::ended && to_target.stash_end == 0;
}

// For passive health and for the log, whether another try follows or not.
void tell_unanswered(TcpContext& context, const TcpConnection& connection) {
  push_failure(
      context, connection,
      {.failure = shared::ConnectFailure::unanswered, .error = connection.to_client.error});
}

// The connection has no target any more, as before its first try.
void leave_target(TcpContext& context, TcpConnection& connection) {
  shared::TargetCounters& row = context.target_row(connection);
  shared::add(row.connections_closed, 1);
  shared::add(row.ended_unanswered, 1);
  shared::add(context.listener_row(connection).replays, 1);
  // Not a response time: the next target's turn begins when it is sent the client's bytes.
  abandon_turn(context, connection);
  shared::note_failure(context.links.turns[connection.target_slot].response_us);
  release_target(context, connection);
  connection.target_connected = false;
  connection.target_liveness_due = false;
  connection.to_client = Pump{};
  rewind_kept(connection.to_target);
  connection.first_closed = {};
  connection.replays++;
  if (connection.armed()) context.links.wheel.cancel(connection);
  connection.phase = ConnectionPhase::connecting;
}

}  // namespace

bool replay_or_settle(TcpContext& context, TcpConnection& connection) {
  Pump& question = connection.to_target;
  const Pump& answer = connection.to_client;
  const bool ended = has_ended(answer);
  if (is_open_question(connection) && ended && !has_asked_nothing(question)) {
    tell_unanswered(context, connection);
    const table::Pool* pool =
        context.pool_at(connection.pool_slot, connection.connecting.pool_tenancy);
    const NextTry next = pool == nullptr ? NextTry::none : plan_replay(context, connection, *pool);
    if (next != NextTry::none) {
      leave_target(context, connection);
      after_connect(context, connection, connect_again(context, connection, next));
      return true;
    }
  }
  const bool over = ended || answer.source != SourceState::open ||
                    question.sink == SinkState::failed || !is_open_question(connection);
  if (over) stop_keeping(question, context.tools);
  return false;
}

}  // namespace sluice::tcp
