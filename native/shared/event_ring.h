// EventRing: a worker's (or the coordinator's) way to tell the control plane what happened. Single
// producer (its thread), single consumer (the control plane's). Full: the event is dropped and
// counted, for forwarding never waits for JavaScript.
#pragma once

#include "shared/layout.h"

namespace sluice::shared {

class EventRing {
 public:
  // `wake` rings the control plane's doorbell; called at most once per drain (see
  // RegionHeader::doorbell_pending). It must be callable from any thread.
  using Wake = void (*)(void* context);
  // `records` has kRingRecords places.
  EventRing(RingHeader& header, Event* records, RegionHeader& region, Wake wake, void* context);

  // False when the ring was full and the event was dropped (RingHeader::dropped counts it).
  bool push(const Event& event);
  // Will the next push fit? For a producer that rather waits than loses the event.
  [[nodiscard]] bool has_room() const;

 private:
  RingHeader& header_;
  Event* records_;
  RegionHeader& region_;
  Wake wake_;
  void* context_;
  // The producer's own copies: what stands in shared memory is published there, never read back.
  uint32_t head_;
  uint32_t dropped_;
};

}  // namespace sluice::shared
