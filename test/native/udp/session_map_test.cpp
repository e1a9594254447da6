// SessionMap and its hash: against the paper, against a naive model, against an attacker.
#include "udp/session_map.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/seed.h"
#include "udp/session_list.h"

namespace sluice::udp {
namespace {

constexpr os::SipKey kTestKey{0x1234567890abcdef, 0xfedcba0987654321};

SessionKey numbered_key(uint32_t number) {
  SessionKey key;
  std::memcpy(key.client_ip + 12, &number, sizeof(number));
  key.client_port = static_cast<uint16_t>(number * 7);
  return key;
}

std::string as_text(const SessionKey& key) {
  return std::string(reinterpret_cast<const char*>(&key), sizeof(key));
}

TEST_CASE("a session map agrees with a naive model through random inserts, removals and resizes") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  uint32_t capacity = 50;
  SessionMap map(kTestKey, capacity);
  std::map<std::string, std::unique_ptr<Session>> model;
  const auto check_lookup = [&](const SessionKey& key) {
    const auto found = model.find(as_text(key));
    Session* expected = found == model.end() ? nullptr : found->second.get();
    REQUIRE(map.find(key, map.hash(key)) == expected);
  };
  for (int step = 0; step < 40'000; step++) {
    const SessionKey key = numbered_key(static_cast<uint32_t>(random() % 90));
    const auto found = model.find(as_text(key));
    if (random() % 500 == 0) {
      capacity = 20 + static_cast<uint32_t>(random() % 60);
      map.set_capacity(capacity);
    } else if (found == model.end()) {
      auto session = std::make_unique<Session>();
      session->key = key;
      session->hash = map.hash(key);
      const bool has_room = model.size() < capacity;
      REQUIRE(map.insert(*session) == has_room);
      if (has_room) model.emplace(as_text(key), std::move(session));
    } else if (random() % 2 == 0) {
      map.remove(*found->second);
      model.erase(found);
    }
    REQUIRE(map.size() == model.size());
    check_lookup(key);
    check_lookup(numbered_key(static_cast<uint32_t>(random() % 90)));
  }
  for (uint32_t number = 0; number < 90; number++) check_lookup(numbered_key(number));
}

TEST_CASE("entries whose probes wrap around the end of the table stay reachable") {
  // 16 places. All homes at the last two, so that every probe run wraps.
  SessionMap map(kTestKey, 8);
  std::vector<std::unique_ptr<Session>> sessions;
  for (uint32_t number = 0; sessions.size() < 8; number++) {
    const SessionKey key = numbered_key(number);
    if ((map.hash(key) & 15U) < 14) continue;
    auto session = std::make_unique<Session>();
    session->key = key;
    session->hash = map.hash(key);
    REQUIRE(map.insert(*session));
    sessions.push_back(std::move(session));
  }
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::shuffle(sessions.begin(), sessions.end(), random);
  while (!sessions.empty()) {
    map.remove(*sessions.back());
    const SessionKey gone = sessions.back()->key;
    sessions.pop_back();
    CHECK(map.find(gone, map.hash(gone)) == nullptr);
    for (const auto& session : sessions) {
      CHECK(map.find(session->key, session->hash) == session.get());
    }
  }
}

TEST_CASE("lookups stay short after a million sessions have come and gone") {
  constexpr uint32_t kCapacity = 4096;
  SessionMap map(kTestKey, kCapacity);
  std::vector<Session> sessions(kCapacity);
  for (uint32_t number = 0; number < 1'000'000; number++) {
    Session& session = sessions[number % kCapacity];
    if (number >= kCapacity) map.remove(session);
    session.key = numbered_key(number);
    session.hash = map.hash(session.key);
    REQUIRE(map.insert(session));
  }
  uint64_t probes = 0;
  for (const Session& session : sessions) probes += map.probe_length(session);
  // Linear probing, half full: 1.5 on average for a hit (Knuth).
  CHECK(static_cast<double>(probes) / kCapacity < 1.7);
}

TEST_CASE("addresses chosen to collide under one key do not collide under another") {
  constexpr uint32_t kChosen = 1000;
  SessionMap known(kTestKey, kChosen);
  std::vector<Session> sessions;
  for (uint32_t number = 0; sessions.size() < kChosen; number++) {
    Session session;
    session.key = numbered_key(number);
    // All in one 64th of the attacker's table.
    if ((known.hash(session.key) & 63U) == 0) sessions.push_back(std::move(session));
  }
  SessionMap map({0x0fedcba987654321, 0x55aa55aa12345678}, kChosen);
  for (Session& session : sessions) {
    session.hash = map.hash(session.key);
    REQUIRE(map.insert(session));
  }
  uint32_t longest = 0;
  uint64_t probes = 0;
  for (const Session& session : sessions) {
    longest = std::max(longest, map.probe_length(session));
    probes += map.probe_length(session);
  }
  CHECK(longest < 40);
  CHECK(static_cast<double>(probes) / kChosen < 1.8);
}

TEST_CASE("a session list keeps the order of joining through removals anywhere") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::vector<Session> sessions(20);
  SessionList<&Session::age> list;
  std::vector<Session*> model;
  for (int step = 0; step < 2000; step++) {
    Session& session = sessions[random() % sessions.size()];
    const auto found = std::find(model.begin(), model.end(), &session);
    if (found == model.end()) {
      list.push_back(session);
      model.push_back(&session);
    } else {
      list.remove(session);
      model.erase(found);
    }
    std::vector<Session*> seen;
    for (Session* at = list.oldest(); at != nullptr; at = list.after(*at)) seen.push_back(at);
    REQUIRE(seen == model);
  }
}

}  // namespace
}  // namespace sluice::udp
