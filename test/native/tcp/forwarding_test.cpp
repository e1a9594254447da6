// Bytes through a real worker loop over loopback sockets: exact, in order, fair, and without
// burning CPU while nothing can move.
#include <doctest/doctest.h>

#include <random>
#include <thread>

#include "support/pace.h"
#include "support/peer.h"
#include "support/seed.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

using shared::CloseReason;

constexpr uint32_t kUp = 1;    // stream ids: what the client sends
constexpr uint32_t kDown = 2;  // and what the target sends

struct Path {
  TableDraft draft;
  PeerListener target_listener;
  TcpLoop loop;

  explicit Path(const shared::EngineOptions& options = TcpLoop::options(),
                const Buffers& target_buffers = {})
      : target_listener(v4(0), target_buffers), loop(options) {
    draft.listen_on(v4(0));
    draft.targets = {target_listener.address()};
    loop.adopt(draft);
  }
};

TEST_CASE("a request and its answer arrive unchanged, and both sides' FIN ends it") {
  Path path;
  Peer client = Peer::connect(path.draft.address());
  Peer target = path.target_listener.accept();
  CHECK(client.send(kUp, 100) == 100);
  CHECK(target.receive(kUp, 100).bytes == 100);
  CHECK(target.send(kDown, 5000) == 5000);
  const Received answer = client.receive(kDown, 5000);
  CHECK(answer.bytes == 5000);
  CHECK_FALSE(answer.wrong_at.has_value());
  client.finish();
  CHECK(target.receive(kUp).ending == Ending::eof);
  target.close();
  CHECK(client.receive(kDown).ending == Ending::eof);
  CHECK(eventually([&] { return path.loop.closed() == 1; }));
  CHECK(path.loop.closed_by(CloseReason::client_closed) == 1);
  CHECK(path.loop.listener().to_target_bytes.load() == 100);
  CHECK(path.loop.listener().to_client_bytes.load() == 5000);
  CHECK(path.loop.target(0).to_target_bytes.load() == 100);
  CHECK(path.loop.target(0).to_client_bytes.load() == 5000);
  CHECK(path.loop.target(0).connections_opened.load() == 1);
  CHECK(path.loop.target(0).connections_closed.load() == 1);
}

