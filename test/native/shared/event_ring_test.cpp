// Event rings: order, bounds, wrap-around, and a bell that rings once per drain and is never lost.
#include "shared/event_ring.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include "shared/region.h"
#include "support/ring_ends.h"

using namespace sluice::shared;
using sluice::test::answer_doorbell;
using sluice::test::EventReader;

namespace {

void count_ring(void* context) {
  ++*static_cast<std::atomic<uint64_t>*>(context);
}

Event numbered(uint64_t number) {
  Event event{};
  event.type = static_cast<uint16_t>(EventType::connection_closed);
  event.id = static_cast<uint32_t>(number);
  event.to_target_bytes = number;
  event.to_client_bytes = ~number;
  return event;
}

bool intact(const Event& event, uint64_t number) {
  return event.id == static_cast<uint32_t>(number) && event.to_target_bytes == number &&
         event.to_client_bytes == ~number;
}

}  // namespace

TEST_CASE("events come out as they went in, also where the 32-bit indexes wrap around") {
  Region region = Region::create(1);
  std::atomic<uint64_t> rings{0};
  RingHeader& header = region.event_header(1);
  // Three records before the wrap of the counters.
  header.head.store(UINT32_MAX - 2);
  header.tail.store(UINT32_MAX - 2);
  EventRing ring(header, region.event_records(1), region.header(), count_ring, &rings);
  EventReader reader(header, region.event_records(1));
  for (uint64_t i = 0; i < 3 * kRingRecords; i++) {
    REQUIRE(ring.push(numbered(i)));
    const auto event = reader.pop();
    REQUIRE(event.has_value());
    REQUIRE(intact(*event, i));
  }
  CHECK(!reader.pop().has_value());
  CHECK(header.head.load() == static_cast<uint32_t>(3 * kRingRecords - 3));
}

TEST_CASE("a full ring drops the new events, counts them, and keeps the old ones") {
  Region region = Region::create(1);
  std::atomic<uint64_t> rings{0};
  RingHeader& header = region.event_header(0);
  header.head.store(UINT32_MAX - 100);
  header.tail.store(UINT32_MAX - 100);
  EventRing ring(header, region.event_records(0), region.header(), count_ring, &rings);
  EventReader reader(header, region.event_records(0));
  for (uint64_t i = 0; i < kRingRecords; i++) REQUIRE(ring.push(numbered(i)));
  for (int i = 0; i < 5; i++) CHECK(!ring.push(numbered(99)));
  CHECK(header.dropped.load() == 5);
  REQUIRE(intact(*reader.pop(), 0));
  CHECK(ring.push(numbered(kRingRecords)));
  CHECK(!ring.push(numbered(99)));
  CHECK(header.dropped.load() == 6);
  for (uint64_t i = 1; i <= kRingRecords; i++) REQUIRE(intact(*reader.pop(), i));
  CHECK(!reader.pop().has_value());
}

TEST_CASE("the bell rings for the first event and then not again until it was answered") {
  Region region = Region::create(2);
  std::atomic<uint64_t> rings{0};
  EventRing first(region.event_header(1), region.event_records(1), region.header(), count_ring,
                  &rings);
  EventRing second(region.event_header(2), region.event_records(2), region.header(), count_ring,
                   &rings);
  for (uint64_t i = 0; i < 10; i++) first.push(numbered(i));
  second.push(numbered(0));
  CHECK(rings == 1);
  answer_doorbell(region.header());
  second.push(numbered(1));
  first.push(numbered(10));
  CHECK(rings == 2);
}

TEST_CASE("a tail that makes no sense never leads outside the ring") {
  Region region = Region::create(1);
  std::atomic<uint64_t> rings{0};
  RingHeader& header = region.event_header(1);
  // On its own heap block, so that AddressSanitizer sees every access beyond it.
  auto records = std::make_unique<Event[]>(kRingRecords);
  EventRing ring(header, records.get(), region.header(), count_ring, &rings);
  uint32_t expected_drops = 0;
  for (const uint32_t tail : {1U, 5000U, 0x7fffffffU, 0x80000000U, UINT32_MAX - kRingRecords}) {
    header.tail.store(tail);
    const uint32_t head = header.head.load();
    const bool fits = head - tail < kRingRecords;
    for (int i = 0; i < 3; i++) CHECK(ring.push(numbered(7)) == fits);
    if (!fits) expected_drops += 3;
    CHECK(header.dropped.load() == expected_drops);
  }
  // A head overwritten by the other side changes nothing either: the producer has its own.
  header.tail.store(0);
  header.head.store(123456);
  CHECK(ring.push(numbered(8)));
  CHECK(header.head.load() == 1);
}

