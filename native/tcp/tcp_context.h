// TcpContext: what the parts of one worker's TCP side share. Owned by TcpWorker.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "os/accept.h"
#include "os/slab.h"
#include "os/sys.h"
#include "policy/candidate.h"
#include "shared/worker_links.h"
#include "table/table.h"
#include "tcp/connection_list.h"
#include "tcp/pump.h"
#include "tcp/stash_store.h"
#include "tcp/tcp_connection.h"
#include "tcp/waiting_room.h"

namespace sluice::tcp {

struct TcpContext {
  explicit TcpContext(const shared::WorkerLinks& worker_links);
  TcpContext(const TcpContext&) = delete;
  TcpContext& operator=(const TcpContext&) = delete;

  const shared::WorkerLinks& links;
  const table::Table* table = nullptr;  // the adopted one; replaced only by TcpWorker::adopt
  os::Slab<TcpConnection> connections;
  std::vector<std::byte> scratch;
  StashStore stashes;
  os::PipeStore pipes;
  PumpTools tools;
  IntrusiveList<TcpConnection, &TcpConnection::open_links> open;
  IntrusiveList<TcpConnection, &TcpConnection::open_links> closed;  // until the end of the turn
  IntrusiveList<TcpConnection, &TcpConnection::ready_links> ready;
  uint32_t open_count = 0;
  uint32_t ready_count = 0;
  // Per pool slot: this worker's place in the policy's rotation and in the source addresses.
  std::vector<policy::Cursor> cursors;
  std::vector<uint32_t> source_positions;
  WaitingRoom waiting;
  os::ReserveDescriptor reserve;
  // An accept or a connect of this turn found no descriptor: accepting more would only mean
  // refusing more, so every listener pauses at the end of the turn.
  bool out_of_descriptors = false;
  // From the first such turn until a connection gets both its descriptors again.
  bool descriptor_episode = false;
  // A connection has ended in this turn: paused listeners look again.
  bool place_freed = false;
  uint32_t paused_listeners = 0;

  [[nodiscard]] uint64_t now_ns() const { return links.now_ns; }
  // Counts the pools that have had the slot: it goes to another one while connections of the first
  // may still look for a target.
  [[nodiscard]] uint32_t pool_tenancy(uint32_t slot) const { return pool_tenancies_[slot]; }
  // nullptr when the adopted table no longer has that pool.
  [[nodiscard]] const table::Pool* pool_at(uint32_t slot, uint32_t tenancy) const;
  // Between two pools in one slot there is a table without any, and each table is adopted.
  void index_pools();
  [[nodiscard]] shared::ListenerCounters& listener_row(const TcpConnection& connection) const {
    return links.listeners[connection.listener_slot];
  }
  [[nodiscard]] shared::TargetCounters& target_row(const TcpConnection& connection) const {
    return links.targets[connection.target_slot];
  }
  // A full ring drops the event and counts it: forwarding never waits for the control plane.
  void push_event(const shared::Event& event) {
    if (!links.events.push(event)) shared::add(links.counters.events_dropped, 1);
  }
  // More can be done for it at once; epoll will not say so again.
  void add_ready(TcpConnection& connection);

 private:
  std::vector<uint32_t> pool_by_slot_;  // index into table->pools, kNoSlot
  std::vector<uint32_t> pool_tenancies_;
};

}  // namespace sluice::tcp
