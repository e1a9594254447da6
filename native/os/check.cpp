// Says which invariant broke and stops: going on would corrupt somebody's stream.
#include "os/check.h"

#include <cstdio>
#include <cstdlib>

namespace sluice::os {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "sluice: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace sluice::os
