// The region's creation and its views.
#include "shared/region.h"

#include <cerrno>

#include "os/check.h"

namespace sluice::shared {

Region Region::create(uint32_t workers) {
  Region region;
  if (workers == 0 || workers > kWorkersMax) {
    region.error_ = EINVAL;
    return region;
  }
  region.offsets_ = region_offsets(workers);
  region.memory_ = os::SharedMemory::create("sluice-region", region.offsets_.total_bytes);
  region.error_ = region.memory_.error();
  if (!region.memory_.valid()) return region;
  region.workers_ = workers;
  RegionHeader& header = region.header();
  header.magic = kRegionMagic;
  header.version = kRegionVersion;
  header.total_bytes = region.offsets_.total_bytes;
  header.worker_count = workers;
  return region;
}

// The kernel's zero pages are the initial state of every atomic and record here. Constructing them
// one by one would touch, and so allocate, every page of every slot that may never be used.
template <typename T>
T* Region::at(uint64_t offset) const {
  SLUICE_CHECK(offset + sizeof(T) <= memory_.memory().size() && offset % alignof(T) == 0);
  return reinterpret_cast<T*>(memory_.memory().data() + offset);
}

uint64_t Region::ring_offset(uint32_t ring) const {
  return offsets_.first_ring + offsets_.ring_bytes * ring;
}

uint64_t Region::worker_offset(uint32_t worker) const {
  SLUICE_CHECK(worker < workers_);
  return offsets_.first_worker + offsets_.worker_bytes * worker;
}

uint64_t Region::explain_offset(uint32_t worker) const {
  SLUICE_CHECK(worker < workers_);
  return offsets_.first_explain + offsets_.explain_bytes * worker;
}

RegionHeader& Region::header() const {
  return *at<RegionHeader>(0);
}

std::span<std::byte> Region::image_area(uint32_t area) const {
  SLUICE_CHECK(area < 2);
  return memory_.memory().subspan(offsets_.image_area[area], kImageBytesMax);
}

RingHeader& Region::command_header(uint32_t ring) const {
  SLUICE_CHECK(ring <= workers_);
  return *at<RingHeader>(ring_offset(ring));
}

Command* Region::command_records(uint32_t ring) const {
  SLUICE_CHECK(ring <= workers_);
  return at<Command>(ring_offset(ring) + sizeof(RingHeader));
}

RingHeader& Region::event_header(uint32_t ring) const {
  SLUICE_CHECK(ring <= workers_);
  return *at<RingHeader>(ring_offset(workers_ + 1 + ring));
}

Event* Region::event_records(uint32_t ring) const {
  SLUICE_CHECK(ring <= workers_);
  return at<Event>(ring_offset(workers_ + 1 + ring) + sizeof(RingHeader));
}

std::span<std::atomic<uint32_t>> Region::active() const {
  return {at<std::atomic<uint32_t>>(offsets_.active), kTargetSlotsMax};
}

std::span<std::atomic<uint32_t>> Region::listener_active() const {
  return {at<std::atomic<uint32_t>>(offsets_.listener_active), kListenerSlotsMax};
}

std::span<std::atomic<uint32_t>> Region::sticky_entries() const {
  return {at<std::atomic<uint32_t>>(offsets_.sticky_entries), kPoolSlotsMax};
}

std::span<TurnSignals> Region::turn_signals() const {
  return {at<TurnSignals>(offsets_.turn_signals), kTargetSlotsMax};
}

std::span<policy::Bandwidth> Region::bandwidth() const {
  static_assert(sizeof(policy::Bandwidth) == kBandwidthBytes);
  return {at<policy::Bandwidth>(offsets_.bandwidth), kTargetSlotsMax};
}

policy::Signals Region::signals() const {
  constexpr size_t kStride = sizeof(TurnSignals) / sizeof(uint32_t);
  const std::span<const TurnSignals> turns = turn_signals();
  return {.active = active(),
          .load = active(),
          .turns = {&turns.front().active_turns, turns.size(), kStride},
          .response_us = {&turns.front().response_us, turns.size(), kStride},
          .bandwidth = bandwidth()};
}

WorkerCounters& Region::worker_counters(uint32_t worker) const {
  return *at<WorkerCounters>(worker_offset(worker));
}

std::span<ListenerCounters> Region::listener_counters(uint32_t worker) const {
  return {at<ListenerCounters>(worker_offset(worker) + offsets_.listener_rows), kListenerSlotsMax};
}

std::span<TargetCounters> Region::target_counters(uint32_t worker) const {
  return {at<TargetCounters>(worker_offset(worker) + offsets_.target_rows), kTargetSlotsMax};
}

std::span<PoolCounters> Region::pool_counters(uint32_t worker) const {
  return {at<PoolCounters>(worker_offset(worker) + offsets_.pool_rows), kPoolSlotsMax};
}

std::span<Histogram> Region::response_histograms(uint32_t worker) const {
  return {at<Histogram>(worker_offset(worker) + offsets_.response_rows), kTargetSlotsMax};
}

std::span<Histogram> Region::connect_histograms(uint32_t worker) const {
  return {at<Histogram>(worker_offset(worker) + offsets_.connect_rows), kTargetSlotsMax};
}

std::span<EndHistograms> Region::end_histograms(uint32_t worker) const {
  return {at<EndHistograms>(worker_offset(worker) + offsets_.end_rows), kListenerSlotsMax};
}

ExplainAnswer& Region::explain_answer(uint32_t worker) const {
  return *at<ExplainAnswer>(explain_offset(worker));
}

std::span<ExplainNote> Region::explain_notes(uint32_t worker) const {
  return {at<ExplainNote>(explain_offset(worker) + sizeof(ExplainAnswer)), kTargetSlotsMax};
}

}  // namespace sluice::shared
