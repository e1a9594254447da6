// What a TCP client would meet: a target, the queue, the car park, or nobody; and that the client
// which comes then meets it.
#include "tcp/tcp_forecast.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/peer.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

using shared::ExplainOutcome;

struct Asked {
  PeerListener target;
  TableDraft draft;
  TcpLoop loop;

  Asked() {
    draft.listen_on(v4(0));
    draft.targets = {target.address()};
  }
  table::Forecast ask() {
    const std::unique_ptr<table::Table> same = draft.build();
    os::ClientAddress client;
    client.family = AF_INET;
    client.ip[10] = client.ip[11] = 0xff;
    client.ip[12] = 127;
    client.ip[15] = 1;
    table::Forecast forecast;
    loop.call([&](const tcp::TcpWorker& worker) {
      forecast = worker.forecast(same->listeners[0], client);
    });
    return forecast;
  }
  Peer connect() { return Peer::connect(draft.address()); }
  bool await_waiting(uint64_t count) {
    return eventually([&] { return loop.waiting() == count; });
  }
};

TEST_CASE("a client is picked a target for, then queues, and then the queue is full") {
  Asked path;
  path.draft.target_max_connections = 1;
  path.draft.queue_max = 1;
  path.draft.queue_timeout_ms = 20'000;
  path.loop.adopt(path.draft);
  const table::Forecast first = path.ask();
  CHECK(first.outcome == ExplainOutcome::picked);
  CHECK(first.target_slot == first.pick.slot);
  const Peer served = path.connect();
  REQUIRE(eventually([&] { return path.loop.target_active(0) == 1; }));
  const table::Forecast second = path.ask();
  CHECK(second.outcome == ExplainOutcome::queued);
  CHECK(second.target_slot == policy::kNoPick);
  REQUIRE(second.pick.by_policy.candidates.size() == 1);
  CHECK(second.pick.by_policy.candidates[0].standing == table::Standing::full);
  const Peer queued = path.connect();
  CHECK(path.await_waiting(1));
  const table::Forecast third = path.ask();
  CHECK(third.outcome == ExplainOutcome::queue_full);
  CHECK(third.waiting == 1);
}

TEST_CASE("whoever comes must queue behind those who wait, though there is a place") {
  Asked path;
  path.draft.target_max_connections = 1;
  path.draft.queue_max = 10;
  path.draft.queue_timeout_ms = 20'000;
  path.loop.adopt(path.draft);
  const Peer served = path.connect();
  const Peer waits = path.connect();
  CHECK(path.await_waiting(1));
  const table::Forecast forecast = path.ask();
  CHECK(forecast.outcome == ExplainOutcome::queued);
  CHECK(forecast.waiting == 1);
}

TEST_CASE("without a queue a client is refused when the target is full") {
  Asked path;
  path.draft.target_max_connections = 1;
  path.loop.adopt(path.draft);
  const Peer served = path.connect();
  REQUIRE(eventually([&] { return path.loop.target_active(0) == 1; }));
  CHECK(path.ask().outcome == ExplainOutcome::no_target);
}

TEST_CASE("without a target a client is parked, until the car park is full") {
  Asked path;
  path.draft.targets = {};
  path.draft.park_max = 1;
  path.draft.park_timeout_ms = 20'000;
  path.loop.adopt(path.draft);
  CHECK(path.ask().outcome == ExplainOutcome::parked);
  const Peer parked = path.connect();
  CHECK(path.await_waiting(1));
  CHECK(path.ask().outcome == ExplainOutcome::park_full);
}

TEST_CASE("a pool without targets that parks nobody refuses") {
  Asked path;
  path.draft.targets = {};
  path.loop.adopt(path.draft);
  const table::Forecast forecast = path.ask();
  CHECK(forecast.outcome == ExplainOutcome::no_target);
  CHECK(forecast.pick.by_policy.candidates.empty());
}

TEST_CASE("a listener at max_connections lets nobody in, and the pick is told all the same") {
  Asked path;
  path.draft.listener.max_connections = 1;
  path.loop.adopt(path.draft);
  CHECK(path.ask().outcome == ExplainOutcome::picked);
  const Peer served = path.connect();
  REQUIRE(eventually([&] { return path.loop.listener_active().load() == 1; }));
  const table::Forecast forecast = path.ask();
  CHECK(forecast.outcome == ExplainOutcome::listener_full);
  CHECK(forecast.target_slot == policy::kNoPick);
  CHECK(forecast.pick.slot != policy::kNoPick);
}

}  // namespace
}  // namespace sluice::test
