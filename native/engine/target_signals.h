// TargetSignals: what policies are told about targets that no worker can measure on its way: bytes
// per second, and response times that fall while nobody asks. Once a second, by the coordinator,
// and only for the targets of pools whose policy looks at it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shared/region.h"
#include "table/table.h"

namespace sluice::engine {

class TargetSignals {
 public:
  explicit TargetSignals(const shared::Region& region) : region_(region) {}

  // Measures when it is time to. `table` may be null. The next time is at due_in_ms().
  void turn(const table::Table* table, uint64_t now_ns);
  // Before `next` is published: a slot that goes to another target begins with nothing known.
  // `current` may be null.
  void begin_anew(const table::Table& next, const table::Table* current);
  // -1: never, with the table of the last turn.
  [[nodiscard]] int due_in_ms(uint64_t now_ns) const;

 private:
  // What was seen at a target's last measurement.
  struct Seen {
    uint64_t bytes = 0;
    uint32_t response_us = 0;
    bool counted = false;  // false: bytes is not known yet
  };

  void forget(uint32_t slot);
  void measure(const table::Table& table, uint64_t elapsed_ns);
  void measure_bandwidth(uint32_t slot, Seen& seen, uint64_t elapsed_ns);
  void age_response(uint32_t slot, Seen& seen);
  [[nodiscard]] uint64_t bytes_of(uint32_t slot) const;

  const shared::Region& region_;
  std::vector<Seen> seen_;  // by slot; empty while nothing is measured
  std::optional<uint64_t> measured_ns_;
};

}  // namespace sluice::engine
