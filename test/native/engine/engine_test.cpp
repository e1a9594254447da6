// A whole engine: starting, stopping, tables, bytes through it.
#include "engine/engine.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <string_view>

#include "support/engine_harness.h"
#include "support/loopback.h"

namespace sluice::engine {
namespace {

using shared::CloseReason;
using shared::EventType;
using shared::TableError;
using test::EngineHarness;
using test::TestTable;

// Reads `bytes` bytes, or less when the other side ends before.
std::string receive(const os::Fd& fd, size_t bytes) {
  std::string got;
  while (got.size() < bytes) {
    if ((test::wait_for(fd.get(), POLLIN) & (POLLIN | POLLHUP)) == 0) break;
    std::array<char, 4096> buffer;
    const ssize_t read =
        ::recv(fd.get(), buffer.data(), std::min(buffer.size(), bytes - got.size()), MSG_DONTWAIT);
    if (read <= 0) break;
    got.append(buffer.data(), static_cast<size_t>(read));
  }
  return got;
}

void send_text(const os::Fd& fd, std::string_view text) {
  REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

std::string status_field(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return line.substr(name.size() + 2);
  }
  return {};
}

TEST_CASE("an engine starts and stops a hundred times and leaves no thread and no descriptor") {
  {
    const EngineHarness warm_up;
  }
  const auto tasks = test::entries_of("/proc/self/task");
  const auto descriptors = test::entries_of("/proc/self/fd").size();
  for (int i = 0; i < 100; i++) {
    EngineHarness harness;
    if (i % 10 == 0) CHECK(test::type_of(harness.load({})) == EventType::table_applied);
  }
  CHECK(test::entries_of("/proc/self/task") == tasks);
  CHECK(test::entries_of("/proc/self/fd").size() == descriptors);
}

TEST_CASE("threads are named and take no signals") {
  const auto before = test::entries_of("/proc/self/task");
  EngineHarness harness(2);
  REQUIRE(test::type_of(harness.load({})) == EventType::table_applied);
  std::vector<std::string> names;
  for (const std::string& task : test::entries_of("/proc/self/task")) {
    if (std::binary_search(before.begin(), before.end(), task)) continue;
    const std::string directory = "/proc/self/task/" + task;
    names.push_back(first_line(directory + "/comm"));
    if (!names.back().starts_with("sluice-")) continue;  // a sanitizer's own thread
    const uint64_t blocked =
        std::stoull(status_field(directory + "/status", "SigBlk"), nullptr, 16);
    for (const int signal :
         {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGPROF}) {
      CAPTURE(signal);
      CHECK((blocked >> (signal - 1) & 1U) == 1);
    }
  }
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"sluice-coord", "sluice-w0", "sluice-w1"});
}

TEST_CASE("too many workers are refused with a reason") {
  shared::EngineOptions options;
  options.workers = shared::kWorkersMax + 1;
  StartFailure failure;
  CHECK(Engine::start(options, [](void*) {}, nullptr, failure) == nullptr);
  CHECK(failure.error == EINVAL);
}

