// Pump: one direction of a connection, from the side it reads to the side it writes. Every rule
// about moving bytes is written once, here and in copy_pump.h and splice_pump.h, and serves both
// directions. A pump knows nothing of connections, timeouts or reasons; it says what it met.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "os/io_result.h"
#include "os/pipe.h"
#include "shared/layout.h"
#include "tcp/side.h"
#include "tcp/stash_store.h"

namespace sluice::tcp {

enum class SourceState : uint8_t {
  open,
  ended,   // FIN: everything has been read
  failed,  // `Pump::error`: everything that was received before has been read
};

enum class SinkState : uint8_t {
  open,
  shut,    // FIN sent: everything has been written
  failed,  // takes nothing more: what the source still sends is read and thrown away
};

// A direction is idle after this long without a byte; its stream then has to prove itself again.
inline constexpr uint64_t kStreamIdleNs = 1'000'000'000;
// HAProxy's "fast streamer": so many full reads in a row mean bulk, and so many reads of at most
// half of a full one mean that it is over.
inline constexpr uint8_t kFullReadsToStream = 3;
inline constexpr uint8_t kSmallMovesToLeave = 2;

struct Pump {
  // Read but not yet written: [stash_begin, stash_end). While bytes are kept, what was written is
  // there too, from 0 on.
  std::byte* stash = nullptr;
  os::Pipe* pipe = nullptr;  // between turns only while it holds bytes
  uint64_t moved_bytes = 0;  // written to the sink
  uint64_t last_moved_ns = 0;
  uint32_t stash_begin = 0;
  uint32_t stash_end = 0;
  int16_t error = 0;  // the source's errno
  SourceState source = SourceState::open;
  SinkState sink = SinkState::open;
  uint8_t in_a_row = 0;    // full reads while copying, small moves while streaming
  bool streaming = false;  // by splice
  bool copy_only = false;  // splice does not work for these sockets
  // Nothing that was read is forgotten, up to so many KiB, so that it can be sent to another sink
  // when this one turns out to be none (keep_pump.h). 0: bytes are forgotten as they are written.
  uint8_t keep_kib = 0;

  [[nodiscard]] bool holds_unsent() const {
    return stash_begin != stash_end || (pipe != nullptr && pipe->bytes > 0);
  }
  [[nodiscard]] bool keeps() const { return keep_kib != 0; }
  // Nothing will ever move again in this direction.
  [[nodiscard]] bool over() const {
    return source != SourceState::open && (sink != SinkState::open || !holds_unsent());
  }
  // A system call may get somewhere now. Unsent bytes stop reading: that is the backpressure.
  [[nodiscard]] bool can_move(const Side& from, const Side& to) const {
    // What the source says next may still find another sink.
    if (sink == SinkState::failed) return !keeps() && source == SourceState::open && from.readable;
    if (holds_unsent()) return to.writable;
    return source == SourceState::open && from.readable && to.writable;
  }
};

static_assert(sizeof(Pump) == 48);

// What the pumps of one worker share.
struct PumpTools {
  std::span<std::byte> scratch;
  StashStore& stashes;
  os::PipeStore& pipes;
  shared::WorkerCounters& counters;
  const uint64_t& now_ns;
  size_t turn_bytes = 0;
  bool splice = true;  // cleared for good when the kernel or a seccomp filter refuses splice
};

// What one turn came to.
struct PumpTurn {
  size_t copied_bytes = 0;
  size_t spliced_bytes = 0;
  size_t discarded_bytes = 0;
  bool budget_used = false;  // more may be moved at once; epoll will not say so again

  [[nodiscard]] size_t moved_bytes() const { return copied_bytes + spliced_bytes; }
};

// Gives back whatever the pump holds; unsent bytes are lost.
void drop_unsent(Pump& pump, PumpTools& tools);

// The three places where an IoResult becomes state; both pumps use them.
// True when bytes came. `asked` is what the read could have brought.
[[nodiscard]] bool settle_read(Pump& pump, Side& from, const os::IoResult& got, size_t asked);
// How many of `offered` bytes were written. Fewer: the sink is full, or has failed.
[[nodiscard]] size_t settle_write(Pump& pump, Side& to, const os::IoResult& sent, size_t offered,
                                  PumpTools& tools);
void fail_sink(Pump& pump, Side& to, int error, PumpTools& tools);

}  // namespace sluice::tcp
