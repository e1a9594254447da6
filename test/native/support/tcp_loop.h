// TcpLoop: one worker's loop with only its TCP side in it, on a thread of its own, and TableDraft,
// a table made by hand: for tests that need real sockets but no engine.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "os/clock.h"
#include "os/doorbell.h"
#include "os/epoll.h"
#include "os/listen.h"
#include "os/timer_wheel.h"
#include "shared/region.h"
#include "support/loopback.h"
#include "support/ring_ends.h"
#include "table/table.h"
#include "tcp/tcp_worker.h"

namespace sluice::test {

inline constexpr uint32_t kListenerSlot = 3;
inline constexpr uint32_t kPoolSlot = 5;
inline constexpr uint32_t kFirstTargetSlot = 7;

// One TCP listener in front of one pool; targets get slots from kFirstTargetSlot on.
struct TableDraft {
  std::vector<os::Address> targets;
  std::vector<os::Address> sources;
  std::shared_ptr<const table::BoundSockets> sockets;  // null: the listener is not in the table
  table::PolicyKind policy = table::PolicyKind::round_robin;
  uint32_t retries = 0;
  bool retry_same = false;
  table::Backoff backoff;
  shared::RetryRules retry_rules;
  uint32_t target_max_connections = 0;
  // Not null: a sticky pool, whose targets have names of their own.
  std::shared_ptr<sticky::StickyTable> sticky;
  uint32_t queue_max = 0;
  uint32_t queue_timeout_ms = 20'000;
  uint32_t park_max = 0;
  uint32_t park_timeout_ms = 20'000;
  table::Listener listener;
  table::SocketOptions target_options;

  TableDraft() { listener.connect_timeout_ms = 5000; }

  void listen_on(const os::Address& address) {
    os::Listeners opened = os::open_listeners(address, 1, {});
    REQUIRE(opened.ok());
    auto bound = std::make_shared<table::BoundSockets>();
    bound->address = opened.bound;
    bound->listener_slot = kListenerSlot;
    bound->per_worker = std::move(opened.sockets);
    sockets = std::move(bound);
  }
  [[nodiscard]] os::Address address() const { return sockets->address; }

  [[nodiscard]] std::unique_ptr<table::Table> build() const {
    auto made = std::make_unique<table::Table>();
    std::vector<policy::Candidate> candidates;
    for (const os::Address& address : targets) {
      const uint32_t slot = kFirstTargetSlot + static_cast<uint32_t>(made->targets.size());
      const std::string name = sticky == nullptr ? "target" : "target" + std::to_string(slot);
      made->targets.push_back({slot, address, target_max_connections, true, name});
      candidates.push_back({slot, 1, target_max_connections, "target"});
    }
    table::Pool& pool = made->pools.emplace_back();
    pool.slot = kPoolSlot;
    pool.retries = retries;
    pool.retry_same = retry_same;
    pool.backoff = backoff;
    pool.retry_rules = retry_rules;
    pool.queue_max = queue_max;
    pool.queue_timeout_ms = queue_timeout_ms;
    pool.park_max = park_max;
    pool.park_timeout_ms = park_timeout_ms;
    pool.sources = sources;
    pool.target_options = target_options;
    if (sticky != nullptr) pool.stickiness = stickiness_of(made->targets);
    pool.set_tiers(policy, {table::Tier(policy, std::move(candidates))});
    if (sockets != nullptr) {
      table::Listener& placed = made->listeners.emplace_back(listener);
      placed.slot = kListenerSlot;
      placed.pool_index = 0;
      placed.binds.push_back({sockets->address, sockets});
    }
    made->index_slots();
    return made;
  }

 private:
  [[nodiscard]] table::Stickiness stickiness_of(const std::vector<table::Target>& made) const {
    std::vector<table::StickyTarget> known;
    for (const table::Target& target : made) {
      known.push_back({.identity = table::identity_of(target.name),
                       .slot = target.slot,
                       .max_connections = target.max_connections,
                       .serves = true,
                       .renews = true});
    }
    table::Stickiness stickiness(std::move(known));
    stickiness.capacity = sticky->capacity();
    stickiness.expire_ms = 1'800'000;
    stickiness.entries = sticky;
    return stickiness;
  }
};

class TcpLoop {
 public:
  // Small bounds, so that tests meet them; change what a test is about.
  static shared::EngineOptions options() {
    shared::EngineOptions made;
    made.connections_max = 4096;
    return made;
  }

