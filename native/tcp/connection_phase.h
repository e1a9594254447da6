// ConnectionPhase: where a connection is in its life. It only ever moves downward in this list,
// except that the first three take turns until a target is reached, and that a target which ends
// before its first byte may be replaced (replay.h): then forwarding becomes connecting again.
#pragma once

#include <cstdint>

namespace sluice::tcp {

enum class ConnectionPhase : uint8_t {
  waiting,  // in the waiting room, for a place or a target; the client's bytes are in the kernel
  // A pause before a retry. No target is claimed; the client's bytes are in the kernel.
  backing_off,
  connecting,  // a target is being reached; the client's bytes wait in the kernel
  forwarding,  // two pumps; one or both directions may have ended
  // One side has gone with a reset. The other gets a reset too, once it has acknowledged every
  // byte that was received before.
  resetting,
  // One side had ended cleanly and then went, the other still sends. What it sends is thrown away
  // until it ends too, so that our close does not become a reset that cuts what it was sent.
  lingering,
  closed,  // both sockets closed, everything counted; freed at the end of the turn
};

}  // namespace sluice::tcp
