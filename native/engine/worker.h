// Worker: one thread that forwards. It owns its epoll, timer wheel and connections, and shares
// nothing with the other workers but the counts of active connections.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/explain_desk.h"
#include "engine/thread.h"
#include "os/doorbell.h"
#include "os/epoll.h"
#include "os/timer_wheel.h"
#include "policy/candidate.h"
#include "shared/command_ring.h"
#include "shared/engine_options.h"
#include "shared/event_ring.h"
#include "shared/region.h"
#include "shared/worker_links.h"
#include "table/table_exchange.h"
#include "tcp/tcp_worker.h"
#include "udp/udp_worker.h"

namespace sluice::engine {

class Worker {
 public:
  // All of it outlives the worker.
  struct Links {
    uint32_t index;
    const shared::EngineOptions& options;
    shared::Region& region;
    table::TableExchange& exchange;
    shared::WaitingBoard& waiting;
    shared::RetryBudgets& retries;
    const os::Doorbell& coordinator;
    shared::EventRing::Wake wake;
    void* wake_context;
  };

  explicit Worker(const Links& links);
  ~Worker();  // the coordinator has stopped: nobody frees tables any more
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False when the kernel refused a descriptor.
  [[nodiscard]] bool valid() const { return epoll_.valid() && doorbell_.valid(); }
  [[nodiscard]] int start();  // 0 or an error number
  // Any thread: a table was published, a command was written, or the engine stops.
  [[nodiscard]] const os::Doorbell& doorbell() const { return doorbell_; }
  // Any thread. The newest table that this worker's parts work by; only then does the coordinator
  // speak of it as applied, and free the one before.
  [[nodiscard]] uint64_t applied_generation() const {
    return applied_generation_.load(std::memory_order_acquire);
  }
  void request_stop();
  void join() { thread_.join(); }

 private:
  void run();
  void adopt_table();
  void take_commands();
  void close_named(const shared::Command& command);
  void dispatch(const epoll_event& event);
  void fire(os::TimerNode& node);
  void close_all();
  void end_turn();
  [[nodiscard]] int timeout_ms() const;

  const uint32_t index_;
  table::TableExchange& exchange_;
  const os::Doorbell& coordinator_;
  os::Epoll epoll_;
  os::Doorbell doorbell_;
  uint64_t now_ns_;
  os::TimerWheel wheel_;
  shared::CommandRing commands_;
  shared::EventRing events_;
  shared::WorkerLinks links_;
  tcp::TcpWorker tcp_;
  udp::UdpWorker udp_;
  ExplainDesk explains_;
  policy::Cursor lots_;  // for what is closed little by little
  const table::Table* table_ = nullptr;
  // Writer: the worker, after its parts have changed to the table; release, so that nothing they
  // did with the one before comes later. Reader: the coordinator.
  alignas(shared::kCacheLineBytes) std::atomic<uint64_t> applied_generation_{0};
  // Writer: request_stop, before it rings. Reader: the thread, once per turn. Relaxed: the bell
  // orders it.
  std::atomic<bool> stop_{false};
  Thread thread_;
};

}  // namespace sluice::engine
