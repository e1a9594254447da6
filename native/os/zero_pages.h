// ZeroPages: memory of this process alone that is zero, and costs nothing until it is touched. What
// the allocator gives may be memory that it used before, cleared, and so touched, all of it.
#pragma once

#include <cstddef>
#include <span>

namespace sluice::os {

class ZeroPages {
 public:
  // Of whole pages, at least `bytes`. valid() false when the kernel refuses.
  [[nodiscard]] static ZeroPages create(size_t bytes);
  ZeroPages() = default;
  ZeroPages(ZeroPages&& other) noexcept;
  ZeroPages& operator=(ZeroPages&& other) noexcept;
  ZeroPages(const ZeroPages&) = delete;
  ZeroPages& operator=(const ZeroPages&) = delete;
  ~ZeroPages();

  [[nodiscard]] bool valid() const { return !memory_.empty(); }
  [[nodiscard]] std::byte* data() const { return memory_.data(); }

 private:
  void unmap();
  std::span<std::byte> memory_;
};

}  // namespace sluice::os
