// What finding, adding and removing a UDP session costs, in maps of few and of many sessions.
#include "udp/session_map.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "policy/prng.h"

namespace sluice {
namespace {

udp::SessionKey key_of(uint32_t number) {
  udp::SessionKey key;
  key.client_ip[10] = key.client_ip[11] = 0xff;
  std::memcpy(key.client_ip + 12, &number, sizeof(number));
  key.client_port = static_cast<uint16_t>(number * 31);
  return key;
}

struct Sessions {
  explicit Sessions(uint32_t count) : map({1, 2}, count), all(new udp::Session[count]) {
    for (uint32_t i = 0; i < count; i++) {
      all[i].key = key_of(i);
      all[i].hash = map.hash(all[i].key);
      if (!map.insert(all[i])) std::abort();
    }
  }

  udp::SessionMap map;
  std::unique_ptr<udp::Session[]> all;
};

// In random order: a walk along the keys would find each next one in the cache.
std::vector<udp::SessionKey> shuffled_keys(uint32_t count) {
  policy::Cursor cursor = policy::seeded_cursor(7);
  std::vector<udp::SessionKey> keys(4096);
  for (udp::SessionKey& key : keys) {
    key = key_of(policy::scaled(policy::next_random(cursor), count));
  }
  return keys;
}

void session_map_find(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const Sessions sessions(count);
  const std::vector<udp::SessionKey> keys = shuffled_keys(count);
  size_t turn = 0;
  for (auto _ : state) {
    const udp::SessionKey& key = keys[turn++ % keys.size()];
    benchmark::DoNotOptimize(sessions.map.find(key, sessions.map.hash(key)));
  }
}

void session_map_replace(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  Sessions sessions(count);
  uint32_t turn = 0;
  for (auto _ : state) {
    udp::Session& session = sessions.all[turn++ * 7919U % count];
    sessions.map.remove(session);
    benchmark::DoNotOptimize(sessions.map.insert(session));
  }
}

BENCHMARK(session_map_find)->ArgName("sessions")->Arg(16)->Arg(1000)->Arg(16384)->Arg(1 << 20);
BENCHMARK(session_map_replace)->ArgName("sessions")->Arg(16)->Arg(1000)->Arg(16384)->Arg(1 << 20);

}  // namespace
}  // namespace sluice
