// StashStore: one worker's buffers for bytes that were read and could not be written at once. A
// direction holds one only while its destination is blocked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::tcp {

class StashStore {
 public:
  // Reserves address space for `stashes_max` buffers of `stash_bytes`; memory is used on touch.
  // When the kernel refuses the address space, the store is simply always empty.
  StashStore(uint32_t stashes_max, uint32_t stash_bytes);
  ~StashStore();
  StashStore(const StashStore&) = delete;
  StashStore& operator=(const StashStore&) = delete;

  [[nodiscard]] bool available() const { return !vacant_.empty(); }
  // Half of them or more are in use, or there are none.
  [[nodiscard]] bool half_full() const { return in_use_ >= vacant_.size(); }
  [[nodiscard]] std::byte* take();  // nullptr at the bound
  void give(std::byte* stash);
  [[nodiscard]] uint32_t in_use() const { return in_use_; }

 private:
  std::byte* memory_ = nullptr;
  size_t mapped_bytes_ = 0;
  uint32_t stash_bytes_ = 0;
  uint32_t in_use_ = 0;
  std::vector<uint32_t> vacant_;  // last in, first out; its capacity is never exceeded
};

}  // namespace sluice::tcp
