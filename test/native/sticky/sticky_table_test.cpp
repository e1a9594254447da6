// StickyTable against a naive model, against several threads at once, and with a million clients.
#include "sticky/sticky_table.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <list>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/seed.h"

namespace sluice::sticky {
namespace {

constexpr Times kNeverExpires{.now_ms = 1, .expire_ms = UINT32_MAX};

StickyKey client(uint32_t number, uint32_t prefix_bits = 128) {
  uint8_t ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  for (uint32_t i = 0; i < 4; i++) ip[12 + i] = static_cast<uint8_t>(number >> (24 - 8 * i));
  return StickyKey::source(ip, prefix_bits);
}

// What one shard does, without an index: a list from the least recently used entry to the most.
class Model {
 public:
  explicit Model(size_t capacity) : capacity_(capacity) {}

  Identity find(uint32_t number, const Times& times) {
    const auto at = entry(number);
    if (at == entries_.end()) return kNobody;
    if (!expired(*at, times)) return at->identity;
    entries_.erase(at);
    removed_.expired++;
    return kNobody;
  }
  void use(uint32_t number, Identity identity, bool renew, uint64_t now_ms) {
    const auto at = entry(number);
    if (at == entries_.end() || at->identity != identity) return;
    at->proven = true;
    if (!renew) return;
    at->used_ms = now_ms;
    entries_.splice(entries_.end(), entries_, at);
  }
  Identity claim(uint32_t number, Identity seen, Identity wanted, const Times& times) {
    if (const auto at = entry(number); at != entries_.end()) {
      if (!expired(*at, times) && at->identity != seen) return at->identity;
      if (expired(*at, times)) removed_.expired++;
      entries_.erase(at);
    }
    for (int i = 0; i < 2 && !entries_.empty() && expired(entries_.front(), times); i++) {
      entries_.pop_front();
      removed_.expired++;
    }
    if (entries_.size() == capacity_) {
      entries_.pop_front();
      removed_.evicted++;
    }
    entries_.push_back({number, wanted, times.now_ms, false});
    return wanted;
  }
  void forget(uint32_t number, Identity identity, bool unproven_only) {
    const auto at = entry(number);
    if (at == entries_.end() || at->identity != identity) return;
    if (!unproven_only || !at->proven) entries_.erase(at);
  }
  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] const Removals& removed() const { return removed_; }

 private:
  struct Entry {
    uint32_t number;
    Identity identity;
    uint64_t used_ms;
    bool proven;
  };
  static bool expired(const Entry& entry, const Times& times) {
    return entry.used_ms + times.expire_ms <= times.now_ms;
  }
  std::list<Entry>::iterator entry(uint32_t number) {
    return std::find_if(entries_.begin(), entries_.end(),
                        [number](const Entry& e) { return e.number == number; });
  }

  size_t capacity_;
  std::list<Entry> entries_;
  Removals removed_;
};

TEST_CASE("a sticky table agrees with a naive model through every operation, expiry, eviction") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const uint32_t capacity : {1U, 2U, 7U, 40U}) {
    CAPTURE(capacity);
    const auto table = StickyTable::create(capacity);
    REQUIRE(table != nullptr);
    Model model(capacity);
    Removals removed;
    Times times{.now_ms = 1000, .expire_ms = uint64_t{capacity} * 20};
    for (int step = 0; step < 40'000; step++) {
      times.now_ms += random() % 3;
      if (random() % 5000 == 0) times.now_ms += times.expire_ms;
      const auto number = static_cast<uint32_t>(random() % (capacity * 2 + 2));
      const Identity identity = 1 + random() % 3;
      const bool flag = random() % 2 == 0;
      switch (random() % 6) {
        case 0:
        case 1:
          REQUIRE(table->find(client(number), times, removed) == model.find(number, times));
          break;
        case 2:
        case 3: {
          const Identity seen = random() % 4;
          REQUIRE(table->claim(client(number), seen, identity, times, removed) ==
                  model.claim(number, seen, identity, times));
          break;
        }
        case 4:
          table->use(client(number), identity, flag, times.now_ms);
          model.use(number, identity, flag, times.now_ms);
          break;
        default:
          table->forget(client(number), identity, flag);
          model.forget(number, identity, flag);
      }
      REQUIRE(table->size() == model.size());
      REQUIRE(table->size() <= capacity);
      REQUIRE(removed.expired == model.removed().expired);
      REQUIRE(removed.evicted == model.removed().evicted);
    }
    CHECK(removed.expired > 0);
    CHECK(removed.evicted > 0);
  }
}

