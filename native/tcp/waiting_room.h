// WaitingRoom: the connections of one worker that have no target yet, because every eligible one is
// at its limit (queue) or because none is eligible or reachable (parking). Their bytes wait in the
// kernel. One queue per pool; the two reasons share it and differ in their bounds.
//
// A waiter is tried again
//   when a place of its pool is offered to this worker (waiting_board.h): in the same turn;
//   when a table is adopted: at once;
//   every kLookNs: for places that were offered to nobody, because a UDP session held them, or in
//   the moment in which the waiter came.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "os/timer_wheel.h"
#include "shared/layout.h"
#include "tcp/connector.h"
#include "tcp/wait_queue.h"

namespace sluice::tcp {

enum class WaitReason : uint8_t {
  place,   // at a target; bounded by the pool's queue_max and queue_timeout
  target,  // any eligible one, or any that can be reached; by park_max and park_timeout
};

// For what a connection may wait when no try follows at once; nullopt: for nothing. `may_try`: it
// has retries left for a target that gets a place.
[[nodiscard]] std::optional<WaitReason> reason_to_wait(const table::Pool& pool,
                                                       const ConnectState& state, bool may_try);

class WaitingRoom : public os::TimerNode {
 public:
  explicit WaitingRoom(TcpContext& context);
  ~WaitingRoom();
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  // Must a new connection of the pool wait behind those who do already?
  [[nodiscard]] bool must_wait(const table::Pool& pool) const;
  // Each answers `pending`, or `failed` with the reason: nobody may wait there, it is full, the
  // client has gone, or has waited for long enough before.
  [[nodiscard]] ConnectProgress wait_behind(const table::Pool& pool, TcpConnection& connection);
  // For what it would wait then.
  [[nodiscard]] WaitReason reason_behind(const table::Pool& pool) const;
  // Could one more wait in the pool? What wait_for() would come to, and nobody enters.
  enum class Room : uint8_t { enough, full, none };
  [[nodiscard]] Room room(WaitReason reason, const table::Pool& pool) const;
  [[nodiscard]] ConnectProgress wait_for(WaitReason reason, const table::Pool& pool,
                                         TcpConnection& connection);
  // It ends while it waits.
  void remove(TcpConnection& connection);
  // Its time is over.
  void time_out(TcpConnection& connection);

  // A connection of the pool has reached a target.
  void note_reached(uint32_t pool_slot);
  // After the context has adopted a table.
  void adopt();
  // The timer: look for places that nobody has offered.
  void look();
  // Serves those who can be. Once per turn, after everything that frees places.
  void serve();
  // Some could be served, and the turn was over.
  [[nodiscard]] bool has_due() const { return has_due_; }

 private:
  struct PoolQueue {
    PoolQueue(uint32_t pool_slot, uint32_t pool_tenancy, uint64_t key)
        : slot(pool_slot), tenancy(pool_tenancy), waiting(key) {}
    const uint32_t slot;
    const uint32_t tenancy;
    WaitQueue waiting;
    uint32_t due = 0;  // so many may be tried now
    // The pool's candidates refuse or do not answer, and health has not noticed yet or is wrong:
    // one waiter at a time finds out whether they are back. 0: they do not.
    uint64_t next_probe_ns = 0;
  };

  [[nodiscard]] PoolQueue* queue_at(uint32_t slot) const { return by_slot_[slot].get(); }
  [[nodiscard]] bool may_enter(WaitReason reason, const table::Pool& pool,
                               TcpConnection& connection) const;
  void leave(PoolQueue& queue, TcpConnection& connection, bool served);
  [[nodiscard]] bool serve_first(PoolQueue& queue);
  void end_all(PoolQueue& queue);

  TcpContext& context_;
  std::vector<std::unique_ptr<PoolQueue>> by_slot_;
  std::vector<PoolQueue*> queues_;  // those that there are
  uint64_t key_ = 0;
  uint32_t waiting_count_ = 0;
  bool has_due_ = false;
};

}  // namespace sluice::tcp
