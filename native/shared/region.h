// Region: the one piece of memory that the control plane and the data plane both map (layout.h says
// what stands where), and typed views of its parts. Owned by the engine; lives longer than every
// worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "os/shared_memory.h"
#include "policy/candidate.h"
#include "shared/layout.h"

namespace sluice::shared {

class Region {
 public:
  // `workers` is 1..kWorkersMax. valid() false when it is not, or when the kernel refuses;
  // error() is then the errno.
  [[nodiscard]] static Region create(uint32_t workers);

  [[nodiscard]] bool valid() const { return memory_.valid(); }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] uint32_t workers() const { return workers_; }
  [[nodiscard]] std::span<std::byte> memory() const { return memory_.memory(); }
  [[nodiscard]] int fd() const { return memory_.fd(); }
  void close_fd() { memory_.close_fd(); }

  [[nodiscard]] RegionHeader& header() const;
  [[nodiscard]] std::span<std::byte> image_area(uint32_t area) const;  // 0 or 1
  // `ring` as in RingIndex. Records are kRingRecords each.
  [[nodiscard]] RingHeader& command_header(uint32_t ring) const;
  [[nodiscard]] Command* command_records(uint32_t ring) const;
  [[nodiscard]] RingHeader& event_header(uint32_t ring) const;
  [[nodiscard]] Event* event_records(uint32_t ring) const;
  [[nodiscard]] std::span<std::atomic<uint32_t>> active() const;
  [[nodiscard]] std::span<std::atomic<uint32_t>> listener_active() const;
  [[nodiscard]] std::span<std::atomic<uint32_t>> sticky_entries() const;
  [[nodiscard]] std::span<TurnSignals> turn_signals() const;
  [[nodiscard]] std::span<policy::Bandwidth> bandwidth() const;
  // What policies see of all that.
  [[nodiscard]] policy::Signals signals() const;
  [[nodiscard]] WorkerCounters& worker_counters(uint32_t worker) const;
  [[nodiscard]] std::span<ListenerCounters> listener_counters(uint32_t worker) const;
  [[nodiscard]] std::span<TargetCounters> target_counters(uint32_t worker) const;
  [[nodiscard]] std::span<PoolCounters> pool_counters(uint32_t worker) const;
  [[nodiscard]] std::span<Histogram> response_histograms(uint32_t worker) const;
  [[nodiscard]] std::span<Histogram> connect_histograms(uint32_t worker) const;
  [[nodiscard]] std::span<EndHistograms> end_histograms(uint32_t worker) const;
  [[nodiscard]] ExplainAnswer& explain_answer(uint32_t worker) const;
  [[nodiscard]] std::span<ExplainNote> explain_notes(uint32_t worker) const;

 private:
  template <typename T>
  [[nodiscard]] T* at(uint64_t offset) const;
  [[nodiscard]] uint64_t ring_offset(uint32_t ring) const;
  [[nodiscard]] uint64_t worker_offset(uint32_t worker) const;
  [[nodiscard]] uint64_t explain_offset(uint32_t worker) const;

  os::SharedMemory memory_;
  RegionOffsets offsets_ = {};
  uint32_t workers_ = 0;
  int error_ = 0;
};

}  // namespace sluice::shared
