// memfd_create, ftruncate, mmap and the seals.
#include "os/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace sluice::os {

SharedMemory SharedMemory::create(const char* name, size_t bytes) {
  SharedMemory out;
  out.fd_ = Fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!out.fd_.valid() || ::ftruncate(out.fd_.get(), static_cast<off_t>(bytes)) != 0) {
    out.error_ = errno;
    return out;
  }
  // Writing stays allowed to both sides; the size is fixed, and so is this set of seals.
  if (::fcntl(out.fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    out.error_ = errno;
    return out;
  }
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, out.fd_.get(), 0);
  if (memory == MAP_FAILED) {
    out.error_ = errno;
    return out;
  }
  out.memory_ = {static_cast<std::byte*>(memory), bytes};
  return out;
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)),
      memory_(std::exchange(other.memory_, {})),
      error_(std::exchange(other.error_, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  if (this != &other) {
    unmap();
    fd_ = std::move(other.fd_);
    memory_ = std::exchange(other.memory_, {});
    error_ = std::exchange(other.error_, 0);
  }
  return *this;
}

SharedMemory::~SharedMemory() {
  unmap();
}

void SharedMemory::unmap() {
  if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
  memory_ = {};
}

}  // namespace sluice::os
