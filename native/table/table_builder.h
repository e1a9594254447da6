// build_table: the bytes of a table image to an immutable Table, or which check they failed. Runs
// on the coordinator, never on a worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "table/image_checks.h"
#include "table/table.h"

namespace sluice::table {

struct BuildResult {
  std::unique_ptr<Table> table;  // null when a check failed
  ImageFault fault;
};

// `image` may lie in memory that its writer still changes: it is copied once, and only the copy is
// checked and read. The listeners' binds have no sockets yet; the engine opens those.
[[nodiscard]] BuildResult build_table(std::span<const std::byte> image);

}  // namespace sluice::table
