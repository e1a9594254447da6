// pick_or_stick: the target of a new connection or session in a pool that may be sticky. What
// stands before Pool::pick on every worker, and all that tcp and udp know of stickiness.
#pragma once

#include <cstdint>

#include "os/address.h"
#include "policy/candidate.h"
#include "shared/worker_links.h"
#include "table/table.h"

namespace sluice::table {

struct PickRequest {
  const Table& table;
  const Pool& pool;
  const os::ClientAddress& client;
  const TriedTargets& tried;
};

// A target slot, or policy::kNoPick. In a pool that is not sticky this is Pool::pick. Otherwise the
// client's entry decides first; without one the policy does, and its choice becomes the entry at
// once, before any connect: of a client's first connections, which often come together and to
// different workers, all go to one target. An entry whose target is
//   down, disabled, or drains where that ends stickiness   gives way to the policy's new choice
//   at max_connections (or lost the race for its last place)  stays, and this client goes elsewhere
//   not in the pool any more                               gives way
// and in a pool that refuses rather than repicks, the first two answer kNoPick.
// `cursor` is the calling worker's own for this pool.
[[nodiscard]] uint32_t pick_or_stick(const shared::WorkerLinks& links, const PickRequest& request,
                                     policy::Cursor& cursor);

// A connect to the target in `slot` failed, by no fault of ours: the client is not sent there
// again, unless its pool refuses rather than repicks and it has been there.
void forget_sticky(const shared::WorkerLinks& links, const Pool& pool,
                   const os::ClientAddress& client, const Target& target);

}  // namespace sluice::table