TEST_CASE("two producers and a consumer that sleeps lose no event and no wake-up") {
  constexpr uint64_t kEvents = 200'000;
  constexpr uint32_t kProducers = 2;
  Region region = Region::create(kProducers);
  // The consumer sleeps on this, as JavaScript's loop sleeps until the doorbell's function runs. A
  // lost wake-up would leave it asleep with events waiting, and the producers, who wait for room,
  // with it: the test would never end. The bound makes it fail instead.
  struct Bell {
    std::counting_semaphore<> semaphore{0};
    std::atomic<uint64_t> rings{0};
  } bell;
  const auto ring_bell = [](void* context) {
    auto* const rung = static_cast<Bell*>(context);
    rung->rings++;
    rung->semaphore.release();
  };
  std::vector<std::thread> producers;
  for (uint32_t producer = 1; producer <= kProducers; producer++) {
    producers.emplace_back([&region, &bell, ring_bell, producer] {
      EventRing ring(region.event_header(producer), region.event_records(producer), region.header(),
                     ring_bell, &bell);
      for (uint64_t i = 0; i < kEvents; i++) {
        while (!ring.push(numbered(i))) std::this_thread::yield();
      }
    });
  }
  uint64_t next[kProducers + 1] = {};
  uint64_t drains = 0;
  bool in_order = true;
  bool woken = true;
  while (woken && next[1] + next[2] < kProducers * kEvents) {
    woken = bell.semaphore.try_acquire_for(std::chrono::seconds(20));
    drains++;
    answer_doorbell(region.header());
    for (uint32_t producer = 1; producer <= kProducers; producer++) {
      EventReader reader(region.event_header(producer), region.event_records(producer));
      while (const auto event = reader.pop()) {
        in_order = in_order && intact(*event, next[producer]);
        next[producer]++;
      }
    }
  }
  for (std::thread& producer : producers) {
    // After a lost wake-up a producer waits for ever for room; that is worth a crash here.
    if (woken) {
      producer.join();
    } else {
      producer.detach();
    }
  }
  REQUIRE(woken);
  CHECK(in_order);
  CHECK(next[1] == kEvents);
  CHECK(next[2] == kEvents);
  // At most one ring per answered bell, and one that may still be pending.
  CHECK(bell.rings <= drains + 1);
}

TEST_CASE("an event pushed while the bell is being answered is drained or rings again") {
  // Each round the first event rings and the second one meets the consumer somewhere between the
  // bell's answer and the end of the drain. Nothing is pushed then until both were consumed, so a
  // ring that is lost is never made good by the next one.
  constexpr uint64_t kRounds = 100'000;
  Region region = Region::create(1);
  std::atomic<uint64_t> rings{0};
  std::atomic<uint64_t> consumed{0};
  std::atomic<bool> lost{false};
  std::thread producer([&] {
    EventRing ring(region.event_header(1), region.event_records(1), region.header(), count_ring,
                   &rings);
    for (uint64_t round = 0; round < kRounds && !lost; round++) {
      ring.push(numbered(2 * round));
      for (uint64_t pause = 0; pause < round % 64; pause++) {
        std::atomic_signal_fence(std::memory_order_seq_cst);
      }
      ring.push(numbered(2 * round + 1));
      while (consumed < 2 * round + 2 && !lost) std::this_thread::yield();
    }
  });
  EventReader reader(region.event_header(1), region.event_records(1));
  uint64_t heard = 0;
  auto last_news = std::chrono::steady_clock::now();
  while (consumed < 2 * kRounds && !lost) {
    if (rings == heard) {
      // Twenty seconds without a ring although the producer waits: it is lost.
      lost = std::chrono::steady_clock::now() - last_news > std::chrono::seconds(20);
      std::this_thread::yield();
      continue;
    }
    heard = rings;
    last_news = std::chrono::steady_clock::now();
    answer_doorbell(region.header());
    while (const auto event = reader.pop()) consumed++;
  }
  producer.join();
  CHECK(!lost);
  CHECK(consumed == 2 * kRounds);
}
