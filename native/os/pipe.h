// Pipe: the kernel buffer that splice needs between two sockets. PipeStore: one worker's few pipes,
// lent to the directions that stream.
#pragma once

#include <cstdint>
#include <vector>

#include "os/fd.h"

namespace sluice::os {

struct Pipe {
  Fd read;
  Fd write;
  // Bytes inside, counted by whoever splices: the kernel's EAGAIN does not tell a full pipe from a
  // dry socket.
  uint32_t bytes = 0;
  // What the kernel really gave. Slots of a page are the limit, not bytes: 64-byte segments fill a
  // pipe at a fraction of this.
  uint32_t capacity_bytes = 0;
};

// How many pages the pipes of one of `workers` may take together. A user without CAP_SYS_RESOURCE
// whose pipes pass fs.pipe-user-pages-soft gets pipes of two pages, the whole account of that user
// does: half of it is left to others. UINT32_MAX: no limit for us.
[[nodiscard]] uint32_t pipe_pages_max(uint32_t workers);

struct PipeStoreOptions {
  uint32_t pipes_max = 0;
  uint32_t pipe_bytes = 0;          // asked for; an ordinary user may get up to fs.pipe-max-size
  uint32_t pages_max = UINT32_MAX;  // see pipe_pages_max
};

class PipeStore {
 public:
  explicit PipeStore(const PipeStoreOptions& options);
  PipeStore(const PipeStore&) = delete;
  PipeStore& operator=(const PipeStore&) = delete;

  // An empty pipe, the most recently used one first; nullptr at the bound, or when the kernel has
  // no descriptor or no decent pipe to give. The caller then stays on copy.
  [[nodiscard]] Pipe* take();
  // Takes it back. One with bytes left is closed, never kept: its bytes are one client's and would
  // be read by the next.
  void give(Pipe* pipe);

  [[nodiscard]] uint32_t in_use() const { return in_use_; }
  [[nodiscard]] uint32_t open_count() const { return open_count_; }  // in use or kept
  [[nodiscard]] uint32_t pages() const { return pages_; }            // of the open ones

 private:
  [[nodiscard]] bool open(Pipe& pipe);
  void close(Pipe& pipe);

  PipeStoreOptions options_;
  std::vector<Pipe> pipes_;    // never resized: pointers to its elements are lent
  std::vector<Pipe*> kept_;    // open and empty
  std::vector<Pipe*> vacant_;  // not open
  uint32_t in_use_ = 0;
  uint32_t open_count_ = 0;
  uint32_t pages_ = 0;
};

}  // namespace sluice::os
