// The producing end of an event ring, and the bell that is rung once per drain.
#include "shared/event_ring.h"

namespace sluice::shared {

EventRing::EventRing(RingHeader& header, Event* records, RegionHeader& region, Wake wake,
                     void* context)
    : header_(header),
      records_(records),
      region_(region),
      wake_(wake),
      context_(context),
      head_(header.head.load(std::memory_order_relaxed)),
      dropped_(header.dropped.load(std::memory_order_relaxed)) {}

bool EventRing::push(const Event& event) {
  // Acquire: pairs with the consumer's store, so that a place is written only after it was read.
  const uint32_t tail = header_.tail.load(std::memory_order_acquire);
  // A tail that the other side made nonsense of (ahead of head, or far behind) counts as full too;
  // the mask keeps every access inside the ring whatever it says.
  if (head_ - tail >= kRingRecords) {
    header_.dropped.store(++dropped_, std::memory_order_relaxed);
    return false;
  }
  records_[head_ & (kRingRecords - 1)] = event;
  head_++;
  // Sequentially consistent, as is the load of the bell below: in the one order of all such
  // operations either the consumer, who clears the bell and then reads head, sees this event, or
  // this load comes after the clearing and rings again. Release alone would let the load pass the
  // store, and a wake-up could be lost. When the bell is already pending, nothing shared by the
  // workers is written.
  header_.head.store(head_, std::memory_order_seq_cst);
  if (region_.doorbell_pending.load(std::memory_order_seq_cst) == 0 &&
      region_.doorbell_pending.exchange(1, std::memory_order_seq_cst) == 0) {
    wake_(context_);
  }
  return true;
}

bool EventRing::has_room() const {
  return head_ - header_.tail.load(std::memory_order_acquire) < kRingRecords;
}

}  // namespace sluice::shared