TEST_CASE("no client is ever sent where another one belongs, however full the shards are") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto table = StickyTable::create(20'000);
  REQUIRE(table != nullptr);
  Removals removed;
  for (int step = 0; step < 200'000; step++) {
    const auto number = static_cast<uint32_t>(random() % 60'000);
    const Identity own = number + 1;
    const Identity found = table->find(client(number), kNeverExpires, removed);
    if (found == kNobody) {
      REQUIRE(table->claim(client(number), kNobody, own, kNeverExpires, removed) == own);
    } else {
      REQUIRE(found == own);
    }
  }
  CHECK(removed.evicted > 0);
  CHECK(removed.expired == 0);
  // A shard may have some room more than its share.
  CHECK(table->size() >= 20'000);
  CHECK(table->size() < 24'000);
}

TEST_CASE("a prefix makes one client of many, and is part of what a client is") {
  CHECK(client(0x0a010203, 120) == client(0x0a0102ff, 120));
  CHECK_FALSE(client(0x0a010203, 120) == client(0x0a010303, 120));
  CHECK(client(0x0a010203, 125) == client(0x0a010207, 125));
  CHECK_FALSE(client(0x0a010203, 125) == client(0x0a010208, 125));
  CHECK_FALSE(client(0x0a000000, 104) == client(0x0a000000, 128));
  CHECK(client(1, 0) == client(0xffffffff, 0));
}

TEST_CASE("of two choices for one client the first stands, until it is replaced knowingly") {
  const auto table = StickyTable::create(10);
  Removals removed;
  CHECK(table->claim(client(1), kNobody, 5, kNeverExpires, removed) == 5);
  CHECK(table->claim(client(1), kNobody, 6, kNeverExpires, removed) == 5);
  CHECK(table->claim(client(1), 4, 6, kNeverExpires, removed) == 5);
  CHECK(table->claim(client(1), 5, 6, kNeverExpires, removed) == 6);
  CHECK(table->find(client(1), kNeverExpires, removed) == 6);
  // An entry that has meanwhile gone is made anew.
  CHECK(table->claim(client(2), 9, 6, kNeverExpires, removed) == 6);
}

TEST_CASE("an entry lives from its last use on, unless that use is not to renew it") {
  const auto table = StickyTable::create(10);
  Removals removed;
  const auto at = [](uint64_t now_ms) { return Times{.now_ms = now_ms, .expire_ms = 100}; };
  static_cast<void>(table->claim(client(1), kNobody, 5, at(0), removed));
  table->use(client(1), 5, true, 90);
  CHECK(table->find(client(1), at(189), removed) == 5);
  table->use(client(1), 5, false, 189);
  CHECK(table->find(client(1), at(190), removed) == kNobody);
  CHECK(removed.expired == 1);
  CHECK(table->size() == 0);
}

TEST_CASE("entries that nobody asks for again go away as others come") {
  const auto table = StickyTable::create(1000);
  Removals removed;
  Times times{.now_ms = 0, .expire_ms = 100};
  for (uint32_t i = 0; i < 1000; i++) {
    static_cast<void>(table->claim(client(i), kNobody, 5, times, removed));
  }
  times.now_ms = 100;
  for (uint32_t i = 1000; i < 1500; i++) {
    static_cast<void>(table->claim(client(i), kNobody, 5, times, removed));
  }
  CHECK(removed.expired == 1000);
  CHECK(removed.evicted == 0);
  CHECK(table->size() == 500);
}

TEST_CASE("a table of another capacity takes over what has room in it, the latest first") {
  const auto old = StickyTable::create(1000);
  Removals removed;
  for (uint32_t i = 0; i < 1000; i++) {
    const Times times{.now_ms = 1000 + i * 7 % 1000, .expire_ms = 5000};
    static_cast<void>(old->claim(client(i), kNobody, i + 1, times, removed));
  }
  const auto smaller = StickyTable::create(100);
  smaller->restore(old->saved(0));
  CHECK(smaller->size() == 100);
  const Times now{.now_ms = 2000, .expire_ms = 5000};
  for (uint32_t i = 0; i < 1000; i++) {
    CAPTURE(i);
    const bool late = i * 7 % 1000 >= 900;
    REQUIRE(smaller->find(client(i), now, removed) == (late ? i + 1 : kNobody));
  }
  // What has been used meanwhile comes after; what the new table knows better stays.
  static_cast<void>(old->claim(client(5000), kNobody, 1, now, removed));
  static_cast<void>(old->claim(client(5001), kNobody, 1, now, removed));
  const Times later{.now_ms = 2001, .expire_ms = 5000};
  static_cast<void>(smaller->claim(client(5001), kNobody, 2, later, removed));
  smaller->restore(old->saved(2000));
  CHECK(smaller->find(client(5000), later, removed) == 1);
  CHECK(smaller->find(client(5001), later, removed) == 2);
  CHECK(smaller->size() == 100);
}

TEST_CASE("workers that choose for one client at once agree") {
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kClients = 20'000;
  const auto table = StickyTable::create(2 * kClients);
  std::vector<std::vector<Identity>> chosen(kThreads, std::vector<Identity>(kClients));
  std::barrier start(kThreads);
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      Removals removed;
      start.arrive_and_wait();
      for (uint32_t i = 0; i < kClients; i++) {
        chosen[t][i] = table->claim(client(i), kNobody, t + 1, kNeverExpires, removed);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint32_t t = 1; t < kThreads; t++) CHECK(chosen[t] == chosen[0]);
  CHECK(table->size() == kClients);
}

TEST_CASE("workers find only what belongs to the client, while others evict, forget and save") {
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kClients = 6000;
  const auto table = StickyTable::create(3000);
  std::atomic<uint32_t> wrong{0};
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      Removals removed;
      Times times{.now_ms = 1000, .expire_ms = 500};
      const auto expect = [&wrong](Identity identity, uint32_t number) {
        if (identity != kNobody && identity / 8 != number) wrong++;
      };
      for (int step = 0; step < 30'000; step++) {
        times.now_ms += random() % 2;
        const auto number = static_cast<uint32_t>(1 + random() % kClients);
        const Identity mine = number * 8 + t;
        const Identity found = table->find(client(number), times, removed);
        expect(found, number);
        switch (random() % 4) {
          case 0:
            table->forget(client(number), found, step % 2 == 0);
            break;
          case 1:
            table->use(client(number), found, true, times.now_ms);
            break;
          default:
            expect(table->claim(client(number), found, mine, times, removed), number);
        }
        if (step % 10'000 == 0) {
          for (const SavedEntry& saved : table->saved(0)) {
            if (!(saved.key == client(static_cast<uint32_t>(saved.identity / 8)))) wrong++;
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong.load() == 0);
  CHECK(table->size() == table->saved(0).size());
}

size_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  REQUIRE(file != nullptr);
  unsigned long total = 0;
  unsigned long resident = 0;
  REQUIRE(std::fscanf(file, "%lu %lu", &total, &resident) == 2);
  std::fclose(file);
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

template <typename Operation>
double nanoseconds_each(uint32_t count, Operation&& operation) {
  const auto start = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < count; i++) operation(i);
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  return took.count() / count;
}

TEST_CASE("a million clients: all are held, in memory that grows with them, and found in no time") {
  constexpr uint32_t kClients = 1'000'000;
  const size_t before = resident_bytes();
  const auto table = StickyTable::create(kClients);
  REQUIRE(table != nullptr);
  const size_t empty = resident_bytes() - before;
  Removals removed;
  const double learn_ns = nanoseconds_each(kClients, [&](uint32_t i) {
    static_cast<void>(table->claim(client(i), kNobody, i + 1, kNeverExpires, removed));
  });
  const size_t full = resident_bytes() - before;
  CHECK(removed.evicted == 0);
  CHECK(table->size() == kClients);
  // An odd factor visits every client, each far from the one before.
  uint32_t wrong = 0;
  const double find_ns = nanoseconds_each(kClients, [&](uint32_t i) {
    const auto number = static_cast<uint32_t>(uint64_t{i} * 7919 % kClients);
    if (table->find(client(number), kNeverExpires, removed) != number + 1) wrong++;
  });
  const double miss_ns = nanoseconds_each(kClients, [&](uint32_t i) {
    if (table->find(client(kClients + i), kNeverExpires, removed) != kNobody) wrong++;
  });
  CHECK(wrong == 0);
  const double entry_bytes = static_cast<double>(full) / kClients;
  MESSAGE("1 000 000 entries: " << entry_bytes << " B each, " << empty / 1024
                                << " KiB when empty; to learn " << learn_ns << " ns, to find "
                                << find_ns << " ns, to miss " << miss_ns << " ns");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // 64 for the entry, 8 for its two places in the index, and what a shard has on top.
  CHECK(entry_bytes < 64 + 16);
  CHECK(empty < 1024 * 1024);
#endif
}

}  // namespace
}  // namespace sluice::sticky
