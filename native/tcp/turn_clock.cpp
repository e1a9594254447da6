// What each step of a turn writes: the shared count, the shared mean, this worker's histogram.
#include "tcp/turn_clock.h"

#include "os/clock.h"
#include "shared/response_time.h"

namespace sluice::tcp {

namespace {

void count_answer(TcpContext& context, const TcpConnection& connection) {
  // The loop's time was read after the turn had begun, or the two would have crossed.
  const uint64_t took_us = (context.now_ns() - connection.asked_ns) / 1000;
  shared::TurnSignals& signals = context.links.turns[connection.target_slot];
  shared::note_response(signals.response_us, took_us);
  signals.measured.store(true, std::memory_order_relaxed);
  shared::count(context.links.responses[connection.target_slot], took_us);
}

// Relaxed: see TurnSignals.
void begin_waiting(TcpContext& context, const TcpConnection& connection) {
  context.links.turns[connection.target_slot].active_turns.fetch_add(1, std::memory_order_relaxed);
}
void end_waiting(TcpContext& context, const TcpConnection& connection) {
  context.links.turns[connection.target_slot].active_turns.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace

void note_turn(TcpContext& context, TcpConnection& connection, bool to_target, bool to_client) {
  const bool crossed = connection.to_target.last_moved_ns == connection.to_client.last_moved_ns;
  const TurnStep step =
      connection.turn.step({.to_target = to_target, .to_client = to_client, .crossed = crossed});
  switch (step) {
    case TurnStep::none:
      return;
    case TurnStep::began:
      begin_waiting(context, connection);
      break;
    case TurnStep::went_on:
      break;
    case TurnStep::crossed:
      shared::add(context.target_row(connection).turns_unmeasured, 1);
      return;
    case TurnStep::answered:
      end_waiting(context, connection);
      count_answer(context, connection);
      return;
    case TurnStep::unmeasured:
      end_waiting(context, connection);
      shared::add(context.target_row(connection).turns_unmeasured, 1);
      return;
  }
  if (connection.turn.measurable()) connection.asked_ns = os::monotonic_ns();
}

void abandon_turn(TcpContext& context, TcpConnection& connection) {
  if (connection.turn.abandon()) end_waiting(context, connection);
}

}  // namespace sluice::tcp
