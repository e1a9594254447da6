// Streaming by splice: socket to pipe to socket, without the bytes ever being in our memory. It
// pays only for bulk, so a direction enters it after several full reads and leaves it after a few
// small ones.
//
// One rule removes the ambiguity of EAGAIN ("socket dry" or "pipe full"): a pipe is filled only
// when it is empty. It also means that a pipe is held between turns only while its sink is
// blocked, so few pipes serve many streams.
#pragma once

#include <algorithm>
#include <cerrno>

#include "tcp/pump.h"

namespace sluice::tcp {

inline void give_empty_pipe(Pump& pump, PumpTools& tools) {
  if (pump.pipe != nullptr && pump.pipe->bytes == 0) drop_unsent(pump, tools);
}

inline void leave_stream(Pump& pump, PumpTools& tools) {
  give_empty_pipe(pump, tools);
  pump.streaming = false;
  pump.in_a_row = 0;
}

[[nodiscard]] inline bool take_pipe(Pump& pump, PumpTools& tools) {
  if (pump.pipe != nullptr) return true;
  pump.pipe = tools.pipes.take();
  if (pump.pipe == nullptr) {
    shared::add(tools.counters.pipes_exhausted, 1);
    return false;
  }
  tools.counters.pipes_in_use.store(tools.pipes.in_use(), std::memory_order_relaxed);
  return true;
}

template <typename Sys>
void flush_pipe(Pump& pump, Side& to, PumpTools& tools, PumpTurn& turn) {
  const size_t offered = pump.pipe->bytes;
  const auto sent = Sys::splice_out(pump.pipe->read.get(), to.fd.get(), offered);
  const size_t written = settle_write(pump, to, sent, offered, tools);
  turn.spliced_bytes += written;
  if (pump.pipe == nullptr) return;  // the sink has failed
  pump.pipe->bytes -= static_cast<uint32_t>(written);
  if (pump.pipe->bytes == 0 && pump.in_a_row >= kSmallMovesToLeave) leave_stream(pump, tools);
}

template <typename Sys>
void splice_move(Pump& pump, Side& from, Side& to, PumpTools& tools, PumpTurn& turn) {
  if (from.urgent || !take_pipe(pump, tools)) {
    leave_stream(pump, tools);
    return;
  }
  // A turn ends on time, but never with a crumb of a move.
  const size_t left = tools.turn_bytes - std::min(turn.moved_bytes(), tools.turn_bytes);
  const size_t wanted =
      std::clamp<size_t>(left, std::min<size_t>(tools.scratch.size(), pump.pipe->capacity_bytes),
                         pump.pipe->capacity_bytes);
  const auto got = Sys::splice_in(from.fd.get(), pump.pipe->write.get(), wanted);
  if (got.failed() && (got.error == EINVAL || got.error == ENOSYS || got.error == EPERM ||
                       got.error == EOPNOTSUPP)) {
    // EINVAL and EOPNOTSUPP are about these sockets, the others about the kernel or a filter.
    pump.copy_only = true;
    if (got.error == ENOSYS || got.error == EPERM) tools.splice = false;
    leave_stream(pump, tools);
    return;
  }
  // Never taken for dry because it is short: the pipe's slots may have run out before its bytes.
  if (!settle_read(pump, from, got, 0)) {
    give_empty_pipe(pump, tools);
    return;
  }
  pump.pipe->bytes = static_cast<uint32_t>(got.bytes);
  const bool small = got.bytes <= tools.scratch.size() / 2;
  pump.in_a_row = small ? static_cast<uint8_t>(pump.in_a_row + 1) : uint8_t{0};
  flush_pipe<Sys>(pump, to, tools, turn);
}

}  // namespace sluice::tcp