TEST_CASE(
    "a running engine that cannot open more descriptors starts no second one and leaks none") {
  const auto descriptors = test::entries_of("/proc/self/fd").size();
  std::vector<os::Fd> fillers;
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit low{descriptors + 3, limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  StartFailure failure;
  const auto engine =
      Engine::start({.workers = 2, .connections_max = 16}, [](void*) {}, nullptr, failure);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(engine == nullptr);
  CHECK(std::string_view(failure.step) != "");
  CHECK(test::entries_of("/proc/self/fd").size() == descriptors);
}

TEST_CASE("bytes go both ways and the access record counts them") {
  const os::Listeners target = os::open_listeners(test::v4(0), 1, {});
  EngineHarness harness;
  const TestTable table{.target_ports = {target.bound.port()}};
  REQUIRE(test::type_of(harness.load(table)) == EventType::table_applied);
  REQUIRE(harness.ports.size() == 1);
  {
    const os::Fd client = test::connect_to(test::v4(harness.ports[0]));
    const os::Fd accepted = test::accept_from(target.sockets[0].get());
    send_text(client, "hello");
    CHECK(receive(accepted, 5) == "hello");
    send_text(accepted, "good day");
    CHECK(receive(client, 8) == "good day");
  }
  // On either worker's ring: the kernel chose.
  std::optional<shared::Event> event;
  while (!event) {
    for (uint32_t ring = 1; ring <= 2 && !event; ring++)
      event = harness.control.next_event(ring, 5);
  }
  CHECK(test::type_of(*event) == EventType::connection_closed);
  CHECK(event->to_target_bytes == 5);
  CHECK(event->to_client_bytes == 8);
}

TEST_CASE("stop closes open connections, for the reason shutdown, and wakes nobody afterwards") {
  const os::Listeners target = os::open_listeners(test::v4(0), 1, {});
  EngineHarness harness(1);
  REQUIRE(test::type_of(harness.load({.target_ports = {target.bound.port()}})) ==
          EventType::table_applied);
  const os::Fd client = test::connect_to(test::v4(harness.ports[0]));
  const os::Fd accepted = test::accept_from(target.sockets[0].get());
  send_text(client, "x");
  CHECK(receive(accepted, 1) == "x");

  harness.engine->stop();
  CHECK(receive(client, 1).empty());
  const auto event = harness.control.next_event(1);
  REQUIRE(event.has_value());
  CHECK(test::type_of(*event) == EventType::connection_closed);
  CHECK(CloseReason{event->code} == CloseReason::shutdown);
  CHECK(harness.region->worker_counters(0).connections_open == 0);
  CHECK(harness.region->active()[0] == 0);

  harness.bell.answer();
  harness.engine->ring_doorbell(0);
  harness.engine->ring_doorbell(1);
  harness.engine->stop();
  CHECK(harness.control.next_event(1, 0) == std::nullopt);
}

TEST_CASE("a command closes the connections of one target and leaves the others") {
  const os::Listeners target = os::open_listeners(test::v4(0), 1, {});
  EngineHarness harness(1);
  const uint16_t port = target.bound.port();
  REQUIRE(test::type_of(harness.load({.target_ports = {port, port}})) == EventType::table_applied);
  const os::Fd first = test::connect_to(test::v4(harness.ports[0]));
  const os::Fd first_accepted = test::accept_from(target.sockets[0].get());
  const os::Fd second = test::connect_to(test::v4(harness.ports[0]));
  const os::Fd second_accepted = test::accept_from(target.sockets[0].get());
  send_text(first, "1");
  send_text(second, "2");
  REQUIRE(receive(first_accepted, 1) == "1");
  REQUIRE(receive(second_accepted, 1) == "2");

  shared::Command command{};
  command.type = static_cast<uint32_t>(shared::CommandType::close_connections);
  command.scope = static_cast<uint32_t>(shared::CloseScope::target);
  command.slot = 1;
  harness.control.send(shared::RingIndex::worker(0), command);
  harness.engine->ring_doorbell(shared::RingIndex::worker(0));
  const auto event = harness.control.next_event(1);
  REQUIRE(event.has_value());
  CHECK(event->target_slot == 1);
  CHECK(CloseReason{event->code} == CloseReason::closed_by_operator);
  CHECK(harness.region->active()[0] == 1);
  CHECK(harness.region->active()[1] == 0);
}

TEST_CASE("a table whose address is in use changes nothing") {
  const os::Listeners target = os::open_listeners(test::v4(0), 1, {});
  const os::Listeners other = os::open_listeners(test::v4(0), 1, {});
  EngineHarness harness;
  const uint16_t target_port = target.bound.port();
  REQUIRE(test::type_of(harness.load({.target_ports = {target_port}})) == EventType::table_applied);
  const auto descriptors = test::entries_of("/proc/self/fd").size();

  const shared::Event answer = harness.load(
      {.generation = 2,
       .listeners = {{.slot = 5}, {.slot = 6, .binds = {{.port = other.bound.port()}}}},
       .target_ports = {target_port}});
  CHECK(test::type_of(answer) == EventType::table_rejected);
  CHECK(TableError{answer.code} == TableError::address_in_use);
  CHECK(answer.slot == 6);
  CHECK(answer.error == EADDRINUSE);
  CHECK(answer.id == 2);
  CHECK(harness.ports.size() == 1);
  CHECK(test::entries_of("/proc/self/fd").size() == descriptors);

  const os::Fd client = test::connect_to(test::v4(harness.ports[0]));
  CHECK(test::accept_from(target.sockets[0].get()).valid());
  // And the next table is taken.
  CHECK(test::type_of(harness.load({.generation = 3, .target_ports = {target_port}})) ==
        EventType::table_applied);
}

TEST_CASE("a removed listener refuses clients once its removal is applied") {
  // Without a target a client would be reset, which connect() may see.
  const os::Listeners target = os::open_listeners(test::v4(0), 1, {});
  EngineHarness harness;
  REQUIRE(test::type_of(harness.load({.target_ports = {target.bound.port()}})) ==
          EventType::table_applied);
  const os::Address address = test::v4(harness.ports[0]);
  CHECK(test::connect_to(address).valid());
  REQUIRE(test::type_of(harness.load({.generation = 2, .listeners = {}})) ==
          EventType::table_applied);
  os::ConnectStart start = os::connect_start(address, nullptr, {});
  if (start.outcome.state == os::ConnectState::in_progress) {
    REQUIRE(test::wait_for(start.fd.get(), POLLOUT) != 0);
    start.outcome = os::connect_result(start.fd.get());
  }
  CHECK(start.outcome.fault == os::ConnectFault::refused);
}

TEST_CASE("no client is refused or reset while tables follow each other") {
  const os::Listeners target = os::open_listeners(test::v4(0), 1, {});
  EngineHarness harness;
  const uint16_t target_port = target.bound.port();
  REQUIRE(test::type_of(harness.load({.target_ports = {target_port}})) == EventType::table_applied);
  const os::Address address = test::v4(harness.ports[0]);
  for (uint64_t generation = 2; generation < 102; generation++) {
    // The listener changes its slot, and another comes and goes.
    TestTable table{.generation = generation, .target_ports = {target_port}};
    table.listeners = {{.slot = static_cast<uint32_t>(generation % 3)}};
    table.listeners[0].binds[0].port = 0;
    if (generation % 2 == 0) table.listeners.push_back({.slot = 9});
    harness.send_load(table);
    const os::Fd client = test::connect_to(address);
    send_text(client, "ping");
    const os::Fd accepted = test::accept_from(target.sockets[0].get());
    REQUIRE(receive(accepted, 4) == "ping");
    send_text(accepted, "pong");
    REQUIRE(receive(client, 4) == "pong");
    std::optional<shared::Event> event;
    do {
      event = harness.control.next_event(0);
      REQUIRE(event.has_value());
    } while (test::type_of(*event) == EventType::listener_bound);
    REQUIRE(test::type_of(*event) == EventType::table_applied);
    REQUIRE(event->id == generation);
  }
}

}  // namespace
}  // namespace sluice::engine