TEST_CASE("what a client sends before its target is connected waits and arrives") {
  Path path;
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.send(kUp, 300'000) == 300'000);
  client.finish();
  Peer target = path.target_listener.accept();
  const Received got = target.receive(kUp);
  CHECK(got.bytes == 300'000);
  CHECK(got.ending == Ending::eof);
  CHECK_FALSE(got.wrong_at.has_value());
}

// Both directions at once, random sizes and stalls, buffers from tiny to default.
void exchange(const shared::EngineOptions& options, uint64_t seed) {
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto buffer = [&random] { return random() % 2 == 0 ? 0 : 2048 << (random() % 6); };
  Path path(options, {.receive_bytes = static_cast<int>(buffer()),
                      .send_bytes = static_cast<int>(buffer())});
  Peer client = Peer::connect(path.draft.address(), {.receive_bytes = static_cast<int>(buffer()),
                                                     .send_bytes = static_cast<int>(buffer())});
  Peer target = path.target_listener.accept();
  const uint64_t up_bytes = random() % (1U << (random() % 24));
  const uint64_t down_bytes = random() % (1U << (random() % 24));
  const auto send_all = [](Peer& peer, uint32_t id, uint64_t count, uint64_t part_seed) {
    std::mt19937_64 parts(part_seed);
    while (peer.sent() < count) {
      const uint64_t part = 1 + parts() % (1U << (parts() % 20));
      if (peer.send(id, std::min(part, count - peer.sent())) == 0) break;
      if (parts() % 16 == 0) pace(std::chrono::microseconds(500));
    }
    peer.finish();
  };
  std::thread client_sends([&] { send_all(client, kUp, up_bytes, seed + 1); });
  std::thread target_sends([&] { send_all(target, kDown, down_bytes, seed + 2); });
  Received up;
  std::thread target_reads([&] { up = target.receive(kUp); });
  const Received down = client.receive(kDown, UINT64_MAX, 1 + random() % 100'000);
  client_sends.join();
  target_sends.join();
  target_reads.join();
  CHECK(up.bytes == up_bytes);
  CHECK(down.bytes == down_bytes);
  CHECK(up.ending == Ending::eof);
  CHECK(down.ending == Ending::eof);
  CHECK_FALSE(up.wrong_at.has_value());
  CHECK_FALSE(down.wrong_at.has_value());
  CHECK(eventually([&] { return path.loop.closed() == 1; }));
  CHECK(path.loop.listener().to_target_bytes.load() == up_bytes);
  CHECK(path.loop.listener().to_client_bytes.load() == down_bytes);
  CHECK(path.loop.worker().copied_bytes.load() + path.loop.worker().spliced_bytes.load() ==
        up_bytes + down_bytes);
}

TEST_CASE("random streams both ways are byte-exact") {
  const uint64_t seed = fresh_seed();
  for (uint64_t i = 0; i < 12; i++) exchange(TcpLoop::options(), seed + i * 10);
}
TEST_CASE("random streams are byte-exact without splice") {
  shared::EngineOptions options = TcpLoop::options();
  options.splice = false;
  const uint64_t seed = fresh_seed();
  for (uint64_t i = 0; i < 6; i++) exchange(options, seed + i * 10);
}
TEST_CASE("random streams are byte-exact without a stash, a pipe or a large turn") {
  shared::EngineOptions options = TcpLoop::options();
  options.stashes_max = 0;
  options.pipes_max = 0;
  options.turn_bytes = 4096;
  options.scratch_bytes = 8192;
  const uint64_t seed = fresh_seed();
  for (uint64_t i = 0; i < 6; i++) exchange(options, seed + i * 10);
}
TEST_CASE("random streams are byte-exact with small pipes that stream early") {
  shared::EngineOptions options = TcpLoop::options();
  options.scratch_bytes = 2048;
  options.pipe_bytes = 65536;
  options.pipes_max = 1;
  const uint64_t seed = fresh_seed();
  for (uint64_t i = 0; i < 6; i++) exchange(options, seed + i * 10);
}

// Pitfall 1: EAGAIN of a full pipe taken for a dry socket stalls, the reverse spins.
TEST_CASE("a slow reader gets all of a stream while the worker sleeps") {
  // Reads this small are full ones even from a socket with a small window: the stream splices.
  shared::EngineOptions options = TcpLoop::options();
  options.scratch_bytes = 16 * 1024;
  Path path(options);
  Peer client = Peer::connect(path.draft.address());
  Peer target = path.target_listener.accept();
  constexpr uint64_t kTotal = 48 << 20;
  std::thread sends([&] {
    CHECK(client.send(kUp, kTotal) == kTotal);
    client.finish();
  });
  // Full socket buffers, and a pipe or a stash with bytes in it, that nobody takes. The kernel may
  // squeeze its queues and take a little more now and then; a loop that spins is never still.
  path.loop.await_quiet();
  CHECK(path.loop.worker().pipes_in_use.load() + path.loop.worker().stashes_in_use.load() == 1);
  bool still = false;
  for (int second = 0; second < 10 && !still; second++) {
    const uint64_t turns = path.loop.turns();
    const uint64_t cpu_ns = path.loop.cpu_ns();
    observe_for(std::chrono::milliseconds(1000));
    still = path.loop.turns() - turns <= 2 && path.loop.cpu_ns() - cpu_ns < 5'000'000;
  }
  CHECK(still);
  const Received got = target.receive(kUp);
  sends.join();
  CHECK(got.bytes == kTotal);
  CHECK(got.ending == Ending::eof);
  CHECK_FALSE(got.wrong_at.has_value());
  CHECK(path.loop.worker().spliced_bytes.load() > kTotal / 8);
}

// Pitfall 3: splicing past bytes that wait in the stash would reorder them.
TEST_CASE("bursts and crumbs keep their order both ways with slow readers") {
  Path path(TcpLoop::options(), {.receive_bytes = 16384, .send_bytes = 16384});
  Peer client = Peer::connect(path.draft.address(), {.receive_bytes = 16384, .send_bytes = 16384});
  Peer target = path.target_listener.accept();
  constexpr int kRounds = 6;
  constexpr uint64_t kBurst = 1 << 20;
  const auto send = [&](Peer& peer, uint32_t id) {
    for (int round = 0; round < kRounds; round++) {
      peer.send(id, kBurst);
      for (int i = 0; i < 100; i++) peer.send(id, 64);
    }
    peer.finish();
  };
  const auto read = [&](Peer& peer, uint32_t id, Received& got) {
    while (got.ending == Ending::none) {
      const Received part = peer.receive(id, 200'000, 3000);
      got.bytes += part.bytes;
      got.ending = part.ending;
      if (part.wrong_at.has_value()) got.wrong_at = part.wrong_at;
      pace(std::chrono::milliseconds(1));
    }
  };
  std::thread up([&] { send(client, kUp); });
  std::thread down([&] { send(target, kDown); });
  Received at_target;
  Received at_client;
  std::thread target_reads([&] { read(target, kUp, at_target); });
  read(client, kDown, at_client);
  up.join();
  down.join();
  target_reads.join();
  for (const Received& got : {at_target, at_client}) {
    CHECK(got.bytes == kRounds * (kBurst + 6400));
    CHECK(got.ending == Ending::eof);
    CHECK_FALSE(got.wrong_at.has_value());
  }
}

// Pitfall 5: an edge-triggered loop that stops at its budget must resume by itself.
TEST_CASE("small exchanges stay quick beside a stream that uses up every turn") {
  shared::EngineOptions options = TcpLoop::options();
  options.turn_bytes = 64 * 1024;
  Path path(options);
  Peer bulk_client = Peer::connect(path.draft.address());
  Peer bulk_target = path.target_listener.accept();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> bulk_bytes{0};
  std::thread bulk_sends([&] {
    while (!stop.load()) bulk_client.send(kUp, 1 << 20);
    bulk_client.finish();
  });
  Received bulk;
  std::thread bulk_reads([&] { bulk = bulk_target.receive(kUp); });
  std::vector<std::pair<Peer, Peer>> small;
  for (int i = 0; i < 100; i++) {
    Peer client = Peer::connect(path.draft.address());
    small.emplace_back(std::move(client), path.target_listener.accept());
  }
  uint64_t slowest_ns = 0;
  for (int round = 0; round < 5; round++) {
    for (auto& [client, target] : small) {
      const uint64_t begun_ns = os::monotonic_ns();
      CHECK(client.send(kUp, 777) == 777);
      CHECK(target.receive(kUp, 777).bytes == 777);
      CHECK(target.send(kDown, 777) == 777);
      const Received got = client.receive(kDown, 777);
      CHECK(got.bytes == 777);
      CHECK_FALSE(got.wrong_at.has_value());
      slowest_ns = std::max(slowest_ns, os::monotonic_ns() - begun_ns);
    }
  }
  stop.store(true);
  bulk_sends.join();
  bulk_reads.join();
  CHECK(slowest_ns < 1'000'000'000);
  CHECK(bulk.ending == Ending::eof);
  CHECK_FALSE(bulk.wrong_at.has_value());
  CHECK(path.loop.worker().ready_turns.load() > 0);
}

// Pitfall 2: a pipe with bytes in it that went back to the store would feed another client.
TEST_CASE("no client ever sees bytes of another when targets die in the middle of a stream") {
  shared::EngineOptions options = TcpLoop::options();
  options.pipes_max = 2;
  options.scratch_bytes = 4096;
  Path path(options);
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  constexpr uint32_t kClients = 200;
  for (uint32_t first = 0; first < kClients; first += 8) {
    std::vector<std::pair<Peer, Peer>> pairs;
    for (uint32_t i = 0; i < 8; i++) {
      Peer client = Peer::connect(path.draft.address());
      pairs.emplace_back(std::move(client), path.target_listener.accept());
    }
    std::vector<std::thread> senders;
    for (uint32_t i = 0; i < 8; i++) {
      senders.emplace_back([&, i] { pairs[i].first.send(first + i, 2 << 20); });
    }
    for (uint32_t i = 0; i < 8; i++) {
      const Received got = pairs[i].second.receive(first + i, random() % (1 << 20));
      CHECK_FALSE(got.wrong_at.has_value());
      pairs[i].second.reset();
    }
    for (std::thread& sender : senders) sender.join();
  }
  CHECK(eventually([&] { return path.loop.closed() == kClients; }));
  CHECK(path.loop.worker().spliced_bytes.load() > 0);
  CHECK(path.loop.closed_by(CloseReason::target_reset) == kClients);
}

}  // namespace
}  // namespace sluice::test
