// Forecast: what would become of a client that came to a listener now, and how its target would be
// chosen. Made by the worker's tcp and udp parts out of what they decide by, with nothing done.
#pragma once

#include <cstdint>

#include "policy/candidate.h"
#include "shared/explain_area.h"
#include "table/pool.h"
#include "table/sticky_pick.h"

namespace sluice::table {

struct Forecast {
  shared::ExplainOutcome outcome = shared::ExplainOutcome::unknown_listener;
  const Pool* pool = nullptr;  // of the adopted table; null: unknown_listener
  // Where the client would go at once; kNoPick otherwise, whatever the pick says.
  uint32_t target_slot = policy::kNoPick;
  // How a pick would end now, also for a client that would not get to one.
  PickExplanation pick;
  uint32_t waiting = 0;          // TCP: clients that wait in the pool, over all workers
  bool sessions_unseen = false;  // UDP: too many of them to look for the client's
};

// The address by which a client reaches the listener, for pools that pick by it: its first bind's.
[[nodiscard]] inline os::ClientAddress first_destination(const Listener& listener) {
  if (listener.binds.empty()) return {};
  const Bind& bind = listener.binds.front();
  const os::Address& address = bind.sockets != nullptr ? bind.sockets->address : bind.address;
  return os::ClientAddress::from(address.get(), address.bytes());
}

}  // namespace sluice::table
