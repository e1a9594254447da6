// What a record through a ring costs: events to the control plane, commands from it. The other
// side's part (a copy and a store) is played by the benchmark.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "shared/command_ring.h"
#include "shared/event_ring.h"
#include "shared/layout.h"
#include "shared/region.h"

namespace sluice {
namespace {

void ring_no_bell(void*) {}

shared::Region make_region() {
  shared::Region region = shared::Region::create(1);
  if (!region.valid()) std::abort();
  return region;
}

void event_ring_push(benchmark::State& state) {
  const shared::Region region = make_region();
  shared::RingHeader& header = region.event_header(shared::RingIndex::worker(0));
  shared::EventRing ring(header, region.event_records(shared::RingIndex::worker(0)),
                         region.header(), ring_no_bell, nullptr);
  // A drain that is under way: no event but the first rings.
  region.header().doorbell_pending.store(1);
  shared::Event event{};
  event.type = static_cast<uint16_t>(shared::EventType::connection_closed);
  for (auto _ : state) {
    if (!ring.push(event)) state.SkipWithError("the ring is full");
    header.tail.store(header.head.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
}

void event_ring_push_full(benchmark::State& state) {
  const shared::Region region = make_region();
  shared::EventRing ring(region.event_header(shared::RingIndex::worker(0)),
                         region.event_records(shared::RingIndex::worker(0)), region.header(),
                         ring_no_bell, nullptr);
  const shared::Event event{};
  while (ring.push(event)) continue;
  for (auto _ : state) benchmark::DoNotOptimize(ring.push(event));
}

void command_ring_pop(benchmark::State& state) {
  const shared::Region region = make_region();
  shared::RingHeader& header = region.command_header(shared::RingIndex::worker(0));
  shared::Command* records = region.command_records(shared::RingIndex::worker(0));
  shared::CommandRing ring(header, records, shared::CommandReader::worker);
  shared::Command command{};
  command.type = static_cast<uint32_t>(shared::CommandType::close_connections);
  command.scope = static_cast<uint32_t>(shared::CloseScope::all);
  uint32_t head = header.head.load();
  for (auto _ : state) {
    records[head % shared::kRingRecords] = command;
    header.head.store(++head, std::memory_order_release);
    if (!ring.pop()) state.SkipWithError("the command was refused");
  }
}

BENCHMARK(event_ring_push);
BENCHMARK(event_ring_push_full);
BENCHMARK(command_ring_pop);

}  // namespace
}  // namespace sluice
