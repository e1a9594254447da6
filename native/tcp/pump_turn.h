// run_pump: one turn of one direction, until it would block or has used up its byte budget.
#pragma once

#include "tcp/copy_pump.h"
#include "tcp/keep_pump.h"
#include "tcp/pump.h"
#include "tcp/splice_pump.h"

namespace sluice::tcp {

// Each step moves bytes, or clears a readiness that let it happen, or ends a side: so it ends.
template <typename Sys>
PumpTurn run_pump(Pump& pump, Side& from, Side& to, PumpTools& tools) {
  PumpTurn turn;
  if (pump.streaming && !pump.holds_unsent() && tools.now_ns - pump.last_moved_ns > kStreamIdleNs) {
    leave_stream(pump, tools);
  }
  while (pump.can_move(from, to)) {
    if (turn.moved_bytes() + turn.discarded_bytes >= tools.turn_bytes) {
      turn.budget_used = true;
      break;
    }
    if (pump.sink == SinkState::failed) {
      discard_move<Sys>(pump, from, tools, turn);
    } else if (pump.stash_begin != pump.stash_end) {
      flush_stash<Sys>(pump, to, tools, turn);
    } else if (pump.pipe != nullptr && pump.pipe->bytes > 0) {
      flush_pipe<Sys>(pump, to, tools, turn);
    } else if (pump.streaming) {
      splice_move<Sys>(pump, from, to, tools, turn);
    } else if (pump.keeps()) {
      keep_move<Sys>(pump, from, to, tools, turn);
    } else {
      copy_move<Sys>(pump, from, to, tools, turn);
    }
  }
  // Whoever streams next may need it more.
  give_empty_pipe(pump, tools);
  if (turn.moved_bytes() > 0) {
    pump.moved_bytes += turn.moved_bytes();
    pump.last_moved_ns = tools.now_ns;
    if (turn.copied_bytes > 0) shared::add(tools.counters.copied_bytes, turn.copied_bytes);
    if (turn.spliced_bytes > 0) shared::add(tools.counters.spliced_bytes, turn.spliced_bytes);
  }
  return turn;
}

}  // namespace sluice::tcp
