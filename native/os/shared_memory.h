// SharedMemory: anonymous memory with a descriptor (memfd), mapped here, that another mapping or
// process can see too. Its size is sealed, so that nobody can shrink it under a reader (SIGBUS).
#pragma once

#include <cstddef>
#include <span>

#include "os/fd.h"

namespace sluice::os {

class SharedMemory {
 public:
  // All zero; pages cost nothing until they are touched. valid() false when the kernel refuses,
  // error() then says why.
  [[nodiscard]] static SharedMemory create(const char* name, size_t bytes);
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  [[nodiscard]] bool valid() const { return !memory_.empty(); }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] std::span<std::byte> memory() const { return memory_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Mappings that exist stay; no further one can be made.
  void close_fd() { fd_.reset(); }

 private:
  void unmap();
  Fd fd_;
  std::span<std::byte> memory_;
  int error_ = 0;
};

}  // namespace sluice::os
