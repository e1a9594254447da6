// How the answers of system calls become a pump's state.
#include "tcp/pump.h"

#include <cerrno>

namespace sluice::tcp {

void drop_unsent(Pump& pump, PumpTools& tools) {
  if (pump.stash != nullptr) {
    tools.stashes.give(pump.stash);
    pump.stash = nullptr;
    pump.stash_begin = 0;
    pump.stash_end = 0;
    tools.counters.stashes_in_use.store(tools.stashes.in_use(), std::memory_order_relaxed);
  }
  if (pump.pipe != nullptr) {
    // The store closes a pipe that has bytes in it: they must never reach another client.
    tools.pipes.give(pump.pipe);
    pump.pipe = nullptr;
    tools.counters.pipes_in_use.store(tools.pipes.in_use(), std::memory_order_relaxed);
  }
}

bool settle_read(Pump& pump, Side& from, const os::IoResult& got, size_t asked) {
  switch (got.status) {
    case os::IoStatus::done:
      // A read that brought less than it could have has emptied the socket, and whatever comes
      // later raises a new edge: no need to be told "would block". Not so once an end is near,
      // which may have raised its edge before this read.
      if (got.bytes < asked && !from.read_to_end) from.readable = false;
      return true;
    case os::IoStatus::would_block:
      from.readable = false;
      return false;
    case os::IoStatus::eof:
      from.readable = false;
      // After a reset that a write has met, 0 is not a FIN.
      pump.source = from.write_error == 0 ? SourceState::ended : SourceState::failed;
      pump.error = from.write_error;
      return false;
    case os::IoStatus::failed:
      from.readable = false;
      pump.source = SourceState::failed;
      pump.error = static_cast<int16_t>(got.error);
      return false;
  }
  return false;
}

size_t settle_write(Pump& pump, Side& to, const os::IoResult& sent, size_t offered,
                    PumpTools& tools) {
  if (sent.failed()) {
    fail_sink(pump, to, sent.error, tools);
    return 0;
  }
  // A short write has met the full buffer itself: the kernel will raise an edge when there is room.
  if (sent.bytes < offered) to.writable = false;
  return sent.bytes;
}

void fail_sink(Pump& pump, Side& to, int error, PumpTools& tools) {
  pump.sink = SinkState::failed;
  // What is kept may find another sink.
  if (!pump.keeps()) drop_unsent(pump, tools);
  if (error != EPIPE && to.write_error == 0) to.write_error = static_cast<int16_t>(error);
  // What that side had sent before may still be waiting; the opposite pump reads to its end.
  to.writable = false;
  to.readable = true;
  to.read_to_end = true;
}

}  // namespace sluice::tcp
