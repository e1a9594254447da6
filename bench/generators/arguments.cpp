// Reading `--name value` pairs from a command line.
#include "generators/arguments.h"

#include <charconv>
#include <cstring>

#include "generators/outcome.h"

namespace sluice::bench {

const char* Arguments::find(std::string_view name) const {
  for (int i = 1; i + 1 < count_; i += 2) {
    const std::string_view word = values_[i];
    if (word.starts_with("--") && word.substr(2) == name) return values_[i + 1];
  }
  return nullptr;
}

std::string Arguments::text(std::string_view name) const {
  const char* found = find(name);
  if (found == nullptr) stop("--" + std::string(name) + " is missing");
  return found;
}

uint64_t Arguments::number(std::string_view name, uint64_t otherwise) const {
  const char* found = find(name);
  if (found == nullptr) return otherwise;
  uint64_t value = 0;
  const char* end = found + std::strlen(found);
  const auto [stopped_at, error] = std::from_chars(found, end, value);
  if (error != std::errc() || stopped_at != end) {
    stop("--" + std::string(name) + " is not a number: " + found);
  }
  return value;
}

}  // namespace sluice::bench
