// Coordinator: the engine's own thread for what must not happen on a worker: building tables,
// opening sockets, sending pings. Talks to the control plane through its pair of rings, to the
// workers through the table exchange and their doorbells.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/bind_sockets.h"
#include "engine/ping_service.h"
#include "engine/sticky_carry.h"
#include "engine/target_signals.h"
#include "engine/thread.h"
#include "os/doorbell.h"
#include "os/epoll.h"
#include "shared/command_ring.h"
#include "shared/event_ring.h"
#include "shared/region.h"
#include "table/table_exchange.h"

namespace sluice::engine {

class Worker;

// `index` of a table_rejected event with TableError::malformed is a table::ImageCheck, or one of
// these: the image was fine, but not to be loaded now.
enum class LoadCheck : uint16_t {
  generation = 100,      // not the command's, or not above that of the table before
  loads_in_flight = 101  // more loads wait for their answer than there are image areas
};

class Coordinator {
 public:
  // All of it outlives the coordinator.
  struct Links {
    shared::Region& region;
    table::TableExchange& exchange;
    shared::EventRing::Wake wake;
    void* wake_context;
  };

  explicit Coordinator(const Links& links);
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // False when the kernel refused a descriptor.
  [[nodiscard]] bool valid() const { return epoll_.valid() && doorbell_.valid(); }
  // Answers 0 or an error number. `workers` outlive the thread.
  [[nodiscard]] int start(std::span<const std::unique_ptr<Worker>> workers);
  // Any thread: a command was written, a worker has applied a table, or the engine stops.
  [[nodiscard]] const os::Doorbell& doorbell() const { return doorbell_; }
  void request_stop();
  void join() { thread_.join(); }

 private:
  struct Load {
    uint64_t generation = 0;
    std::vector<std::byte> image;
  };
  // Published, and not yet applied by every worker.
  struct InFlight {
    uint64_t generation = 0;
    std::vector<OpenedBind> opened;
    std::vector<StickyMove> moves;
  };

  void run();
  void take_commands();
  void take_load(const shared::Command& command);
  void start_next_load();
  void load(const Load& load);
  void publish(std::unique_ptr<table::Table> table, InFlight in_flight);
  void settle_in_flight();
  void reject(uint64_t generation, shared::TableError reason, const BindFailure& where);
  void reject_malformed(uint64_t generation, uint16_t check);
  void post(const shared::Event& event);
  void flush_outbox();
  [[nodiscard]] int timeout_ms() const;

  shared::Region& region_;
  table::TableExchange& exchange_;
  os::Epoll epoll_;
  os::Doorbell doorbell_;
  shared::CommandRing commands_;
  shared::EventRing events_;
  PingService pings_;
  TargetSignals signals_;
  std::span<const std::unique_ptr<Worker>> workers_;
  // One table at a time is on its way: the parts of a worker may look at its last table while they
  // change to the next, so none is freed before all of them are through. Loads that come meanwhile
  // wait, and each gets its answer in turn. At most one per image area: the control plane reuses an
  // area only after the answer.
  std::deque<Load> waiting_;
  std::optional<InFlight> in_flight_;
  // Answers wait here while the event ring is full: somebody waits for each of them. Bounded by
  // what was asked: the binds of one table, kPingsMax pings, two loads.
  std::deque<shared::Event> outbox_;
  // Writer: request_stop, before it rings. Reader: the thread, once per turn. Relaxed: the bell
  // orders it.
  std::atomic<bool> stop_{false};
  Thread thread_;
};

}  // namespace sluice::engine
