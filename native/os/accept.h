// Accepting connections, and the spare descriptor that keeps a full process from spinning.
#pragma once

#include <cstdint>

#include "os/address.h"
#include "os/fd.h"

namespace sluice::os {

enum class AcceptStatus : uint8_t {
  accepted,
  would_block,         // nobody waits
  out_of_descriptors,  // or of kernel memory: pause, for the listener stays readable
  transient,           // this one was gone before we came, or a packet filter refused it: go on
  failed,              // the listener is broken; `error` says how
};

struct AcceptResult {
  AcceptStatus status = AcceptStatus::failed;
  int error = 0;
  Fd fd;  // non-blocking, close-on-exec
  ClientAddress client;
};

// `listener_fd` is non-blocking, as open_listeners makes them.
[[nodiscard]] AcceptResult accept_connection(int listener_fd);

// A descriptor held in reserve. When accept finds none left, the waiting client would hang until
// one is freed; with the reserve it can be told at once, by being accepted and closed.
class ReserveDescriptor {
 public:
  ReserveDescriptor();
  [[nodiscard]] bool held() const { return reserve_.valid(); }
  // Gives up the reserve, accepts one connection and resets it, takes the reserve back. False when
  // nobody waited, or another thread was quicker to take the descriptor.
  bool refuse_one(int listener_fd);
  // Are two descriptors free, one for a client and one for its target, besides the reserve? With
  // one alone every client would be accepted only to be turned away.
  [[nodiscard]] bool has_room_for_connection();

 private:
  void restore();
  Fd reserve_;
};

}  // namespace sluice::os
