// SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) over 64-bit words. Keyed,
// so that nobody who does not know the key can choose client addresses that collide.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace sluice::os {

struct SipKey {
  uint64_t first = 0;
  uint64_t second = 0;
};

// SipHash-c-d. 1-3 is what hash tables use (Rust, Python); 2-4 is the paper's, and has published
// vectors, by which the test checks this code. Words are little-endian bytes of the input.
template <int CompressionRounds, int FinalRounds>
[[nodiscard]] inline uint64_t siphash(const SipKey& key, std::span<const uint64_t> words) {
  uint64_t v0 = key.first ^ 0x736f6d6570736575ULL;  // "somepseudorandomlygeneratedbytes"
  uint64_t v1 = key.second ^ 0x646f72616e646f6dULL;
  uint64_t v2 = key.first ^ 0x6c7967656e657261ULL;
  uint64_t v3 = key.second ^ 0x7465646279746573ULL;
  const auto rounds = [&](int count) {
    for (int i = 0; i < count; i++) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  };
  const auto compress = [&](uint64_t word) {
    v3 ^= word;
    rounds(CompressionRounds);
    v0 ^= word;
  };
  for (const uint64_t word : words) compress(word);
  compress(static_cast<uint64_t>(words.size() * sizeof(uint64_t)) << 56U);
  v2 ^= 0xff;
  rounds(FinalRounds);
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace sluice::os
