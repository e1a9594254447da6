// Stashes: one mapping, handed out in pieces; a crowd of slow readers does not leave its memory
// with us after it has gone.
#include "tcp/stash_store.h"

#include <sys/mman.h>

#include "os/check.h"

namespace sluice::tcp {

namespace {

// Pieces below this index keep their pages when given back. The lowest ones are handed out first.
constexpr uint32_t kResidentStashes = 64;

}  // namespace

StashStore::StashStore(uint32_t stashes_max, uint32_t stash_bytes) : stash_bytes_(stash_bytes) {
  const size_t bytes = size_t{stashes_max} * stash_bytes;
  if (bytes == 0) return;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  memory_ = static_cast<std::byte*>(memory);
  mapped_bytes_ = bytes;
  vacant_.reserve(stashes_max);
  for (uint32_t index = stashes_max; index > 0; index--) vacant_.push_back(index - 1);
}

StashStore::~StashStore() {
  if (memory_ != nullptr) ::munmap(memory_, mapped_bytes_);
}

std::byte* StashStore::take() {
  if (vacant_.empty()) return nullptr;
  const uint32_t index = vacant_.back();
  vacant_.pop_back();
  in_use_++;
  return memory_ + size_t{index} * stash_bytes_;
}

void StashStore::give(std::byte* stash) {
  SLUICE_CHECK(stash >= memory_ && stash < memory_ + mapped_bytes_ && in_use_ > 0);
  const auto offset = static_cast<size_t>(stash - memory_);
  SLUICE_CHECK(offset % stash_bytes_ == 0);
  const auto index = static_cast<uint32_t>(offset / stash_bytes_);
  if (index >= kResidentStashes) {
    // Refused only for a range that is not ours to advise on; the memory then just stays.
    [[maybe_unused]] const int advised = ::madvise(stash, stash_bytes_, MADV_DONTNEED);
  }
  in_use_--;
  vacant_.push_back(index);
}

}  // namespace sluice::tcp
