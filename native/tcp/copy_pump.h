// Copying through the worker's scratch buffer: read, write at once, keep only the unsent tail. A
// small message costs one recv and one send, and an idle connection holds no buffer.
#pragma once

#include <algorithm>
#include <cstring>

#include "tcp/pump.h"

namespace sluice::tcp {

template <typename Sys>
void flush_stash(Pump& pump, Side& to, PumpTools& tools, PumpTurn& turn) {
  const size_t offered = pump.stash_end - pump.stash_begin;
  const auto sent = Sys::send(to.fd.get(), std::span(pump.stash + pump.stash_begin, offered));
  const size_t written = settle_write(pump, to, sent, offered, tools);
  turn.copied_bytes += written;
  pump.stash_begin += static_cast<uint32_t>(written);
  if (pump.stash_begin == pump.stash_end && !pump.keeps()) drop_unsent(pump, tools);
}

// After a few full reads in a row the direction streams.
inline void note_read_bytes(Pump& pump, const Side& from, const PumpTools& tools, size_t bytes) {
  pump.in_a_row =
      bytes == tools.scratch.size() ? static_cast<uint8_t>(pump.in_a_row + 1) : uint8_t{0};
  if (pump.in_a_row < kFullReadsToStream) return;
  pump.in_a_row = 0;
  pump.streaming = tools.splice && !pump.copy_only && !from.urgent;
}

// Without a stash nothing may be taken from the source that the sink does not take: look, write,
// then take exactly what was written. One more system call per move, and no byte held here.
template <typename Sys>
void peek_move(Pump& pump, Side& from, Side& to, PumpTools& tools, PumpTurn& turn) {
  const auto seen = Sys::peek(from.fd.get(), tools.scratch);
  if (!settle_read(pump, from, seen, tools.scratch.size())) return;
  const auto sent = Sys::send(to.fd.get(), tools.scratch.first(seen.bytes));
  size_t untaken = settle_write(pump, to, sent, seen.bytes, tools);
  turn.copied_bytes += untaken;
  if (untaken < seen.bytes) from.readable = true;
  note_read_bytes(pump, from, tools, untaken);
  while (untaken > 0) {
    const auto taken = Sys::recv(from.fd.get(), tools.scratch.first(untaken));
    if (!taken.done()) {
      // The bytes were there a moment ago and nobody else reads this socket. Going on would send
      // them twice.
      pump.source = SourceState::failed;
      pump.error = static_cast<int16_t>(taken.error);
      from.readable = false;
      return;
    }
    untaken -= taken.bytes;
  }
}

// The next read says "end", and the FIN that follows from it takes these bytes along: a short
// connection costs one segment less. An urgent byte makes a read short without emptying the socket;
// these bytes would then wait for the kernel's 200 ms.
inline bool brings_last_bytes(const Side& from, size_t read_bytes, const PumpTools& tools) {
  return from.fin_received && !from.urgent && read_bytes < tools.scratch.size();
}

template <typename Sys>
void copy_move(Pump& pump, Side& from, Side& to, PumpTools& tools, PumpTurn& turn) {
  if (!tools.stashes.available()) {
    shared::add(tools.counters.stash_exhausted, 1);
    peek_move<Sys>(pump, from, to, tools, turn);
    return;
  }
  const auto got = Sys::recv(from.fd.get(), tools.scratch);
  if (!settle_read(pump, from, got, tools.scratch.size())) return;
  note_read_bytes(pump, from, tools, got.bytes);
  const auto bytes = tools.scratch.first(got.bytes);
  const auto sent = brings_last_bytes(from, got.bytes, tools)
                        ? Sys::send_before_fin(to.fd.get(), bytes)
                        : Sys::send(to.fd.get(), bytes);
  const size_t written = settle_write(pump, to, sent, got.bytes, tools);
  turn.copied_bytes += written;
  if (written == got.bytes || pump.sink == SinkState::failed) return;
  pump.stash = tools.stashes.take();
  pump.stash_begin = 0;
  pump.stash_end = static_cast<uint32_t>(got.bytes - written);
  std::memcpy(pump.stash, tools.scratch.data() + written, pump.stash_end);
  tools.counters.stashes_in_use.store(tools.stashes.in_use(), std::memory_order_relaxed);
}

// The sink is gone and the source still sends. Unread input would turn our close into a reset that
// takes the last bytes of the other direction with it, so it is read and thrown away.
template <typename Sys>
void discard_move(Pump& pump, Side& from, PumpTools& tools, PumpTurn& turn) {
  const auto got = Sys::recv(from.fd.get(), tools.scratch);
  if (settle_read(pump, from, got, tools.scratch.size())) turn.discarded_bytes += got.bytes;
}

}  // namespace sluice::tcp
