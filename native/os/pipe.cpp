// Pipes for splice: made lazily, sized once, reused only when proven empty.
#include "os/pipe.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>

#include "os/check.h"

namespace sluice::os {

namespace {

constexpr uint32_t kPageBytes = 4096;
// A default pipe. A smaller one means that the user's account is over its soft limit: two pages
// per call move less than a copy does.
constexpr uint32_t kUsefulPipeBytes = 16 * kPageBytes;

// The kernel's own check looks at the initial user namespace: inside another one the effective
// set says nothing about it.
bool in_initial_user_namespace() {
  std::FILE* file = std::fopen("/proc/self/uid_map", "re");
  if (file == nullptr) return false;
  unsigned inside = 1;
  unsigned outside = 1;
  unsigned count = 0;
  const int fields = std::fscanf(file, "%u %u %u", &inside, &outside, &count);
  std::fclose(file);
  return fields == 3 && inside == 0 && outside == 0 && count == UINT32_MAX;
}

bool limits_do_not_apply() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  const uint32_t wanted = (1U << CAP_SYS_RESOURCE) | (1U << CAP_SYS_ADMIN);
  return (data[0].effective & wanted) != 0 && in_initial_user_namespace();
}

uint32_t soft_limit_pages() {
  uint32_t pages = 16384;  // the kernel's default
  if (std::FILE* file = std::fopen("/proc/sys/fs/pipe-user-pages-soft", "re")) {
    if (std::fscanf(file, "%u", &pages) != 1) pages = 16384;
    std::fclose(file);
  }
  return pages;
}

}  // namespace

uint32_t pipe_pages_max(uint32_t workers) {
  const uint32_t soft = soft_limit_pages();
  if (soft == 0 || limits_do_not_apply()) return UINT32_MAX;
  return soft / 2 / std::max(workers, 1U);
}

PipeStore::PipeStore(const PipeStoreOptions& options)
    : options_(options), pipes_(options.pipes_max) {
  kept_.reserve(pipes_.size());
  vacant_.reserve(pipes_.size());
  for (Pipe& pipe : pipes_) vacant_.push_back(&pipe);
}

Pipe* PipeStore::take() {
  Pipe* pipe = nullptr;
  if (!kept_.empty()) {
    pipe = kept_.back();
    kept_.pop_back();
  } else if (!vacant_.empty() && open(*vacant_.back())) {
    pipe = vacant_.back();
    vacant_.pop_back();
  }
  if (pipe != nullptr) in_use_++;
  return pipe;
}

void PipeStore::give(Pipe* pipe) {
  SLUICE_CHECK(pipe >= pipes_.data() && pipe < pipes_.data() + pipes_.size() && in_use_ > 0);
  in_use_--;
  if (pipe->bytes == 0) {
    kept_.push_back(pipe);
    return;
  }
  close(*pipe);
  vacant_.push_back(pipe);
}

bool PipeStore::open(Pipe& pipe) {
  // Before the kernel is asked, so that this worker never takes more than its share.
  const uint32_t least_pages = kUsefulPipeBytes / kPageBytes;
  if (options_.pages_max - std::min(pages_, options_.pages_max) < least_pages) return false;
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return false;
  Fd read(ends[0]);
  Fd write(ends[1]);
  const uint32_t room_pages = options_.pages_max - pages_;
  const uint64_t room_bytes = uint64_t{room_pages} * kPageBytes;
  // The kernel rounds up to a power of two; rounded down first, that cannot pass our share.
  const uint64_t asked = std::bit_floor(std::min<uint64_t>(options_.pipe_bytes, room_bytes));
  // EPERM (over fs.pipe-max-size or the account's limit) leaves the pipe as it was made: useful.
  [[maybe_unused]] const int resized = ::fcntl(write.get(), F_SETPIPE_SZ, static_cast<int>(asked));
  const int capacity = ::fcntl(write.get(), F_GETPIPE_SZ);
  const auto useful = std::min(kUsefulPipeBytes, options_.pipe_bytes);
  if (capacity < 0 || static_cast<uint32_t>(capacity) < useful) return false;
  pipe.read = std::move(read);
  pipe.write = std::move(write);
  pipe.bytes = 0;
  pipe.capacity_bytes = static_cast<uint32_t>(capacity);
  pages_ += pipe.capacity_bytes / kPageBytes;
  open_count_++;
  return true;
}

void PipeStore::close(Pipe& pipe) {
  pages_ -= pipe.capacity_bytes / kPageBytes;
  open_count_--;
  pipe = Pipe{};
}

}  // namespace sluice::os
