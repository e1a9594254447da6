// Pipes: bounded, reused when empty, closed when not, and modest where the kernel is strict.
#include "os/pipe.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <thread>
#include <vector>

#include "os/sys.h"

using namespace sluice;
using os::Pipe;
using os::PipeStore;

namespace {

constexpr uint32_t kDefaultPipeBytes = 64 * 1024;
constexpr uid_t kNobody = 65534;

// On a thread without privileges: the system call itself changes this thread alone.
template <typename Body>
bool as_nobody(Body&& body) {
  bool dropped = false;
  std::thread thread([&] {
    dropped = ::syscall(SYS_setresuid, kNobody, kNobody, kNobody) == 0;
    if (dropped) body();
  });
  thread.join();
  return dropped;
}

uint32_t read_number(const char* path) {
  uint32_t number = 0;
  std::FILE* file = std::fopen(path, "re");
  REQUIRE(file != nullptr);
  REQUIRE(std::fscanf(file, "%u", &number) == 1);
  std::fclose(file);
  return number;
}

}  // namespace

TEST_CASE("a store lends as many pipes as its bound and makes none before it must") {
  PipeStore store({2, 256 * 1024, UINT32_MAX});
  CHECK(store.open_count() == 0);
  Pipe* const first = store.take();
  Pipe* const second = store.take();
  REQUIRE(first != nullptr);
  REQUIRE(second != nullptr);
  CHECK(store.take() == nullptr);
  CHECK(store.in_use() == 2);
  CHECK(first->bytes == 0);
  CHECK(first->capacity_bytes == static_cast<uint32_t>(::fcntl(first->read.get(), F_GETPIPE_SZ)));
  CHECK(first->capacity_bytes >= kDefaultPipeBytes);
  CHECK((::fcntl(first->read.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(first->write.get(), F_GETFD) & FD_CLOEXEC) != 0);
  store.give(first);
  CHECK(store.in_use() == 1);
  CHECK(store.take() == first);
  CHECK(store.open_count() == 2);
  store.give(first);
  store.give(second);
  CHECK(store.in_use() == 0);
}

TEST_CASE("a pipe with bytes in it is closed, so that no other client ever reads them") {
  PipeStore store({1, kDefaultPipeBytes, UINT32_MAX});
  Pipe* pipe = store.take();
  REQUIRE(pipe != nullptr);
  CHECK(::write(pipe->write.get(), "secret", 6) == 6);
  pipe->bytes = 6;
  const uint32_t pages = store.pages();
  CHECK(pages == pipe->capacity_bytes / 4096);
  store.give(pipe);
  CHECK(store.open_count() == 0);
  CHECK(store.pages() == 0);
  pipe = store.take();
  REQUIRE(pipe != nullptr);
  CHECK(pipe->bytes == 0);
  char leaked[8];
  CHECK(::read(pipe->read.get(), leaked, sizeof(leaked)) == -1);
  CHECK(errno == EAGAIN);
  store.give(pipe);
}

TEST_CASE("a store keeps to its share of pages") {
  // 64 pages each: three fit into 200, the rest is too little for a useful pipe.
  PipeStore store({100, 256 * 1024, 200});
  std::vector<Pipe*> taken;
  while (Pipe* pipe = store.take()) taken.push_back(pipe);
  CHECK(taken.size() == 3);
  CHECK(store.pages() == 192);
  // A share that is less than was asked for gives smaller pipes, not more pages.
  PipeStore small({100, 256 * 1024, 50});
  Pipe* const pipe = small.take();
  REQUIRE(pipe != nullptr);
  CHECK(pipe->capacity_bytes == 32 * 4096);
  CHECK(small.take() != nullptr);
  CHECK(small.take() == nullptr);
  CHECK(small.pages() <= 50);
}

TEST_CASE("an ordinary user who may not have the size asked for gets the default one") {
  const uint32_t size_max = read_number("/proc/sys/fs/pipe-max-size");
  const bool tried = as_nobody([size_max] {
    PipeStore store({1, size_max * 4, UINT32_MAX});
    Pipe* const pipe = store.take();
    CHECK(pipe != nullptr);
    if (pipe == nullptr) return;
    CHECK(pipe->capacity_bytes == kDefaultPipeBytes);
    store.give(pipe);
  });
  if (!tried) MESSAGE("not tried: becoming another user needs root");
}

TEST_CASE("ordinary workers share half of the user's soft limit, privileged ones have none") {
  const uint32_t soft = read_number("/proc/sys/fs/pipe-user-pages-soft");
  const bool tried = as_nobody([soft] {
    CHECK(os::pipe_pages_max(1) == soft / 2);
    CHECK(os::pipe_pages_max(4) == soft / 8);
  });
  if (!tried) MESSAGE("not tried: becoming another user needs root");
}

TEST_CASE("over the user's soft limit the kernel's two-page pipes are not taken") {
  const uint32_t soft = read_number("/proc/sys/fs/pipe-user-pages-soft");
  const uint32_t size_max = read_number("/proc/sys/fs/pipe-max-size");
  if (soft == 0 || soft > 65536 || size_max < 1U << 20U) return;
  const bool tried = as_nobody([soft] {
    const uint32_t count = soft / 256 + 1;
    PipeStore hog({count, 1U << 20U, UINT32_MAX});
    for (uint32_t i = 0; i < count; i++) {
      if (hog.take() == nullptr) break;
    }
    // What is left of the account is less than sixteen pages, or none.
    PipeStore crumbs({16, kDefaultPipeBytes, UINT32_MAX});
    while (crumbs.take() != nullptr && crumbs.in_use() < 16) {
    }
    PipeStore store({1, 256 * 1024, UINT32_MAX});
    CHECK(store.take() == nullptr);
    CHECK(store.open_count() == 0);
  });
  if (!tried) MESSAGE("not tried: becoming another user needs root");
}
