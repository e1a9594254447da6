// An anonymous private mapping.
#include "os/zero_pages.h"

#include <sys/mman.h>

#include <utility>

namespace sluice::os {

ZeroPages ZeroPages::create(size_t bytes) {
  ZeroPages made;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory != MAP_FAILED) made.memory_ = {static_cast<std::byte*>(memory), bytes};
  return made;
}

ZeroPages::ZeroPages(ZeroPages&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}

ZeroPages& ZeroPages::operator=(ZeroPages&& other) noexcept {
  if (this != &other) {
    unmap();
    memory_ = std::exchange(other.memory_, {});
  }
  return *this;
}

ZeroPages::~ZeroPages() {
  unmap();
}

void ZeroPages::unmap() {
  if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
  memory_ = {};
}

}  // namespace sluice::os
