// What one worker's TCP side starts with.
#include "tcp/tcp_context.h"

#include <span>
#include <utility>

#include "os/random.h"
#include "policy/prng.h"

namespace sluice::tcp {

TcpContext::TcpContext(const shared::WorkerLinks& worker_links)
    : links(worker_links),
      connections(worker_links.options.connections_max),
      scratch(worker_links.options.scratch_bytes),
      stashes(worker_links.options.stashes_max, worker_links.options.scratch_bytes),
      pipes({.pipes_max = worker_links.options.pipes_max,
             .pipe_bytes = worker_links.options.pipe_bytes,
             .pages_max = os::pipe_pages_max(worker_links.options.workers)}),
      tools{.scratch = scratch,
            .stashes = stashes,
            .pipes = pipes,
            .counters = worker_links.counters,
            .now_ns = worker_links.now_ns,
            .turn_bytes = worker_links.options.turn_bytes,
            .splice = worker_links.options.splice},
      cursors(shared::kPoolSlotsMax),
      source_positions(shared::kPoolSlotsMax),
      waiting(*this),
      pool_by_slot_(shared::kPoolSlotsMax, shared::kNoSlot),
      pool_tenancies_(shared::kPoolSlotsMax) {
  // Workers must not walk in step: each starts every rotation somewhere else.
  uint64_t seed = 0;
  os::fill_random(std::as_writable_bytes(std::span(&seed, 1)));
  for (uint32_t slot = 0; slot < cursors.size(); slot++) {
    cursors[slot] = policy::seeded_cursor(policy::mix64(seed + slot));
    source_positions[slot] = policy::next_random(cursors[slot]);
  }
}

const table::Pool* TcpContext::pool_at(uint32_t slot, uint32_t tenancy) const {
  if (pool_by_slot_[slot] == shared::kNoSlot || pool_tenancies_[slot] != tenancy) return nullptr;
  return &table->pools[pool_by_slot_[slot]];
}

void TcpContext::index_pools() {
  const std::vector<uint32_t> before =
      std::exchange(pool_by_slot_, std::vector<uint32_t>(shared::kPoolSlotsMax, shared::kNoSlot));
  for (uint32_t index = 0; index < table->pools.size(); index++) {
    pool_by_slot_[table->pools[index].slot] = index;
  }
  for (uint32_t slot = 0; slot < shared::kPoolSlotsMax; slot++) {
    const bool left = before[slot] != shared::kNoSlot && pool_by_slot_[slot] == shared::kNoSlot;
    if (left) pool_tenancies_[slot]++;
  }
}

void TcpContext::add_ready(TcpConnection& connection) {
  if (connection.in_ready_list) return;
  connection.in_ready_list = true;
  ready.push_back(connection);
  ready_count++;
}

}  // namespace sluice::tcp
