// EngineOptions: what the control plane decides once, at start. Every field is a bound or a switch.
#pragma once

#include <cstdint>

namespace sluice::shared {

struct EngineOptions {
  uint32_t workers = 1;
  // Per worker. At the bound a new connection is refused (CloseReason::limit).
  uint32_t connections_max = 0;
  // Per worker, over all UDP listeners; 0: only what each listener allows. At the bound a session
  // gives way as at the listener's own.
  uint32_t sessions_max = 0;
  // One read moves at most this much; also the size of a stash, which must take a whole read.
  uint32_t scratch_bytes = 64 * 1024;
  // Per worker. At the bound a blocked direction goes on without one: it peeks, sends, and
  // consumes only what was sent.
  uint32_t stashes_max = 1024;
  // Per worker. At the bound a stream stays on copy.
  uint32_t pipes_max = 32;
  uint32_t pipe_bytes = 256 * 1024;
  // A direction moves at most this much per turn before the others get theirs.
  uint32_t turn_bytes = 256 * 1024;
  uint32_t accept_batch = 64;
  uint32_t datagram_batch = 64;
  // Forced-off switches, so that every fallback can be tested on a machine that has the feature.
  bool splice = true;
  bool udp_gso = true;
  bool udp_gro = true;
};

}  // namespace sluice::shared