  explicit TcpLoop(const shared::EngineOptions& engine_options = options())
      : options_(engine_options),
        region_(shared::Region::create(1)),
        epoll_(os::Epoll::create()),
        doorbell_(os::Doorbell::create()),
        now_ns_(os::monotonic_ns()),
        wheel_(now_ns_),
        events_(
            region_.event_header(kRing), region_.event_records(kRing), region_.header(),
            [](void*) {}, nullptr),
        reader_(region_.event_header(kRing), region_.event_records(kRing)),
        links_{.worker_index = 0,
               .options = options_,
               .epoll = epoll_,
               .wheel = wheel_,
               .now_ns = now_ns_,
               .events = events_,
               .counters = region_.worker_counters(0),
               .listeners = region_.listener_counters(0),
               .targets = region_.target_counters(0),
               .pools = region_.pool_counters(0),
               .active = region_.active(),
               .listener_active = region_.listener_active(),
               .sticky_entries = region_.sticky_entries(),
               .turns = region_.turn_signals(),
               .responses = region_.response_histograms(0),
               .connects = region_.connect_histograms(0),
               .ends = region_.end_histograms(0),
               .signals = region_.signals(),
               .waiting = waiting_,
               .retries = retries_} {
    REQUIRE(region_.valid());
    worker_ = std::make_unique<tcp::TcpWorker>(links_);
    const auto token = os::EpollToken::of(&doorbell_, 0);
    REQUIRE(epoll_.add(doorbell_.fd(), EPOLLIN, token).done());
    thread_ = std::thread([this] { run(); });
  }
  // Every connection is closed, and everything that was counted up has been counted down.
  ~TcpLoop() {
    stop_.store(true);
    doorbell_.ring();
    thread_.join();
    worker_.reset();
    CHECK(open_connections() == 0);
    CHECK(opened() == closed());
    CHECK(listener_active() == 0);
    CHECK(waiting() == 0);
    CHECK(!waiting_.anybody(kPoolSlot));
    uint64_t active = 0;
    for (const auto& count : region_.active()) active += count.load();
    CHECK(active == 0);
    uint64_t waiting = 0;
    for (const auto& signals : region_.turn_signals()) waiting += signals.active_turns.load();
    CHECK(waiting == 0);
    CHECK(worker().stashes_in_use.load() == 0);
    CHECK(worker().pipes_in_use.load() == 0);
    check_histograms();
  }
  TcpLoop(const TcpLoop&) = delete;
  TcpLoop& operator=(const TcpLoop&) = delete;

  // What they hold is what was counted elsewhere.
  void check_histograms() {
    const shared::EndHistograms& ends = region_.end_histograms(0)[kListenerSlot];
    CHECK(counted(ends.duration_ms) == closed());
    CHECK(counted(ends.to_target_bytes) == closed());
    CHECK(counted(ends.to_client_bytes) == closed());
    // What a target ended unheard was sent to the next one again, and belongs to the end once.
    if (listener().replays.load() == 0) {
      CHECK(ends.to_target_bytes.sum.load() == listener().to_target_bytes.load());
    }
    CHECK(ends.to_client_bytes.sum.load() == listener().to_client_bytes.load());
    for (uint32_t slot = 0; slot < shared::kTargetSlotsMax; slot++) {
      const shared::TargetCounters& target = region_.target_counters(0)[slot];
      if (target.connections_opened.load() == 0) continue;
      const shared::Histogram& connects = region_.connect_histograms(0)[slot];
      CHECK(counted(connects) == target.connections_opened.load());
    }
  }
  [[nodiscard]] static uint64_t counted(const shared::Histogram& histogram) {
    uint64_t total = 0;
    for (const shared::Counter& bucket : histogram.buckets) total += bucket.load();
    return total;
  }

  // Runs it on the loop's thread, between two turns, and waits for it.
  void call(std::function<void(tcp::TcpWorker&)> what) {
    std::promise<void> done;
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back([&](tcp::TcpWorker& worker) {
        what(worker);
        done.set_value();
      });
    }
    doorbell_.ring();
    done.get_future().wait();
  }
  void adopt(const TableDraft& draft) {
    std::unique_ptr<table::Table> next = draft.build();
    call([&](tcp::TcpWorker& worker) {
      worker.adopt(*next);
      std::swap(table_, next);
    });
  }

