// IoResult: what one system call that moves bytes came to. EINTR never reaches a caller.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::os {

enum class IoStatus : uint8_t {
  done,         // `bytes` moved (never 0 for a read)
  would_block,  // nothing moved, the descriptor is not ready
  eof,          // the peer has sent FIN and everything before it has been read
  failed,       // `error` holds the errno
};

struct [[nodiscard]] IoResult {
  IoStatus status = IoStatus::done;
  size_t bytes = 0;
  int error = 0;

  static constexpr IoResult moved(size_t bytes) { return {IoStatus::done, bytes, 0}; }
  static constexpr IoResult blocked() { return {IoStatus::would_block, 0, 0}; }
  static constexpr IoResult ended() { return {IoStatus::eof, 0, 0}; }
  static constexpr IoResult failure(int error) { return {IoStatus::failed, 0, error}; }

  [[nodiscard]] constexpr bool done() const { return status == IoStatus::done; }
  [[nodiscard]] constexpr bool would_block() const { return status == IoStatus::would_block; }
  [[nodiscard]] constexpr bool eof() const { return status == IoStatus::eof; }
  [[nodiscard]] constexpr bool failed() const { return status == IoStatus::failed; }
};

}  // namespace sluice::os
