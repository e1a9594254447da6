// Sums the workers' counters of each target and compares with a second ago.
#include "engine/target_signals.h"

#include <algorithm>

#include "shared/response_time.h"

namespace sluice::engine {

namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;
constexpr uint64_t kSecondNs = 1000 * kMillisecondNs;

}  // namespace

void TargetSignals::turn(const table::Table* table, uint64_t now_ns) {
  const bool wanted =
      table != nullptr && std::any_of(table->pools.begin(), table->pools.end(),
                                      [](const table::Pool& pool) { return pool.reads_signals(); });
  if (!wanted) {
    measured_ns_.reset();
    seen_.clear();
    return;
  }
  if (measured_ns_ && now_ns - *measured_ns_ < kSecondNs) return;
  if (seen_.empty()) seen_.resize(shared::kTargetSlotsMax);
  measure(*table, measured_ns_ ? now_ns - *measured_ns_ : 0);
  measured_ns_ = now_ns;
}

int TargetSignals::due_in_ms(uint64_t now_ns) const {
  if (!measured_ns_) return -1;
  const uint64_t since = now_ns - *measured_ns_;
  // Rounded up: not awake a little too early, and then again.
  return since >= kSecondNs
             ? 0
             : static_cast<int>((kSecondNs - since + kMillisecondNs - 1) / kMillisecondNs);
}

// A slot in use stays its target's from table to table. One that was not may have got another owner
// if no connection counts on it any more: while one does, the control plane gives it to nobody
// else.
void TargetSignals::begin_anew(const table::Table& next, const table::Table* current) {
  for (const table::Target& target : next.targets) {
    const table::Target* before = current == nullptr ? nullptr : current->target_at(target.slot);
    const bool in_use = before != nullptr && before->pool_slot != shared::kNoSlot;
    // Relaxed: nobody is sent to a slot that is not in use, so a count of 0 stays.
    if (in_use || region_.active()[target.slot].load(std::memory_order_relaxed) != 0) continue;
    forget(target.slot);
  }
}

void TargetSignals::forget(uint32_t slot) {
  // Relaxed: estimates.
  shared::TurnSignals& turns = region_.turn_signals()[slot];
  turns.response_us.store(0, std::memory_order_relaxed);
  turns.measured.store(false, std::memory_order_relaxed);
  policy::Bandwidth& bandwidth = region_.bandwidth()[slot];
  bandwidth.bytes_per_s.store(0, std::memory_order_relaxed);
  bandwidth.active.store(0, std::memory_order_relaxed);
  if (!seen_.empty()) seen_[slot] = {};
}

void TargetSignals::measure(const table::Table& table, uint64_t elapsed_ns) {
  std::vector<bool> reads(shared::kPoolSlotsMax);
  for (const table::Pool& pool : table.pools) reads[pool.slot] = pool.reads_signals();
  for (const table::Target& target : table.targets) {
    Seen& seen = seen_[target.slot];
    // What nobody picks by is only shown, and shown as it was measured.
    if (target.pool_slot == shared::kNoSlot || !reads[target.pool_slot]) {
      seen = {};
      continue;
    }
    measure_bandwidth(target.slot, seen, elapsed_ns);
    age_response(target.slot, seen);
  }
}

// A quarter of the difference each second: three or four seconds of traffic count.
void TargetSignals::measure_bandwidth(uint32_t slot, Seen& seen, uint64_t elapsed_ns) {
  const uint64_t bytes = bytes_of(slot);
  policy::Bandwidth& bandwidth = region_.bandwidth()[slot];
  if (seen.counted && elapsed_ns != 0) {
    const double per_s =
        static_cast<double>(bytes - seen.bytes) * 1e9 / static_cast<double>(elapsed_ns);
    const auto before = static_cast<double>(bandwidth.bytes_per_s.load(std::memory_order_relaxed));
    // Relaxed: an estimate. So is the number of connections that goes with it.
    bandwidth.bytes_per_s.store(static_cast<uint64_t>(before + (per_s - before) / 4),
                                std::memory_order_relaxed);
    bandwidth.active.store(region_.active()[slot].load(std::memory_order_relaxed),
                           std::memory_order_relaxed);
  }
  seen.bytes = bytes;
  seen.counted = true;
}

// One that has not changed for a second has had no sample, or one that changed nothing.
void TargetSignals::age_response(uint32_t slot, Seen& seen) {
  std::atomic<uint32_t>& response_us = region_.turn_signals()[slot].response_us;
  uint32_t known = response_us.load(std::memory_order_relaxed);
  if (known == seen.response_us) {
    // Relaxed; when a worker comes between, its sample counts and this second does not.
    const uint32_t aged = shared::after_silence(known);
    if (response_us.compare_exchange_strong(known, aged, std::memory_order_relaxed)) known = aged;
  }
  seen.response_us = known;
}

uint64_t TargetSignals::bytes_of(uint32_t slot) const {
  uint64_t bytes = 0;
  for (uint32_t worker = 0; worker < region_.workers(); worker++) {
    const shared::TargetCounters& row = region_.target_counters(worker)[slot];
    bytes += row.to_target_bytes.load(std::memory_order_relaxed) +
             row.to_client_bytes.load(std::memory_order_relaxed);
  }
  return bytes;
}

}  // namespace sluice::engine
