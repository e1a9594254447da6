// Engine: the shared region, the coordinator and the workers, started together and stopped
// together. Several engines may live in one process; they share nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/coordinator.h"
#include "engine/worker.h"
#include "shared/engine_options.h"
#include "shared/event_ring.h"
#include "shared/region.h"
#include "table/table_exchange.h"

namespace sluice::engine {

// Why an engine did not start.
struct StartFailure {
  const char* step = "";
  int error = 0;  // errno, or 0
};

class Engine {
 public:
  // `wake` rings the control plane's doorbell: from any of the engine's threads, never after stop()
  // has returned. Answers nullptr and fills `failure` when the system refuses something; nothing is
  // left behind then.
  [[nodiscard]] static std::unique_ptr<Engine> start(const shared::EngineOptions& options,
                                                     shared::EventRing::Wake wake, void* context,
                                                     StartFailure& failure);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Outlives the engine for as long as somebody holds it: the control plane may still read
  // counters.
  [[nodiscard]] const std::shared_ptr<shared::Region>& region() const { return region_; }
  [[nodiscard]] const shared::EngineOptions& options() const { return options_; }

  // Wakes the reader of a command ring (shared::RingIndex). Any thread; ignored after stop().
  void ring_doorbell(uint32_t ring_index);

  // Closes every connection and session (CloseReason::shutdown), ends and joins the threads, closes
  // the listening sockets. Idempotent; any thread but the engine's own. Blocks until done.
  void stop();

 private:
  explicit Engine(const shared::EngineOptions& options);
  [[nodiscard]] bool start_all(shared::EventRing::Wake wake, void* context, StartFailure& failure);

  const shared::EngineOptions options_;
  std::shared_ptr<shared::Region> region_;
  std::unique_ptr<table::TableExchange> exchange_;
  // Outlives the workers, and every worker has ended before the first of their doorbells goes.
  std::unique_ptr<shared::WaitingBoard> waiting_;
  std::unique_ptr<shared::RetryBudgets> retries_;  // outlives the workers
  std::unique_ptr<Coordinator> coordinator_;
  std::vector<std::unique_ptr<Worker>> workers_;
  // Held while stopping and while ringing, so that nobody rings a bell that is being closed.
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

}  // namespace sluice::engine
