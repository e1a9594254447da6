// Picks a target: primaries first, then backups, never one that was tried or has no room.
#include "table/pool.h"

#include <utility>

namespace sluice::table {

namespace {

uint32_t pick_from(const Tier& tier, const policy::AddressKey& key, policy::Cursor& cursor,
                   policy::ActiveCounts active, const TriedTargets& tried) {
  const std::span<const policy::Candidate> candidates = tier.candidates();
  uint32_t index = policy::kNoPick;
  if (tried.count == 0 && !tier.limited()) {
    // The usual first pick: every candidate will do, and the compiler knows it.
    index = tier.pick(key, cursor, active, [](uint32_t) { return true; });
  } else {
    index = tier.pick(key, cursor, active, [&](uint32_t i) {
      const policy::Candidate& candidate = candidates[i];
      if (tried.contains(candidate.slot)) return false;
      // Relaxed, and so only a forecast: the limit itself is kept by who counts the connection up
      // (it sees the count before its own add, and picks again when that was the limit).
      return candidate.max_connections == 0 ||
             active[candidate.slot].load(std::memory_order_relaxed) < candidate.max_connections;
    });
  }
  return index == policy::kNoPick ? policy::kNoPick : candidates[index].slot;
}

}  // namespace

uint32_t Pool::pick(const os::ClientAddress& client, policy::Cursor& cursor,
                    policy::ActiveCounts active, const TriedTargets& tried) const {
  // An IPv4 prefix counts behind the 96 bits of the v4-mapped form. A client on a unix socket has
  // no address: to source_hash they are all one.
  const uint32_t prefix_bits = client.family == AF_INET ? 96 + hash_prefix_v4 : hash_prefix_v6;
  const policy::AddressKey key = policy::AddressKey::from(client.ip, prefix_bits);
  const uint32_t primary = pick_from(primaries, key, cursor, active, tried);
  if (primary != policy::kNoPick || backups.candidates().empty()) return primary;
  std::swap(cursor.position, cursor.backups_position);
  const uint32_t backup = pick_from(backups, key, cursor, active, tried);
  std::swap(cursor.position, cursor.backups_position);
  return backup;
}

}  // namespace sluice::table
