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
  EventRing(RingHeader& header, Event* records, RegionHeader& region, Wake wake, void* context);

  // False when the ring was full and the event was dropped (RingHeader::dropped counts it).
  bool push(const Event& event);
};

}  // namespace sluice::shared
