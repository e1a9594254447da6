// WaitingBoard: who waits for a place in which pool, over all workers, and whose turn it is when
// one gets free. Without it the worker that frees a place would refill it in the same turn, and
// those who wait on the others would starve.
//
// A freed place is offered to one worker, by a draw over the *sources* that wait: a worker on which
// one address waits a thousand times does not outweigh one on which a single client does. The draw
// walks a low-discrepancy sequence, so that a share of 1/n comes up about every n-th time and not
// only in the long run. An offer is no reservation: what comes of it is settled by the target's own
// count, and a worker that finds the place taken goes on waiting. A place that is freed in the very
// moment in which somebody begins to wait may be offered to nobody; the looks of waiting_room.h
// find it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "os/doorbell.h"
#include "shared/layout.h"

namespace sluice::shared {

class WaitingBoard {
 public:
  explicit WaitingBoard(uint32_t workers);
  WaitingBoard(const WaitingBoard&) = delete;
  WaitingBoard& operator=(const WaitingBoard&) = delete;

  // Before the workers start. `bell` is what wakes that worker; it outlives the board's use.
  void connect(uint32_t worker, const os::Doorbell& bell) { bells_[worker] = &bell; }

  // One more that waits in the pool, over all workers; false when `max` do already.
  [[nodiscard]] bool enter(uint32_t pool, uint32_t max);
  void leave(uint32_t pool);
  [[nodiscard]] bool anybody(uint32_t pool) const { return count(pool) > 0; }
  // Those that wait in the pool, over all workers.
  [[nodiscard]] uint32_t count(uint32_t pool) const {
    return pools_[pool].waiting.load(std::memory_order_relaxed);
  }

  // The first of a source has begun to wait on this worker; the last one has left.
  void add_source(uint32_t worker, uint32_t pool);
  void remove_source(uint32_t worker, uint32_t pool);

  // `worker` has given a place of the pool back. Costs one load while nobody waits.
  void offer_place(uint32_t worker, uint32_t pool) {
    if (pools_[pool].sources.load(std::memory_order_relaxed) > 0) draw(worker, pool);
  }
  // The offers to this worker since it last asked.
  [[nodiscard]] uint32_t take_offers(uint32_t worker, uint32_t pool);

 private:
  // All relaxed: they are counts that tell whom to wake. What a woken worker does is decided by the
  // target's own count; the doorbell orders the offer before the look for it.
  struct alignas(kCacheLineBytes) PoolCounts {
    std::atomic<uint32_t> waiting{0};  // writers: every worker; reader: who asks for a place
    std::atomic<uint32_t> sources{0};  // the sum of the shares; writers: every worker
    std::atomic<uint32_t> draws{0};    // writers: every worker
  };
  struct Share {
    std::atomic<uint32_t> sources{0};  // writer: that worker; readers: all
    std::atomic<uint32_t> offers{0};   // writers: all; taken by that worker
  };

  [[nodiscard]] Share& share(uint32_t worker, uint32_t pool) {
    return shares_[size_t{worker} * kPoolSlotsMax + pool];
  }
  void draw(uint32_t worker, uint32_t pool);

  std::unique_ptr<PoolCounts[]> pools_;
  std::unique_ptr<Share[]> shares_;
  std::vector<const os::Doorbell*> bells_;
};

}  // namespace sluice::shared
