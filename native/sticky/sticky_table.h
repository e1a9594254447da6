// StickyTable: which target a client was last sent to. One per pool, shared by all workers, because
// a client must reach the same target whichever of them accepts it.
//
// Shards by a keyed hash of the client, each with a lock, an index and a list of its entries from
// the least recently used to the most. What expires is always at the old end of that list, and so
// is what gives way when a shard is full: both cost the same few steps however many entries there
// are. Nothing is allocated after creation, and a page is touched only when its first entry is. A
// lock is held for some hundred nanoseconds, at a pick and never while bytes pass; who finds it
// taken sleeps rather than spins, for its holder may have lost its CPU.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "os/siphash.h"
#include "os/zero_pages.h"
#include "sticky/sticky_key.h"

namespace sluice::sticky {

// A target by something that outlives its slot: a hash of its name. 0 is nobody.
using Identity = uint64_t;
inline constexpr Identity kNobody = 0;

struct Times {
  uint64_t now_ms = 0;
  uint64_t expire_ms = 0;  // after its last use, never 0
};

// What an operation has removed on its way; added to.
struct Removals {
  uint32_t expired = 0;
  uint32_t evicted = 0;
};

// What an entry says, outside of the table.
struct SavedEntry {
  StickyKey key;
  Identity identity = kNobody;
  uint64_t used_ms = 0;
};

class StickyTable {
 public:
  static constexpr uint32_t kCapacityMax = 1U << 24U;  // 1 GiB of entries
  static constexpr uint32_t kShardsMax = 64;

  // Room for `capacity` (1..kCapacityMax) clients at least. Null when there is no memory.
  [[nodiscard]] static std::shared_ptr<StickyTable> create(uint32_t capacity);
  StickyTable(const StickyTable&) = delete;
  StickyTable& operator=(const StickyTable&) = delete;

  // ---- Any thread ------------------------------------------------------------------------------
  // Whom the client was sent to; kNobody when that is not known, or was too long ago.
  [[nodiscard]] Identity find(const StickyKey& key, const Times& times, Removals& removals);
  // The same, and nothing changes: an entry that has expired stays for find() to remove.
  [[nodiscard]] Identity peek(const StickyKey& key, const Times& times);
  // It is sent there again. `renew`: from now on its time begins anew.
  void use(const StickyKey& key, Identity identity, bool renew, uint64_t now_ms);
  // Sends the client to `wanted` from now on, if it is still sent to `seen` (as find() said), or to
  // nobody. Answers whom it is sent to now: of two workers that choose for one client at once, the
  // second learns what the first has chosen. A full shard gives up its least recently used entry.
  [[nodiscard]] Identity claim(const StickyKey& key, Identity seen, Identity wanted,
                               const Times& times, Removals& removals);
  // The client could not be sent to `identity`. `unproven_only`: only an entry that has not been
  // used since it was made.
  void forget(const StickyKey& key, Identity identity, bool unproven_only);

  [[nodiscard]] uint32_t capacity() const { return capacity_; }
  // Entries held, with those that have expired and were not met since.
  [[nodiscard]] uint32_t size() const { return size_.load(std::memory_order_relaxed); }

  // ---- Coordinator: a table of another capacity takes over
  // --------------------------------------- Entries used at or after `since_ms`, in no order. Holds
  // each shard's lock for a few entries at a time.
  [[nodiscard]] std::vector<SavedEntry> saved(uint64_t since_ms);
  // In the order of their use, so that the oldest give way when not all have room. One that the
  // table knows more recently is left alone.
  void restore(std::vector<SavedEntry> entries);

 private:
  static constexpr uint32_t kNone = 0xffffffff;

  // A cache line, so that finding a client touches one line beside the index.
  struct alignas(64) Entry {
    StickyKey key;
    uint16_t proven;  // has been used since it was made
    uint32_t hash;
    Identity identity;
    uint64_t used_ms;
    uint32_t newer;
    uint32_t older;
  };
  static_assert(sizeof(Entry) == 64);

  struct alignas(64) Shard {
    std::mutex mutex;  // of everything below, of the entries and of the index
    Entry* entries = nullptr;
    uint32_t* index = nullptr;  // `index_places` of them
    uint32_t capacity = 0;
    uint32_t taken = 0;  // entries ever used: those behind have never been touched
    uint32_t free = kNone;
    uint32_t newest = kNone;
    uint32_t oldest = kNone;
  };

  explicit StickyTable(uint32_t capacity);
  [[nodiscard]] bool allocate();
  [[nodiscard]] uint64_t hash(const StickyKey& key) const;
  [[nodiscard]] Shard& shard_of(uint64_t hash);

  // All of these with the shard's lock held.
  [[nodiscard]] static uint32_t place_of(const Shard& shard, const StickyKey& key, uint32_t hash);
  static void link_newest(Shard& shard, uint32_t number);
  static void unlink(Shard& shard, uint32_t number);
  void add(Shard& shard, const SavedEntry& saved, uint32_t hash, Removals& removals);
  void remove(Shard& shard, uint32_t number);
  void remove_at(Shard& shard, uint32_t place);
  void expire_oldest(Shard& shard, const Times& times, Removals& removals);

  const uint32_t capacity_;
  const uint32_t shard_count_;
  const uint32_t shard_capacity_;
  os::SipKey sip_key_;
  // Writers: whoever holds a shard's lock. Readers: anyone, for the metric. Relaxed: a number only.
  std::atomic<uint32_t> size_{0};
  os::ZeroPages entries_;
  os::ZeroPages index_;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace sluice::sticky
