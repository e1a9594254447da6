// Listening sockets across tables: carried, opened, refused, let go.
#include "engine/bind_sockets.h"

#include <doctest/doctest.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>

#include "os/accept.h"
#include "support/engine_harness.h"
#include "support/loopback.h"
#include "table/table_builder.h"

namespace sluice::engine {
namespace {

using test::TestBind;
using test::TestListener;
using test::TestTable;

std::unique_ptr<table::Table> build(const TestTable& wanted) {
  table::BuildResult result = table::build_table(test::image_of(wanted));
  REQUIRE_MESSAGE(result.table != nullptr, "check ", static_cast<int>(result.fault.check));
  return std::move(result.table);
}

std::unique_ptr<table::Table> build_bound(const TestTable& wanted, const table::Table* current,
                                          uint32_t workers) {
  std::unique_ptr<table::Table> table = build(wanted);
  const BindPlan plan = bind_sockets(*table, current, workers);
  REQUIRE_MESSAGE(!plan.failure, "errno ", plan.failure ? plan.failure->error : 0);
  return table;
}

const table::BoundSockets& sockets_at(const table::Table& table, size_t listener, size_t bind = 0) {
  return *table.listeners[listener].binds[bind].sockets;
}

uint32_t backlog_of(int fd) {
  tcp_info info{};
  socklen_t bytes = sizeof info;
  REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0);
  return info.tcpi_sacked;  // of a listening socket: the most that may wait to be accepted
}

TEST_CASE("connections that wait to be accepted survive a change of the listener's name and slot") {
  auto before = build_bound({.listeners = {{.slot = 1}}}, nullptr, 2);
  const os::Address address = sockets_at(*before, 0).address;
  std::vector<os::Fd> clients;
  for (int i = 0; i < 20; i++) clients.push_back(test::connect_to(address));

  auto after = build_bound({.generation = 2, .listeners = {{.slot = 7}}}, before.get(), 2);
  before.reset();

  size_t accepted = 0;
  for (const os::Fd& listener : sockets_at(*after, 0).per_worker) {
    for (;;) {
      os::AcceptResult result = os::accept_connection(listener.get());
      if (result.status != os::AcceptStatus::accepted) break;
      accepted++;
    }
  }
  CHECK(accepted == clients.size());
}

TEST_CASE("only new binds are reported as opened") {
  auto before = build_bound({.listeners = {{.slot = 1}}}, nullptr, 2);
  auto after = build({.generation = 2, .listeners = {{.slot = 1}, {.slot = 2, .binds = {{}, {}}}}});
  const BindPlan plan = bind_sockets(*after, before.get(), 2);
  REQUIRE(plan.opened.size() == 2);
  CHECK(plan.opened[0].listener_slot == 2);
  CHECK(plan.opened[1].bind_index == 1);
  CHECK(plan.opened[1].port == sockets_at(*after, 1, 1).address.port());
}

TEST_CASE("two listeners on port 0 keep their own ports when their order changes") {
  auto before = build_bound({.listeners = {{.slot = 1}, {.slot = 2}}}, nullptr, 1);
  auto after =
      build_bound({.generation = 2, .listeners = {{.slot = 2}, {.slot = 1}}}, before.get(), 1);
  CHECK(&sockets_at(*after, 0) == &sockets_at(*before, 1));
  CHECK(&sockets_at(*after, 1) == &sockets_at(*before, 0));
}

TEST_CASE("an address in use refuses the whole table and leaves nothing bound") {
  const os::Listeners other = os::open_listeners(test::v4(0), 1, {});
  REQUIRE(other.ok());
  auto free_port = build_bound({}, nullptr, 1);
  const os::Address free_address = sockets_at(*free_port, 0).address;
  free_port.reset();

  auto next = build({.listeners = {{.slot = 3, .binds = {{.port = free_address.port()}}},
                                   {.slot = 4, .binds = {{}, {.port = other.bound.port()}}}}});
  const BindPlan plan = bind_sockets(*next, nullptr, 2);
  REQUIRE(plan.failure.has_value());
  CHECK(plan.failure->reason == shared::TableError::address_in_use);
  CHECK(plan.failure->listener_slot == 4);
  CHECK(plan.failure->bind_index == 1);
  CHECK(plan.failure->error == EADDRINUSE);
  next.reset();
  CHECK(os::open_listeners(free_address, 1, {}).ok());
}

TEST_CASE("a bind moves from the wildcard to one address and back, with one worker or more") {
  for (const uint32_t workers : {1U, 3U}) {
    auto wildcard = build_bound({.listeners = {{.binds = {{.ip = {0, 0, 0, 0}}}}}}, nullptr, 1);
    const uint16_t port = sockets_at(*wildcard, 0).address.port();
    wildcard.reset();
    CAPTURE(workers);
    wildcard = build_bound({.listeners = {{.binds = {{.port = port, .ip = {0, 0, 0, 0}}}}}},
                           nullptr, workers);
    auto one = build_bound({.generation = 2, .listeners = {{.binds = {{.port = port}}}}},
                           wildcard.get(), workers);
    wildcard.reset();
    auto again = build_bound(
        {.generation = 3, .listeners = {{.binds = {{.port = port, .ip = {0, 0, 0, 0}}}}}},
        one.get(), workers);
    one.reset();
    CHECK(test::connect_to(test::v4(port, 2)).valid());
  }
}

TEST_CASE("a changed backlog reaches the sockets that stay") {
  auto before = build_bound({.listeners = {{.backlog = 100}}}, nullptr, 2);
  auto after = build_bound({.generation = 2, .listeners = {{.backlog = 7}}}, before.get(), 2);
  for (const os::Fd& fd : sockets_at(*before, 0).per_worker) CHECK(backlog_of(fd.get()) == 100);
  update_backlogs(*after, before.get());
  for (const os::Fd& fd : sockets_at(*after, 0).per_worker) CHECK(backlog_of(fd.get()) == 7);
}

TEST_CASE("a socket file goes with the last table that binds it") {
  const std::string path = "/tmp/sluice-bind-test-" + std::to_string(::getpid());
  struct stat status{};
  auto before = build_bound({.listeners = {{.binds = {{.unix_path = path}}}}}, nullptr, 2);
  auto after = build_bound({.generation = 2, .listeners = {{.binds = {{.unix_path = path}}}}},
                           before.get(), 2);
  before.reset();
  CHECK(::stat(path.c_str(), &status) == 0);
  after.reset();
  CHECK(::stat(path.c_str(), &status) == -1);
}

}  // namespace
}  // namespace sluice::engine
