// Waiting over several workers: a place that one worker frees must also reach those who wait on
// the others.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "support/engine_harness.h"
#include "support/peer.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

// Serves one connection after the other: reads four bytes, sends them back, closes.
class SerialEcho {
 public:
  SerialEcho() : thread_([this] { run(); }) {}
  ~SerialEcho() {
    stop_.store(true);
    Peer::connect(listener_.address());
    thread_.join();
  }
  [[nodiscard]] uint16_t port() const { return listener_.address().port(); }

 private:
  void run() {
    for (;;) {
      Peer peer = listener_.accept();
      if (stop_.load()) return;
      uint32_t word = 0;
      if (::recv(peer.fd(), &word, sizeof(word), MSG_WAITALL) != sizeof(word)) continue;
      static_cast<void>(::send(peer.fd(), &word, sizeof(word), MSG_NOSIGNAL));
    }
  }

  PeerListener listener_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// One exchange over a connection of its own; false when it is turned away.
bool exchange(const os::Address& address, uint32_t word) {
  Peer client = Peer::connect(address);
  if (::send(client.fd(), &word, sizeof(word), MSG_NOSIGNAL) != sizeof(word)) return false;
  uint32_t answer = 0;
  if (::recv(client.fd(), &answer, sizeof(answer), MSG_WAITALL) != sizeof(answer)) return false;
  return answer == word;
}

uint64_t sum_over_workers(EngineHarness& harness, shared::Counter shared::ListenerCounters::* of) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < 2; i++) sum += (harness.region->listener_counters(i)[0].*of).load();
  return sum;
}

TEST_CASE("one place, two workers and hundreds of clients: everybody is served, nobody starves") {
  SerialEcho target;
  EngineHarness harness(2);
  TestTable table;
  table.listeners[0].access_log = false;
  table.target_ports = {target.port()};
  table.target_max_connections = 1;
  table.queue_max = 1000;
  REQUIRE(type_of(harness.load(table)) == shared::EventType::table_applied);
  const os::Address address = v4(harness.ports[0]);

  // Each client comes again as soon as it has been served: the worker that frees a place has
  // newcomers of its own at hand all the time.
  constexpr uint32_t kClients = 100;
  constexpr uint32_t kRounds = 20;
  std::atomic<uint32_t> served{0};
  std::atomic<uint32_t> refused{0};
  std::atomic<int64_t> longest_ms{0};
  std::vector<std::thread> clients;
  for (uint32_t i = 0; i < kClients; i++) {
    clients.emplace_back([&, i] {
      for (uint32_t round = 0; round < kRounds; round++) {
        const auto begun = std::chrono::steady_clock::now();
        if (exchange(address, i << 8U | round)) {
          served++;
        } else {
          refused++;
        }
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begun);
        int64_t longest = longest_ms.load();
        while (took.count() > longest && !longest_ms.compare_exchange_weak(longest, took.count())) {
        }
      }
    });
  }
  const auto begun = std::chrono::steady_clock::now();
  for (std::thread& client : clients) client.join();
  const auto all_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::steady_clock::now() - begun)
                          .count();
  CHECK(served.load() == kClients * kRounds);
  CHECK(refused.load() == 0);
  // A fair wait is a twentieth of the whole; half of it would be somebody who was passed over.
  MESSAGE("longest wait ", longest_ms.load(), " ms of ", all_ms, " ms");
  CHECK(longest_ms.load() < std::max<int64_t>(all_ms / 2, 1000));
  CHECK(eventually([&] {
    return sum_over_workers(harness, &shared::ListenerCounters::connections_closed) ==
           kClients * kRounds;
  }));
  CHECK(sum_over_workers(harness, &shared::ListenerCounters::connections_waiting) == 0);
  CHECK(sum_over_workers(harness, &shared::ListenerCounters::connections_queued) > kClients);
  CHECK(harness.region->active()[0].load() == 0);
}

TEST_CASE("an engine that stops with clients waiting ends them and leaves no count behind") {
  PeerListener target;
  EngineHarness harness(2);
  TestTable table;
  table.target_ports = {target.address().port()};
  table.target_max_connections = 1;
  table.queue_max = 100;
  REQUIRE(type_of(harness.load(table)) == shared::EventType::table_applied);
  std::vector<Peer> clients;
  for (int i = 0; i < 20; i++) clients.push_back(Peer::connect(v4(harness.ports[0])));
  CHECK(eventually([&] {
    return sum_over_workers(harness, &shared::ListenerCounters::connections_waiting) == 19;
  }));
  harness.engine->stop();
  CHECK(sum_over_workers(harness, &shared::ListenerCounters::connections_waiting) == 0);
  CHECK(harness.region->active()[0].load() == 0);
  CHECK(harness.region->listener_active()[0].load() == 0);
}

}  // namespace
}  // namespace sluice::test
