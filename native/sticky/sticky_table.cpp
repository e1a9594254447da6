// StickyTable: per shard a list in the order of use, and an index by linear probing with
// backward-shift removal (Knuth, TAOCP 3, 6.4, algorithm R), half full at most.
#include "sticky/sticky_table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "os/check.h"
#include "os/random.h"

namespace sluice::sticky {

namespace {

// A shard of fewer would be out of step with the others by chance too easily.
constexpr uint32_t kShardEntriesMin = 1024;
// An operation that adds an entry lets go of one more than it adds: what has expired goes away
// twice as fast as new clients come.
constexpr uint32_t kExpiredPerAdd = 2;
// Entries that are read out under one lock: about 10 us.
constexpr uint32_t kSavedPerLock = 256;

// An index place: the entry's number + 1 below, so that 0 is empty, and part of the hash above, so
// that an entry is looked at only when it is probably the right one.
constexpr uint32_t kNumberBits = 20;
constexpr uint32_t kNumberMask = (1U << kNumberBits) - 1;

uint32_t place_value(uint32_t entry, uint32_t hash) {
  return (entry + 1) | hash << kNumberBits;
}
uint32_t entry_at(uint32_t place) {
  return (place & kNumberMask) - 1;
}

uint32_t places_of(uint32_t shard_capacity) {
  return shard_capacity * 2;
}
// The hash's leading bits, scaled: any number of places will do.
uint32_t home_of(uint32_t hash, uint32_t shard_capacity) {
  return static_cast<uint32_t>(uint64_t{hash} * places_of(shard_capacity) >> 32U);
}
uint32_t after(uint32_t place, uint32_t shard_capacity) {
  return place + 1 == places_of(shard_capacity) ? 0 : place + 1;
}
uint32_t distance(uint32_t from, uint32_t to, uint32_t shard_capacity) {
  return to >= from ? to - from : to + places_of(shard_capacity) - from;
}

uint32_t shards_for(uint32_t capacity) {
  return std::clamp(capacity / kShardEntriesMin, 1U, StickyTable::kShardsMax);
}
// Clients fall into shards by chance: four standard deviations of room above the mean, so that the
// whole holds its capacity before any shard is full.
uint32_t shard_capacity_for(uint32_t capacity, uint32_t shards) {
  if (shards == 1) return capacity;
  const double mean = std::ceil(static_cast<double>(capacity) / shards);
  return static_cast<uint32_t>(mean + std::ceil(4 * std::sqrt(mean)));
}
static_assert(StickyTable::kCapacityMax / StickyTable::kShardsMax < kNumberMask / 2);

}  // namespace

std::shared_ptr<StickyTable> StickyTable::create(uint32_t capacity) {
  SLUICE_CHECK(capacity >= 1 && capacity <= kCapacityMax);
  std::shared_ptr<StickyTable> made(new StickyTable(capacity));
  return made->allocate() ? made : nullptr;
}

StickyTable::StickyTable(uint32_t capacity)
    : capacity_(capacity),
      shard_count_(shards_for(capacity)),
      shard_capacity_(shard_capacity_for(capacity, shard_count_)),
      shards_(new Shard[shard_count_]) {
  os::fill_random(std::as_writable_bytes(std::span(&sip_key_, 1)));
}

bool StickyTable::allocate() {
  const size_t places = places_of(shard_capacity_);
  entries_ = os::ZeroPages::create(size_t{shard_count_} * shard_capacity_ * sizeof(Entry));
  index_ = os::ZeroPages::create(shard_count_ * places * sizeof(uint32_t));
  if (!entries_.valid() || !index_.valid()) return false;
  for (uint32_t i = 0; i < shard_count_; i++) {
    shards_[i].entries = reinterpret_cast<Entry*>(entries_.data()) + size_t{shard_capacity_} * i;
    shards_[i].index = reinterpret_cast<uint32_t*>(index_.data()) + places * i;
    shards_[i].capacity = shard_capacity_;
  }
  return true;
}

uint64_t StickyTable::hash(const StickyKey& key) const {
  uint64_t words[(sizeof(StickyKey) + sizeof(uint64_t) - 1) / sizeof(uint64_t)] = {};
  std::memcpy(words, &key, sizeof(key));
  return os::siphash<1, 3>(sip_key_, words);
}

// By the upper half of the hash; the lower is the entry's in its shard.
StickyTable::Shard& StickyTable::shard_of(uint64_t hash) {
  return shards_[(hash >> 32U) * shard_count_ >> 32U];
}

// The key's place in the index, or kNone. At most half of the places are in use, so it ends.
uint32_t StickyTable::place_of(const Shard& shard, const StickyKey& key, uint32_t hash) {
  for (uint32_t at = home_of(hash, shard.capacity);; at = after(at, shard.capacity)) {
    const uint32_t place = shard.index[at];
    if (place == 0) return kNone;
    const uint32_t entry = entry_at(place);
    if (place == place_value(entry, hash) && shard.entries[entry].key == key) return at;
  }
}

Identity StickyTable::find(const StickyKey& key, const Times& times, Removals& removals) {
  const uint64_t whole = hash(key);
  Shard& shard = shard_of(whole);
  const std::lock_guard lock(shard.mutex);
  const uint32_t place = place_of(shard, key, static_cast<uint32_t>(whole));
  if (place == kNone) return kNobody;
  const Entry& entry = shard.entries[entry_at(shard.index[place])];
  if (entry.used_ms + times.expire_ms > times.now_ms) return entry.identity;
  remove_at(shard, place);
  removals.expired++;
  return kNobody;
}

Identity StickyTable::peek(const StickyKey& key, const Times& times) {
  const uint64_t whole = hash(key);
  Shard& shard = shard_of(whole);
  const std::lock_guard lock(shard.mutex);
  const uint32_t place = place_of(shard, key, static_cast<uint32_t>(whole));
  if (place == kNone) return kNobody;
  const Entry& entry = shard.entries[entry_at(shard.index[place])];
  return entry.used_ms + times.expire_ms > times.now_ms ? entry.identity : kNobody;
}

void StickyTable::use(const StickyKey& key, Identity identity, bool renew, uint64_t now_ms) {
  const uint64_t whole = hash(key);
  Shard& shard = shard_of(whole);
  const std::lock_guard lock(shard.mutex);
  const uint32_t place = place_of(shard, key, static_cast<uint32_t>(whole));
  if (place == kNone) return;
  const uint32_t number = entry_at(shard.index[place]);
  Entry& entry = shard.entries[number];
  if (entry.identity != identity) return;
  entry.proven = 1;
  // Each worker reads its clock once per turn, so that another one's may be a moment ahead.
  if (!renew || now_ms < entry.used_ms) return;
  entry.used_ms = now_ms;
  unlink(shard, number);
  link_newest(shard, number);
}

Identity StickyTable::claim(const StickyKey& key, Identity seen, Identity wanted,
                            const Times& times, Removals& removals) {
  const uint64_t whole = hash(key);
  const auto low = static_cast<uint32_t>(whole);
  Shard& shard = shard_of(whole);
  const std::lock_guard lock(shard.mutex);
  if (const uint32_t place = place_of(shard, key, low); place != kNone) {
    const Entry& entry = shard.entries[entry_at(shard.index[place])];
    const bool expired = entry.used_ms + times.expire_ms <= times.now_ms;
    if (!expired && entry.identity != seen) return entry.identity;
    if (expired) removals.expired++;
    remove_at(shard, place);
  }
  expire_oldest(shard, times, removals);
  add(shard, {key, wanted, times.now_ms}, low, removals);
  return wanted;
}

void StickyTable::forget(const StickyKey& key, Identity identity, bool unproven_only) {
  const uint64_t whole = hash(key);
  Shard& shard = shard_of(whole);
  const std::lock_guard lock(shard.mutex);
  const uint32_t place = place_of(shard, key, static_cast<uint32_t>(whole));
  if (place == kNone) return;
  const Entry& entry = shard.entries[entry_at(shard.index[place])];
  if (entry.identity != identity || (unproven_only && entry.proven != 0)) return;
  remove_at(shard, place);
}

void StickyTable::link_newest(Shard& shard, uint32_t number) {
  Entry& entry = shard.entries[number];
  entry.newer = kNone;
  entry.older = shard.newest;
  if (shard.newest != kNone) shard.entries[shard.newest].newer = number;
  shard.newest = number;
  if (shard.oldest == kNone) shard.oldest = number;
}

void StickyTable::unlink(Shard& shard, uint32_t number) {
  const Entry& entry = shard.entries[number];
  (entry.newer == kNone ? shard.newest : shard.entries[entry.newer].older) = entry.older;
  (entry.older == kNone ? shard.oldest : shard.entries[entry.older].newer) = entry.newer;
}

// The key must not be in the shard.
void StickyTable::add(Shard& shard, const SavedEntry& saved, uint32_t hash, Removals& removals) {
  uint32_t number = shard.free;
  if (number != kNone) {
    shard.free = shard.entries[number].newer;
  } else if (shard.taken < shard.capacity) {
    number = shard.taken++;
  } else {
    removals.evicted++;
    number = shard.oldest;
    remove(shard, number);
    shard.free = shard.entries[number].newer;
  }
  shard.entries[number] = {.key = saved.key,
                           .proven = 0,
                           .hash = hash,
                           .identity = saved.identity,
                           .used_ms = saved.used_ms,
                           .newer = kNone,
                           .older = kNone};
  link_newest(shard, number);
  uint32_t at = home_of(hash, shard.capacity);
  while (shard.index[at] != 0) at = after(at, shard.capacity);
  shard.index[at] = place_value(number, hash);
  size_.fetch_add(1, std::memory_order_relaxed);
}

void StickyTable::remove(Shard& shard, uint32_t number) {
  const Entry& entry = shard.entries[number];
  const uint32_t place = place_of(shard, entry.key, entry.hash);
  SLUICE_CHECK(place != kNone);
  remove_at(shard, place);
}

void StickyTable::remove_at(Shard& shard, uint32_t place) {
  const uint32_t number = entry_at(shard.index[place]);
  unlink(shard, number);
  shard.entries[number].key.kind = KeyKind::none;
  shard.entries[number].newer = shard.free;
  shard.free = number;
  size_.fetch_sub(1, std::memory_order_relaxed);

  const uint32_t capacity = shard.capacity;
  uint32_t hole = place;
  shard.index[hole] = 0;
  for (uint32_t at = after(hole, capacity); shard.index[at] != 0; at = after(at, capacity)) {
    // A place may move back into the hole unless its home lies behind the hole, on the way to where
    // it is: there a lookup would begin after the hole and miss it.
    const uint32_t home = home_of(shard.entries[entry_at(shard.index[at])].hash, capacity);
    if (distance(home, at, capacity) < distance(hole, at, capacity)) continue;
    shard.index[hole] = std::exchange(shard.index[at], 0);
    hole = at;
  }
}

void StickyTable::expire_oldest(Shard& shard, const Times& times, Removals& removals) {
  for (uint32_t i = 0; i < kExpiredPerAdd && shard.oldest != kNone; i++) {
    const Entry& oldest = shard.entries[shard.oldest];
    if (oldest.used_ms + times.expire_ms > times.now_ms) return;
    remove(shard, shard.oldest);
    removals.expired++;
  }
}

std::vector<SavedEntry> StickyTable::saved(uint64_t since_ms) {
  std::vector<SavedEntry> saved;
  for (uint32_t i = 0; i < shard_count_; i++) {
    Shard& shard = shards_[i];
    for (uint32_t first = 0, taken = 1; first < taken; first += kSavedPerLock) {
      const std::lock_guard lock(shard.mutex);
      taken = shard.taken;
      for (uint32_t number = first; number < std::min(taken, first + kSavedPerLock); number++) {
        const Entry& entry = shard.entries[number];
        if (entry.key.kind == KeyKind::none || entry.used_ms < since_ms) continue;
        saved.push_back({entry.key, entry.identity, entry.used_ms});
      }
    }
  }
  return saved;
}

void StickyTable::restore(std::vector<SavedEntry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const SavedEntry& a, const SavedEntry& b) { return a.used_ms < b.used_ms; });
  Removals removals;
  for (const SavedEntry& saved : entries) {
    const uint64_t whole = hash(saved.key);
    const auto low = static_cast<uint32_t>(whole);
    Shard& shard = shard_of(whole);
    const std::lock_guard lock(shard.mutex);
    if (const uint32_t place = place_of(shard, saved.key, low); place != kNone) {
      if (shard.entries[entry_at(shard.index[place])].used_ms >= saved.used_ms) continue;
      remove_at(shard, place);
    }
    add(shard, saved, low, removals);
  }
}

}  // namespace sluice::sticky
