// What the kernel and our privileges allow, probed once at start: one line each for the log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::os {

struct Feature {
  std::string_view name;
  bool available = false;
  std::string detail;  // why not, and what is done instead; empty when available
};

// In a fixed order, every name once. Opens and closes a few sockets; milliseconds.
[[nodiscard]] std::vector<Feature> probe_features();

}  // namespace sluice::os
