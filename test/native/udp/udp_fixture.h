// UdpBench: one UdpWorker with everything that a worker lends it, run turn by turn by the test
// itself, on a clock that only the test moves; and UdpPeer, a client or a target under control.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "os/clock.h"
#include "os/listen.h"
#include "os/socket.h"
#include "shared/region.h"
#include "shared/worker_links.h"
#include "support/loopback.h"
#include "support/ring_ends.h"
#include "table/table.h"
#include "udp/udp_worker.h"

namespace sluice::test {

struct Message {
  std::string payload;
  os::Address from;
};

class UdpPeer {
 public:
  explicit UdpPeer(const os::Address& address) {
    fd_ = os::Fd(::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    os::set_buffers(fd_.get(), 8U << 20U, 8U << 20U);
    REQUIRE(::bind(fd_.get(), address.get(), address.bytes()) == 0);
    address_ = os::local_address(fd_.get());
  }
  [[nodiscard]] const os::Address& address() const { return address_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  void send(const os::Address& to, const std::string& payload) {
    const auto sent = ::sendto(fd_.get(), payload.data(), payload.size(), 0, to.get(), to.bytes());
    REQUIRE(sent == static_cast<ssize_t>(payload.size()));
  }
  std::optional<Message> receive() {
    static thread_local char buffer[65536];
    sockaddr_storage from{};
    socklen_t bytes = sizeof(from);
    const ssize_t got = ::recvfrom(fd_.get(), buffer, sizeof(buffer), 0,
                                   reinterpret_cast<sockaddr*>(&from), &bytes);
    if (got < 0) return std::nullopt;
    return Message{std::string(buffer, static_cast<size_t>(got)),
                   os::Address::from(reinterpret_cast<sockaddr*>(&from), bytes)};
  }
  void close() { fd_.reset(); }

 private:
  os::Fd fd_;
  os::Address address_;
};

using Sockets = std::shared_ptr<const table::BoundSockets>;

inline Sockets bind_udp(const os::Address& address, uint32_t workers = 1) {
  os::ListenOptions options;
  options.transport = os::Transport::udp;
  os::Listeners opened = os::open_listeners(address, workers, options);
  REQUIRE(opened.ok());
  auto sockets = std::make_shared<table::BoundSockets>();
  sockets->address = opened.bound;
  sockets->per_worker = std::move(opened.sockets);
  return sockets;
}

// Slots are what the test says; the pool's index is its slot.
class TableMaker {
 public:
  TableMaker() : table_(std::make_unique<table::Table>()) {}
  TableMaker& target(uint32_t slot, const os::Address& address, bool serves_sessions = true,
                     uint32_t max_connections = 0) {
    table::Target& target = table_->targets.emplace_back();
    target.slot = slot;
    target.address = address;
    target.serves_sessions = serves_sessions;
    target.max_connections = max_connections;
    target.name = "target" + std::to_string(slot);
    return *this;
  }
  TableMaker& pool(const std::vector<uint32_t>& slots,
                   table::PolicyKind kind = table::PolicyKind::round_robin) {
    table::Pool pool;
    pool.slot = static_cast<uint32_t>(table_->pools.size());
    pool.retries = 3;
    std::vector<policy::Candidate> candidates;
    for (const uint32_t slot : slots) {
      uint32_t limit = 0;
      for (const auto& target : table_->targets) {
        if (target.slot == slot) limit = target.max_connections;
      }
      candidates.push_back({slot, 1, limit, {}});
    }
    pool.set_tiers(kind, {table::Tier(kind, std::move(candidates))});
    table_->pools.push_back(std::move(pool));
    return *this;
  }
  // The last pool keeps its clients by what `entries` says, at every target.
  TableMaker& sticky(std::shared_ptr<sticky::StickyTable> entries) {
    std::vector<table::StickyTarget> targets;
    for (const table::Target& target : table_->targets) {
      targets.push_back({.identity = table::identity_of(target.name),
                         .slot = target.slot,
                         .max_connections = target.max_connections,
                         .serves = true,
                         .renews = true});
    }
    table::Stickiness& stickiness = table_->pools.back().stickiness;
    stickiness = table::Stickiness(std::move(targets));
    stickiness.capacity = entries->capacity();
    stickiness.expire_ms = 60'000;
    stickiness.entries = std::move(entries);
    return *this;
  }
  // The settings of the last listener stay changeable through the answer.
  table::Listener& listener(uint32_t slot, const std::vector<Sockets>& binds) {
    table::Listener& listener = table_->listeners.emplace_back();
    listener.slot = slot;
    listener.protocol = table::Protocol::udp;
    listener.idle_timeout_ms = 60'000;
    listener.udp_sessions_max = 1000;
    for (const Sockets& sockets : binds) listener.binds.push_back({sockets->address, sockets});
    return listener;
  }
  std::unique_ptr<table::Table> finish() {
    table_->index_slots();
    return std::move(table_);
  }

 private:
  std::unique_ptr<table::Table> table_;
};

inline const shared::Region& fresh_region(std::optional<shared::Region>& into, uint32_t workers) {
  into.emplace(shared::Region::create(workers));
  REQUIRE(into->valid());
  return *into;
}

class UdpBench {
 public:
  explicit UdpBench(const shared::EngineOptions& options = {},
                    const shared::Region* region = nullptr, uint32_t worker_index = 0)
      : options_(options),
        region_(region != nullptr ? *region : fresh_region(own_region_, 1)),
        epoll_(os::Epoll::create()),
        now_ns_(os::monotonic_ns()),
        wheel_(now_ns_),
        ring_(shared::RingIndex::worker(worker_index)),
        events_(
            region_.event_header(ring_), region_.event_records(ring_), region_.header(),
            [](void*) {}, nullptr),
        links_{worker_index,
               options_,
               epoll_,
               wheel_,
               now_ns_,
               events_,
               region_.worker_counters(worker_index),
               region_.listener_counters(worker_index),
               region_.target_counters(worker_index),
               region_.pool_counters(worker_index),
               region_.active(),
               region_.listener_active(),
               region_.sticky_entries(),
               region_.turn_signals(),
               region_.response_histograms(worker_index),
               region_.connect_histograms(worker_index),
               region_.end_histograms(worker_index),
               region_.signals(),
               waiting_,
               retries_},
        worker_(std::make_unique<udp::UdpWorker>(links_)) {}

  udp::UdpWorker& worker() { return *worker_; }
  // As the engine: the old table goes once the new one is adopted.
  void adopt(std::unique_ptr<table::Table> table) {
    worker_->adopt(*table);
    table_ = std::move(table);
  }
  void stop() { worker_.reset(); }

  void turn(int timeout_ms = 10) {
    epoll_event events[64];
    const int wait_ms = worker_->has_ready() ? 0 : timeout_ms;
    for (const epoll_event& event : epoll_.wait(events, wait_ms)) {
      worker_->handle(os::Epoll::token(event), event.events);
    }
    worker_->run_ready();
    worker_->end_turn();
  }
  // Five seconds are a failed test.
  template <typename Condition>
  bool until(Condition&& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      turn();
    }
    return true;
  }
  // Everything that is on its way inside this machine has been handled.
  void settle() {
    for (int i = 0; i < 3; i++) turn(0);
  }
  Message receive(UdpPeer& peer) {
    std::optional<Message> message;
    const bool arrived = until([&] {
      message = peer.receive();
      return message.has_value();
    });
    REQUIRE(arrived);
    return *message;
  }
  void pass_ms(uint64_t ms) {
    now_ns_ += ms * 1'000'000;
    wheel_.advance(now_ns_, [this](os::TimerNode& node) { worker_->fire(node); });
    worker_->end_turn();
  }

  [[nodiscard]] const shared::ListenerCounters& listener(uint32_t slot = 0) const {
    return links_.listeners[slot];
  }
  [[nodiscard]] const shared::EndHistograms& ends(uint32_t slot = 0) const {
    return links_.ends[slot];
  }
  [[nodiscard]] const shared::TargetCounters& target(uint32_t slot) const {
    return links_.targets[slot];
  }
  [[nodiscard]] uint64_t closed(shared::CloseReason reason, uint32_t slot = 0) const {
    return listener(slot).closed_by_reason[static_cast<size_t>(reason)].load();
  }
  [[nodiscard]] uint32_t active(uint32_t slot) const { return links_.active[slot].load(); }
  [[nodiscard]] uint32_t listener_active(uint32_t slot = 0) const {
    return links_.listener_active[slot].load();
  }
  std::optional<shared::Event> next_event() {
    return EventReader(region_.event_header(ring_), region_.event_records(ring_)).pop();
  }
  [[nodiscard]] uint64_t armed_timers() const { return wheel_.armed_count(); }

 private:
  shared::EngineOptions options_;
  std::optional<shared::Region> own_region_;
  const shared::Region& region_;
  os::Epoll epoll_;
  uint64_t now_ns_;
  os::TimerWheel wheel_;
  uint32_t ring_;
  shared::EventRing events_;
  shared::WaitingBoard waiting_{1};
  shared::RetryBudgets retries_;
  shared::WorkerLinks links_;
  std::unique_ptr<table::Table> table_;
  std::unique_ptr<udp::UdpWorker> worker_;
};

// One listener, slot 0, in front of targets 0, 1, ...; the answer's listener may still be changed.
inline std::unique_ptr<table::Table> simple_table(const Sockets& bind,
                                                  const std::vector<os::Address>& targets) {
  TableMaker maker;
  std::vector<uint32_t> slots;
  for (const os::Address& address : targets) {
    slots.push_back(static_cast<uint32_t>(slots.size()));
    maker.target(slots.back(), address);
  }
  maker.pool(slots).listener(0, {bind});
  return maker.finish();
}

inline std::string pattern(size_t bytes, uint32_t seed) {
  std::string out(bytes, '\0');
  for (size_t i = 0; i < bytes; i++)
    out[i] = static_cast<char>((i * 31 + seed * 17 + i / 251) & 255);
  return out;
}

}  // namespace sluice::test
