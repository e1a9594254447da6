// The order in which waiting connections are served: fair by source, first come within one.
#include "tcp/wait_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "support/seed.h"

namespace sluice::test {
namespace {

using tcp::TcpConnection;
using tcp::WaitQueue;

std::unique_ptr<TcpConnection> waiter(uint32_t source) {
  auto made = std::make_unique<TcpConnection>();
  made->client_address.family = AF_INET;
  made->client_address.ip[10] = made->client_address.ip[11] = 0xff;
  made->client_address.ip[12] = 10;
  made->client_address.ip[14] = static_cast<uint8_t>(source >> 8U);
  made->client_address.ip[15] = static_cast<uint8_t>(source);
  return made;
}

struct Crowd {
  WaitQueue queue{0x5eed};
  std::vector<std::unique_ptr<TcpConnection>> all;

  TcpConnection& add(uint32_t source) {
    all.push_back(waiter(source));
    static_cast<void>(queue.push(*all.back()));
    return *all.back();
  }
  TcpConnection* serve() {
    TcpConnection* next = queue.first();
    if (next != nullptr) static_cast<void>(queue.remove_served(*next));
    return next;
  }
};

uint16_t row_of(const TcpConnection& connection) {
  return connection.connecting.wait_row;
}

TEST_CASE("a single client waits for no more than one of a crowd from one source") {
  Crowd crowd;
  for (int i = 0; i < 1000; i++) crowd.add(1);
  const TcpConnection& single = crowd.add(2);
  REQUIRE(row_of(single) != row_of(*crowd.all[0]));
  CHECK(crowd.serve() != &single);
  CHECK(crowd.serve() == &single);
  CHECK(crowd.queue.count() == 999);
}

TEST_CASE("within a source the first to come is the first to be served") {
  Crowd crowd;
  for (int i = 0; i < 50; i++) crowd.add(7);
  for (int i = 0; i < 50; i++) CHECK(crowd.serve() == crowd.all[static_cast<size_t>(i)].get());
  CHECK(crowd.serve() == nullptr);
  CHECK(crowd.queue.empty());
}

TEST_CASE("the clients of one IPv6 household are one source, two households are two") {
  const auto from = [](uint8_t subnet, uint8_t host) {
    auto made = std::make_unique<TcpConnection>();
    made->client_address.family = AF_INET6;
    made->client_address.ip[0] = 0xfd;
    made->client_address.ip[7] = subnet;
    made->client_address.ip[15] = host;
    return made;
  };
  WaitQueue queue(0x5eed);
  const auto first = from(1, 1);
  const auto neighbour = from(1, 2);
  const auto stranger = from(2, 1);
  CHECK(queue.push(*first));
  CHECK_FALSE(queue.push(*neighbour));
  CHECK(queue.push(*stranger));
  CHECK(row_of(*first) == row_of(*neighbour));
  CHECK(row_of(*first) != row_of(*stranger));
  CHECK_FALSE(queue.remove(*first));
  CHECK(queue.remove(*neighbour));
  CHECK(queue.remove(*stranger));
}

TEST_CASE("one that goes away while it waits takes nobody's turn") {
  Crowd crowd;
  TcpConnection& impatient = crowd.add(1);
  TcpConnection& second = crowd.add(1);
  TcpConnection& other = crowd.add(2);
  static_cast<void>(crowd.queue.remove(impatient));
  CHECK(crowd.serve() == &second);
  CHECK(crowd.serve() == &other);
  CHECK(crowd.queue.empty());
}

// Arrivals, departures and services in a random order against a model: while a row waits for its
// turn, no other has two.
TEST_CASE("no source ever waits for more than one turn of each of the others") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Crowd crowd;
  std::map<uint16_t, std::deque<TcpConnection*>> rows;
  std::map<uint16_t, std::set<uint16_t>> passed;  // who was served while this row waited
  for (int step = 0; step < 200'000; step++) {
    const uint64_t what = random() % 100;
    if (what < 45 && crowd.queue.count() < 600) {
      // A few sources bring most of the crowd.
      const uint64_t spread = random() % 4 == 0 ? 100 : 3;
      TcpConnection& added = crowd.add(static_cast<uint32_t>(random() % spread));
      rows[row_of(added)].push_back(&added);
    } else if (what < 55 && !rows.empty()) {
      auto row = std::next(rows.begin(), static_cast<long>(random() % rows.size()));
      auto gone = row->second.begin() + static_cast<long>(random() % row->second.size());
      const bool emptied = crowd.queue.remove(**gone);
      row->second.erase(gone);
      REQUIRE(emptied == row->second.empty());
      if (emptied) {
        passed.erase(row->first);
        rows.erase(row);
      }
    } else if (TcpConnection* served = crowd.serve()) {
      auto row = rows.find(row_of(*served));
      REQUIRE(row != rows.end());
      REQUIRE(row->second.front() == served);
      row->second.pop_front();
      for (const auto& [other, waiting] : rows) {
        if (other != row->first) REQUIRE(passed[other].insert(row->first).second);
      }
      passed[row->first].clear();
      if (row->second.empty()) {
        passed.erase(row->first);
        rows.erase(row);
      }
    }
    size_t count = 0;
    for (const auto& [index, waiting] : rows) count += waiting.size();
    REQUIRE(count == crowd.queue.count());
  }
}

TEST_CASE("sources with as many waiters as others get as many turns") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Crowd crowd;
  std::map<uint16_t, uint32_t> served;
  constexpr uint32_t kSources = 40;
  for (uint32_t i = 0; i < kSources * 100; i++) {
    // The first source brings ten times as many as all others together.
    for (int k = 0; k < 10 && i % kSources != 0; k++) crowd.add(0);
    crowd.add(i % kSources);
  }
  std::map<uint16_t, uint32_t> rows;
  for (const auto& connection : crowd.all) rows[row_of(*connection)]++;
  for (size_t i = 0; i < rows.size() * 50; i++) served[row_of(*crowd.serve())]++;
  for (const auto& [row, count] : rows) CHECK(served[row] == 50);
}

}  // namespace
}  // namespace sluice::test
