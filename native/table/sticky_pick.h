// pick_or_stick: the target of a new connection or session in a pool that may be sticky. What
// stands before Pool::pick on every worker, and all that tcp and udp know of stickiness.
#pragma once

#include <cstdint>

#include "os/address.h"
#include "policy/candidate.h"
#include "shared/worker_links.h"
#include "table/pick_record.h"
#include "table/table.h"

namespace sluice::table {

struct PickRequest {
  const Table& table;
  const Pool& pool;
  Arrival arrival;
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

// What the client's sticky entry had to say.
#define SLUICE_STICKY_STEPS(X)                                                      \
  X(none, 0) /* the pool is not sticky, or the client cannot be told from others */ \
  X(miss, 1) /* no entry */                                                         \
  X(hit, 2)                                                                         \
  X(moved_gone, 3) /* the pool has no such target any more */                       \
  X(moved_down, 4)                                                                  \
  X(moved_full, 5)                                                                  \
  X(refused_down, 6)                                                                \
  X(refused_full, 7)

enum class StickyStep : uint8_t {
#define X(name, value) name = value,
  SLUICE_STICKY_STEPS(X)
#undef X
};

struct PickExplanation {
  uint32_t slot = policy::kNoPick;
  StickyStep sticky = StickyStep::none;
  uint32_t sticky_slot = policy::kNoPick;  // of the entry's target, where the pool has it
  PickRecord by_policy;                    // empty when the entry has decided
};

// What pick_or_stick() would answer now, and why: the same rules and the same policies, with
// nothing done. No cursor moves, no entry is made, renewed or removed, nothing is counted.
[[nodiscard]] PickExplanation explain_pick(const shared::WorkerLinks& links,
                                           const PickRequest& request,
                                           const policy::Cursor& cursor);

// A connect to the target in `slot` failed, by no fault of ours: the client is not sent there
// again, unless its pool refuses rather than repicks and it has been there.
void forget_sticky(const shared::WorkerLinks& links, const Pool& pool,
                   const os::ClientAddress& client, const Target& target);

}  // namespace sluice::table
