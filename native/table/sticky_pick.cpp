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

// What a worker does as it picks: its own counters, the shared entries, its place in the rotation.
class Deeds {
 public:
  Deeds(const shared::WorkerLinks& links, const PickRequest& request, policy::Cursor& cursor)
      : request_(request),
        signals_(links.signals),
        row_(links.pools[request.pool.slot]),
        size_(links.sticky_entries[request.pool.slot]),
        cursor_(cursor) {}

  sticky::Identity find(const sticky::StickyKey& key, const sticky::Times& times) {
    return entries().find(key, times, removals_);
  }
  void note(StickyStep step, uint32_t /*slot*/) {
    switch (step) {
      case StickyStep::hit:
        return shared::add(row_.sticky_hits, 1);
      case StickyStep::miss:
        return shared::add(row_.sticky_misses, 1);
      case StickyStep::refused_down:
      case StickyStep::refused_full:
        return shared::add(row_.sticky_refusals, 1);
      case StickyStep::moved_gone:
      case StickyStep::moved_down:
      case StickyStep::moved_full:
        return shared::add(row_.sticky_moves, 1);
      case StickyStep::none:
        return;
    }
  }
  void use(const sticky::StickyKey& key, const StickyTarget& target, const sticky::Times& times) {
    entries().use(key, target.identity, target.renews, times.now_ms);
  }
  sticky::Identity claim(const sticky::StickyKey& key, sticky::Identity seen, sticky::Identity mine,
                         const sticky::Times& times) {
    return entries().claim(key, seen, mine, times, removals_);
  }
  uint32_t pick_by_policy() {
    return request_.pool.pick(request_.arrival, cursor_, signals_, request_.tried);
  }
  void finish() {
    if (removals_.expired != 0) shared::add(row_.sticky_expired, removals_.expired);
    if (removals_.evicted != 0) shared::add(row_.sticky_evicted, removals_.evicted);
    // Relaxed: a number for the operator; the last of several workers is right soon enough.
    size_.store(entries().size(), std::memory_order_relaxed);
  }

 private:
  sticky::StickyTable& entries() { return *request_.pool.stickiness.entries; }

  const PickRequest& request_;
  const policy::Signals& signals_;
  shared::PoolCounters& row_;
  std::atomic<uint32_t>& size_;
  policy::Cursor& cursor_;
  sticky::Removals removals_;
};

// The same questions with nothing done, for who asks what would be.
class Looks {
 public:
  Looks(const shared::WorkerLinks& links, const PickRequest& request, const policy::Cursor& cursor,
        PickExplanation& explanation)
      : request_(request), signals_(links.signals), cursor_(cursor), explanation_(explanation) {}

  sticky::Identity find(const sticky::StickyKey& key, const sticky::Times& times) {
    return request_.pool.stickiness.entries->peek(key, times);
  }
  void note(StickyStep step, uint32_t slot) {
    explanation_.sticky = step;
    explanation_.sticky_slot = slot;
  }
  static void use(const sticky::StickyKey& /*key*/, const StickyTarget& /*target*/,
                  const sticky::Times& /*times*/) {}
  // Nobody else is quicker: the moment is one.
  static sticky::Identity claim(const sticky::StickyKey& /*key*/, sticky::Identity /*seen*/,
                                sticky::Identity mine, const sticky::Times& /*times*/) {
    return mine;
  }
  uint32_t pick_by_policy() {
    explanation_.by_policy =
        request_.pool.explain(request_.arrival, cursor_, signals_, request_.tried);
    return explanation_.by_policy.slot;
  }
  static void finish() {}

 private:
  const PickRequest& request_;
  const policy::Signals& signals_;
  const policy::Cursor& cursor_;
  PickExplanation& explanation_;
};

// One pick in a sticky pool. Its rules, once; what follows from them is up to `Hands`.
template <typename Hands>
class StickyPick {
 public:
  StickyPick(const shared::WorkerLinks& links, const PickRequest& request, Hands& hands)
      : request_(request),
        stickiness_(request.pool.stickiness),
        active_(links.signals.active),
        hands_(hands),
        key_(key_of(stickiness_, request.arrival.client)),
        times_{.now_ms = links.now_ns / kMillisecondNs, .expire_ms = stickiness_.expire_ms} {}

  uint32_t pick() {
    const uint32_t slot = follow(hands_.find(key_, times_));
    hands_.finish();
    return slot;
  }

 private:
  uint32_t follow(sticky::Identity seen) {
    if (seen == sticky::kNobody) {
      hands_.note(StickyStep::miss, policy::kNoPick);
      return choose(seen);
    }
    const StickyTarget* target = stickiness_.find(seen);
    if (target == nullptr) {
      hands_.note(StickyStep::moved_gone, policy::kNoPick);
      return choose(seen);
    }
    if (target->serves && has_room(request_, active_, *target)) {
      hands_.note(StickyStep::hit, target->slot);
      hands_.use(key_, *target, times_);
      return target->slot;
    }
    const bool full = target->serves;
    if (stickiness_.refuse_when_down) {
      hands_.note(full ? StickyStep::refused_full : StickyStep::refused_down, target->slot);
      return policy::kNoPick;
    }
    hands_.note(full ? StickyStep::moved_full : StickyStep::moved_down, target->slot);
    return full ? hands_.pick_by_policy() : choose(seen);
  }

  // By the policy, and for the next time too.
  uint32_t choose(sticky::Identity seen) {
    const uint32_t slot = hands_.pick_by_policy();
    const Target* target = slot == policy::kNoPick ? nullptr : request_.table.target_at(slot);
    if (target == nullptr) return policy::kNoPick;
    const sticky::Identity mine = identity_of(target->name);
    const sticky::Identity chosen = hands_.claim(key_, seen, mine, times_);
    if (chosen == mine) return slot;
    // Another worker was quicker, for the same client.
    const StickyTarget* other = stickiness_.find(chosen);
    const bool fits = other != nullptr && other->serves && has_room(request_, active_, *other);
    return fits ? other->slot : slot;
  }

  const PickRequest& request_;
  const Stickiness& stickiness_;
  const policy::ActiveCounts active_;
  Hands& hands_;
  const sticky::StickyKey key_;
  const sticky::Times times_;
};

}  // namespace

uint32_t pick_or_stick(const shared::WorkerLinks& links, const PickRequest& request,
                       policy::Cursor& cursor) {
  if (!is_sticky(request.pool, request.arrival.client)) {
    return request.pool.pick(request.arrival, cursor, links.signals, request.tried);
  }
  Deeds deeds(links, request, cursor);
  return StickyPick(links, request, deeds).pick();
}

PickExplanation explain_pick(const shared::WorkerLinks& links, const PickRequest& request,
                             const policy::Cursor& cursor) {
  PickExplanation explanation;
  Looks looks(links, request, cursor, explanation);
  explanation.slot = is_sticky(request.pool, request.arrival.client)
                         ? StickyPick(links, request, looks).pick()
                         : looks.pick_by_policy();
  return explanation;
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
