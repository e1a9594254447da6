// The region: every view where the layout says, none over another, and no page touched early.
#include "shared/region.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

using namespace sluice::shared;

namespace {

struct Part {
  const void* first;
  size_t bytes;
};

std::vector<Part> parts_of(const Region& region) {
  std::vector<Part> parts = {{&region.header(), sizeof(RegionHeader)}};
  for (const uint32_t area : {0U, 1U}) {
    parts.push_back({region.image_area(area).data(), region.image_area(area).size()});
  }
  for (uint32_t ring = 0; ring <= region.workers(); ring++) {
    const size_t records_bytes = size_t{kRingRecords} * kRecordBytes;
    parts.push_back({&region.command_header(ring), sizeof(RingHeader)});
    parts.push_back({region.command_records(ring), records_bytes});
    parts.push_back({&region.event_header(ring), sizeof(RingHeader)});
    parts.push_back({region.event_records(ring), records_bytes});
  }
  parts.push_back({region.active().data(), region.active().size_bytes()});
  parts.push_back({region.listener_active().data(), region.listener_active().size_bytes()});
  parts.push_back({region.turn_signals().data(), region.turn_signals().size_bytes()});
  parts.push_back({region.bandwidth().data(), region.bandwidth().size_bytes()});
  for (uint32_t worker = 0; worker < region.workers(); worker++) {
    const auto listeners = region.listener_counters(worker);
    const auto targets = region.target_counters(worker);
    const auto responses = region.response_histograms(worker);
    parts.push_back({&region.worker_counters(worker), sizeof(WorkerCounters)});
    parts.push_back({listeners.data(), listeners.size_bytes()});
    parts.push_back({targets.data(), targets.size_bytes()});
    parts.push_back({responses.data(), responses.size_bytes()});
    const auto connects = region.connect_histograms(worker);
    const auto ends = region.end_histograms(worker);
    parts.push_back({connects.data(), connects.size_bytes()});
    parts.push_back({ends.data(), ends.size_bytes()});
    const auto notes = region.explain_notes(worker);
    parts.push_back({&region.explain_answer(worker), sizeof(ExplainAnswer)});
    parts.push_back({notes.data(), notes.size_bytes()});
  }
  return parts;
}

}  // namespace

TEST_CASE("the parts of a region lie inside it, aligned, and none over another") {
  for (const uint32_t workers : {1U, 2U, 7U, kWorkersMax}) {
    CAPTURE(workers);
    const Region region = Region::create(workers);
    REQUIRE(region.valid());
    std::vector<Part> parts = parts_of(region);
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.first < b.first; });
    const std::byte* end = region.memory().data();
    for (const Part& part : parts) {
      const auto* first = static_cast<const std::byte*>(part.first);
      CHECK(first >= end);
      CHECK(reinterpret_cast<uintptr_t>(first) % kCacheLineBytes == 0);
      end = first + part.bytes;
    }
    CHECK(end <= region.memory().data() + region.memory().size());
  }
}

TEST_CASE("a new region says what it is and counts nothing") {
  const Region region = Region::create(2);
  REQUIRE(region.valid());
  CHECK(region.header().magic == kRegionMagic);
  CHECK(region.header().version == kRegionVersion);
  CHECK(region.header().worker_count == 2);
  CHECK(region.header().total_bytes == region.memory().size());
  CHECK(region.header().doorbell_pending.load() == 0);
  CHECK(region.command_header(2).head.load() == 0);
  CHECK(region.target_counters(1)[kTargetSlotsMax - 1].turns_unmeasured.load() == 0);
}

TEST_CASE("a region of the largest size takes hardly any memory until it is used") {
  const Region region = Region::create(kWorkersMax);
  REQUIRE(region.valid());
  struct stat status{};
  REQUIRE(::fstat(region.fd(), &status) == 0);
  CHECK(static_cast<uint64_t>(status.st_size) == region.memory().size());
  CHECK(status.st_blocks * 512 <= 64 * 1024);
}

TEST_CASE("another mapping of the descriptor sees the same memory, and no one can resize it") {
  const Region region = Region::create(1);
  REQUIRE(region.valid());
  void* other = ::mmap(nullptr, region.memory().size(), PROT_READ, MAP_SHARED, region.fd(), 0);
  REQUIRE(other != MAP_FAILED);
  add(region.worker_counters(0).copied_bytes, 7);
  const auto offset = reinterpret_cast<std::byte*>(&region.worker_counters(0).copied_bytes) -
                      region.memory().data();
  CHECK(reinterpret_cast<const Counter*>(static_cast<std::byte*>(other) + offset)->load() == 7);
  ::munmap(other, region.memory().size());
  CHECK(::ftruncate(region.fd(), 4096) != 0);
  CHECK(::ftruncate(region.fd(), static_cast<off_t>(region.memory().size() * 2)) != 0);
}

TEST_CASE("a region for no worker or too many is refused") {
  CHECK(!Region::create(0).valid());
  CHECK(!Region::create(kWorkersMax + 1).valid());
  CHECK(Region::create(0).error() == EINVAL);
}

TEST_CASE("a region that is moved stays mapped once") {
  Region first = Region::create(1);
  add(first.worker_counters(0).loops, 3);
  Region second = std::move(first);
  CHECK(!first.valid());
  CHECK(second.worker_counters(0).loops.load() == 3);
}
