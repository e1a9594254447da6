// Hashes that are the same on every machine and forever: all instances of sluice must send a client
// to the same target. test/native/policy/stable_hash_test.cpp pins them to golden values.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "policy/prng.h"

namespace sluice::policy {

// FNV-1a, 64 bits, over the bytes of a target's name: its identity.
constexpr uint64_t name_hash(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

// FNV-1a's high bits are weak on short names; the finaliser repairs that, and a seed makes it a
// family of hashes.
constexpr uint64_t seeded_hash(uint64_t value, uint64_t seed) {
  return mix64(value ^ mix64(seed * kGoldenGamma + 1));
}

// What a consistent policy decides by, as 128 bits: an address as a number, most significant bit
// first on the wire, IPv4 as v4-mapped IPv6; with a port when that counts, too. Whatever else
// becomes a key one day (what the first bytes say) has to become such a number first.
struct Key {
  uint64_t high = 0;
  uint64_t low = 0;

  // Only the leading `prefix_bits` (0..128) count.
  [[nodiscard]] static constexpr Key from(std::span<const uint8_t, 16> ip, uint32_t prefix_bits) {
    Key key;
    for (uint32_t i = 0; i < 8; i++) {
      key.high = key.high << 8U | ip[i];
      key.low = key.low << 8U | ip[i + 8];
    }
    key.high &= leading_bits(prefix_bits < 64 ? prefix_bits : 64);
    key.low &= leading_bits(prefix_bits > 64 ? prefix_bits - 64 : 0);
    return key;
  }

  // All 128 bits may be taken by an address, so the port is mixed in: two keys are the same by
  // chance in one of 2^64 pairs.
  [[nodiscard]] constexpr Key with_port(uint16_t port) const {
    return {.high = seeded_hash(high, uint64_t{port} + 1), .low = low};
  }

  [[nodiscard]] constexpr uint64_t hash(uint64_t seed) const {
    return seeded_hash(seeded_hash(high, seed) + low, seed);
  }

 private:
  static constexpr uint64_t leading_bits(uint32_t count) {
    return count == 0 ? 0 : ~uint64_t{0} << (64 - count);
  }
};

}  // namespace sluice::policy
