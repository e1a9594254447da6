// The first bytes of a direction, copied and kept: until the sink has shown that it serves, they
// may have to be sent to another one. They go through a stash, and stay in it. Nothing streams
// meanwhile: spliced bytes are never in our memory.
#pragma once

#include <algorithm>
#include <cstring>

#include "tcp/copy_pump.h"

namespace sluice::tcp {

// From here on a pump like any other. What is still unsent stays in the stash; where the sink has
// failed, nobody will take it.
inline void stop_keeping(Pump& pump, PumpTools& tools) {
  pump.keep_kib = 0;
  if (pump.sink == SinkState::failed || !pump.holds_unsent()) drop_unsent(pump, tools);
}

// Everything that was kept is to be sent again, to a sink that knows nothing of it.
inline void rewind_kept(Pump& pump) {
  pump.sink = SinkState::open;
  pump.stash_begin = 0;
  pump.moved_bytes = 0;
}

template <typename Sys>
void keep_move(Pump& pump, Side& from, Side& to, PumpTools& tools, PumpTurn& turn) {
  const size_t limit = std::min(size_t{pump.keep_kib} * 1024, tools.scratch.size());
  if (pump.stash == nullptr && tools.stashes.half_full()) {
    // The other half is for sinks that are slow.
    shared::add(tools.counters.stash_exhausted, 1);
    stop_keeping(pump, tools);
  } else if (pump.stash_end == limit) {
    // The buffer is full, and it may be all that there is.
    if (!settle_read(pump, from, Sys::peek(from.fd.get(), tools.scratch.first(1)), 1)) return;
    stop_keeping(pump, tools);
  }
  if (!pump.keeps()) {
    copy_move<Sys>(pump, from, to, tools, turn);
    return;
  }
  const auto room = tools.scratch.first(limit - pump.stash_end);
  const auto got = Sys::recv(from.fd.get(), room);
  if (!settle_read(pump, from, got, room.size())) return;
  if (pump.stash == nullptr) {
    pump.stash = tools.stashes.take();
    tools.counters.stashes_in_use.store(tools.stashes.in_use(), std::memory_order_relaxed);
  }
  std::memcpy(pump.stash + pump.stash_end, tools.scratch.data(), got.bytes);
  pump.stash_end += static_cast<uint32_t>(got.bytes);
  flush_stash<Sys>(pump, to, tools, turn);
}

}  // namespace sluice::tcp
