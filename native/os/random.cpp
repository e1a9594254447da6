// getrandom(2), whole or not at all.
#include "os/random.h"

#include <sys/random.h>

#include <cerrno>

#include "os/check.h"

namespace sluice::os {

void fill_random(std::span<std::byte> into) {
  while (!into.empty()) {
    const ssize_t filled = ::getrandom(into.data(), into.size(), 0);
    if (filled < 0 && errno == EINTR) continue;
    // Cannot fail otherwise since Linux 3.17; a key of zeros would be no key.
    SLUICE_CHECK(filled > 0);
    into = into.subspan(static_cast<size_t>(filled));
  }
}

}  // namespace sluice::os
