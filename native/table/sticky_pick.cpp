// The entry first, then the policy; and what is learned from it.
#include "table/sticky_pick.h"

#include "policy/stable_hash.h"
#include "sticky/sticky_table.h"

namespace sluice::table {

namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;

// A client on a unix socket has no address: nobody can tell it from another.
bool is_sticky(const Pool& pool, const os::ClientAddress& client) {
  return pool.stickiness.entries != nullptr && client.family != AF_UNIX;
}

sticky::StickyKey key_of(const Stickiness& stickiness, const os::ClientAddress& client) {
  // An IPv4 prefix counts behind the 96 bits of the v4-mapped form.
  const bool v4 = client.family == AF_INET;
  return sticky::StickyKey::source(client.ip,
                                   v4 ? 96 + stickiness.prefix_v4 : stickiness.prefix_v6);
}

// Tried and still in its entry means that it had no room: one that failed has been forgotten.
bool has_room(const PickRequest& request, policy::ActiveCounts active, const StickyTarget& target) {
  if (request.tried.contains(target.slot)) return false;
  // Relaxed, and so only a forecast, as in Pool::pick.
  return target.max_connections == 0 ||
         active[target.slot].load(std::memory_order_relaxed) < target.max_connections;
}

// One pick in a sticky pool.
class StickyPick {
 public:
  StickyPick(const shared::WorkerLinks& links, const PickRequest& request, policy::Cursor& cursor)
      : request_(request),
        stickiness_(request.pool.stickiness),
        signals_(links.signals),
        row_(links.pools[request.pool.slot]),
        size_(links.sticky_entries[request.pool.slot]),
        cursor_(cursor),
        key_(key_of(stickiness_, request.client)),
        times_{.now_ms = links.now_ns / kMillisecondNs, .expire_ms = stickiness_.expire_ms} {}

  uint32_t pick() {
    const uint32_t slot = follow(stickiness_.entries->find(key_, times_, removals_));
    if (removals_.expired != 0) shared::add(row_.sticky_expired, removals_.expired);
    if (removals_.evicted != 0) shared::add(row_.sticky_evicted, removals_.evicted);
    // Relaxed: a number for the operator; the last of several workers is right soon enough.
    size_.store(stickiness_.entries->size(), std::memory_order_relaxed);
    return slot;
  }

 private:
  uint32_t follow(sticky::Identity seen) {
    if (seen == sticky::kNobody) {
      shared::add(row_.sticky_misses, 1);
      return choose(seen);
    }
    const StickyTarget* target = stickiness_.find(seen);
    const bool fits =
        target != nullptr && target->serves && has_room(request_, signals_.active, *target);
    if (fits) {
      shared::add(row_.sticky_hits, 1);
      stickiness_.entries->use(key_, seen, target->renews, times_.now_ms);
      return target->slot;
    }
    if (target != nullptr && stickiness_.refuse_when_down) {
      shared::add(row_.sticky_refusals, 1);
      return policy::kNoPick;
    }
    shared::add(row_.sticky_moves, 1);
    const bool full = target != nullptr && target->serves;
    return full ? pick_by_policy() : choose(seen);
  }

  // By the policy, and for the next time too.
  uint32_t choose(sticky::Identity seen) {
    const uint32_t slot = pick_by_policy();
    const Target* target = slot == policy::kNoPick ? nullptr : request_.table.target_at(slot);
    if (target == nullptr) return policy::kNoPick;
    const sticky::Identity mine = identity_of(target->name);
    const sticky::Identity chosen = stickiness_.entries->claim(key_, seen, mine, times_, removals_);
    if (chosen == mine) return slot;
    // Another worker was quicker, for the same client.
    const StickyTarget* other = stickiness_.find(chosen);
    const bool fits =
        other != nullptr && other->serves && has_room(request_, signals_.active, *other);
    return fits ? other->slot : slot;
  }

  uint32_t pick_by_policy() {
    return request_.pool.pick(request_.client, cursor_, signals_, request_.tried);
  }

  const PickRequest& request_;
  const Stickiness& stickiness_;
  const policy::Signals& signals_;
  shared::PoolCounters& row_;
  std::atomic<uint32_t>& size_;
  policy::Cursor& cursor_;
  const sticky::StickyKey key_;
  const sticky::Times times_;
  sticky::Removals removals_;
};

}  // namespace

uint32_t pick_or_stick(const shared::WorkerLinks& links, const PickRequest& request,
                       policy::Cursor& cursor) {
  if (!is_sticky(request.pool, request.client)) {
    return request.pool.pick(request.client, cursor, links.signals, request.tried);
  }
  return StickyPick(links, request, cursor).pick();
}

void forget_sticky(const shared::WorkerLinks& links, const Pool& pool,
                   const os::ClientAddress& client, const Target& target) {
  if (!is_sticky(pool, client)) return;
  const Stickiness& stickiness = pool.stickiness;
  stickiness.entries->forget(key_of(stickiness, client), identity_of(target.name),
                             stickiness.refuse_when_down);
  links.sticky_entries[pool.slot].store(stickiness.entries->size(), std::memory_order_relaxed);
}

}  // namespace sluice::table