  [[nodiscard]] shared::WorkerCounters& worker() { return region_.worker_counters(0); }
  [[nodiscard]] shared::ListenerCounters& listener() {
    return region_.listener_counters(0)[kListenerSlot];
  }
  [[nodiscard]] shared::TargetCounters& target(uint32_t index) {
    return region_.target_counters(0)[kFirstTargetSlot + index];
  }
  [[nodiscard]] uint32_t target_active(uint32_t index) {
    return region_.active()[kFirstTargetSlot + index].load();
  }
  [[nodiscard]] shared::TurnSignals& turns(uint32_t index) {
    return region_.turn_signals()[kFirstTargetSlot + index];
  }
  [[nodiscard]] shared::Histogram& responses(uint32_t index) {
    return region_.response_histograms(0)[kFirstTargetSlot + index];
  }
  // Places at a target, as another worker's connections or sessions take and give them.
  void claim_elsewhere(uint32_t index, uint32_t count) {
    region_.active()[kFirstTargetSlot + index].fetch_add(count);
  }
  void release_elsewhere(uint32_t index, uint32_t count) {
    region_.active()[kFirstTargetSlot + index].fetch_sub(count);
  }
  [[nodiscard]] std::atomic<uint32_t>& listener_active() {
    return region_.listener_active()[kListenerSlot];
  }
  [[nodiscard]] uint64_t opened() { return listener().connections_opened.load(); }
  [[nodiscard]] uint64_t closed() { return listener().connections_closed.load(); }
  [[nodiscard]] uint64_t closed_by(shared::CloseReason reason) {
    return listener().closed_by_reason[static_cast<size_t>(reason)].load();
  }
  [[nodiscard]] uint64_t open_connections() { return worker().connections_open.load(); }
  // For a place at a target, or for a target.
  [[nodiscard]] uint64_t waiting() { return listener().connections_waiting.load(); }
  [[nodiscard]] uint64_t turns() { return worker().loops.load(); }
  // Until no byte has moved for a while: every buffer on the way is full, or everything is there.
  void await_quiet() {
    uint64_t before = UINT64_MAX;
    for (int quiet_ms = 0; quiet_ms < 300; quiet_ms += 10) {
      const uint64_t moved = listener().to_target_bytes.load() + listener().to_client_bytes.load();
      if (std::exchange(before, moved) != moved) quiet_ms = 0;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  [[nodiscard]] std::optional<shared::Event> next_event() { return reader_.pop(); }

  // What the loop's thread has used so far.
  [[nodiscard]] uint64_t cpu_ns() {
    clockid_t clock{};
    timespec used{};
    REQUIRE(::pthread_getcpuclockid(thread_.native_handle(), &clock) == 0);
    REQUIRE(::clock_gettime(clock, &used) == 0);
    return static_cast<uint64_t>(used.tv_sec) * 1'000'000'000U +
           static_cast<uint64_t>(used.tv_nsec);
  }

 private:
  static constexpr uint32_t kRing = shared::RingIndex::worker(0);

  void run() {
    // As the engine's threads: a splice to a dead socket raises SIGPIPE, which just stays pending.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::array<epoll_event, 64> buffer;
    while (!stop_.load()) {
      run_calls();
      const int timeout_ms = worker_->has_ready() ? 0 : wheel_.timeout_ms(os::monotonic_ns());
      const auto events = epoll_.wait(buffer, timeout_ms);
      now_ns_ = os::monotonic_ns();
      shared::add(links_.counters.loops, 1);
      for (const epoll_event& event : events) {
        const os::EpollToken token = os::Epoll::token(event);
        if (token.kind() == 0) {
          doorbell_.answer();
        } else {
          worker_->handle(token, event.events);
        }
      }
      worker_->run_ready();
      wheel_.advance(now_ns_, [this](os::TimerNode& node) { worker_->fire(node); });
      worker_->end_turn();
    }
  }
  void run_calls() {
    std::vector<std::function<void(tcp::TcpWorker&)>> calls;
    {
      const std::lock_guard lock(mutex_);
      calls.swap(calls_);
    }
    for (const auto& next : calls) next(*worker_);
  }

  const shared::EngineOptions options_;
  shared::Region region_;
  os::Epoll epoll_;
  os::Doorbell doorbell_;
  uint64_t now_ns_;
  os::TimerWheel wheel_;
  shared::EventRing events_;
  EventReader reader_;
  shared::WaitingBoard waiting_{1};
  shared::RetryBudgets retries_;
  shared::WorkerLinks links_;
  std::unique_ptr<table::Table> table_;
  std::unique_ptr<tcp::TcpWorker> worker_;
  std::mutex mutex_;
  std::vector<std::function<void(tcp::TcpWorker&)>> calls_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Waits for what another thread or the kernel is about to do; half a minute is a failed test.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace sluice::test
