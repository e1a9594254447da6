// Gives the binds of a new table their listening sockets: those that the current table has, where
// the bind is the same, new ones elsewhere. All or nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "shared/layout.h"
#include "table/table.h"

namespace sluice::engine {

struct BindFailure {
  shared::TableError reason = shared::TableError::bind_failed;
  uint32_t listener_slot = 0;
  uint16_t bind_index = 0;
  int error = 0;
};

// A bind that has sockets it did not have before.
struct OpenedBind {
  uint32_t listener_slot = 0;
  uint16_t bind_index = 0;
  uint16_t port = 0;  // as bound; 0 for unix
};

struct BindPlan {
  std::vector<OpenedBind> opened;
  std::optional<BindFailure> failure;
};

// Fills Bind::sockets of every bind of `next`. A bind is the same when protocol, configured address
// and ipv6_only are; its sockets then move along, also to a listener of another name or slot, so
// that no queued connection is reset. On a failure every newly opened socket is closed again, and
// nothing that `current` uses has changed. `current` may be null. Coordinator only.
[[nodiscard]] BindPlan bind_sockets(table::Table& next, const table::Table* current,
                                    uint32_t workers);

// Brings carried sockets in line with what may change while they stay: the backlog. To be called
// once nothing can fail any more.
void update_backlogs(const table::Table& next, const table::Table* current);

}  // namespace sluice::engine
