// The workers' random numbers: xoshiro128++ 1.0 (Blackman and Vigna, prng.di.unimi.it) on the state
// in a Cursor. Fast and well spread; not for secrets.
#pragma once

#include <bit>
#include <cstdint>

#include "policy/candidate.h"

namespace sluice::policy {

// The finaliser of splitmix64 (Stafford's mix 13): a bijection in which every input bit flips
// every output bit with a probability of one half.
constexpr uint64_t mix64(uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

inline constexpr uint64_t kGoldenGamma = 0x9e3779b97f4a7c15U;

// A cursor at a random place. Seeds must differ between workers and between pools.
[[nodiscard]] constexpr Cursor seeded_cursor(uint64_t seed) {
  const uint64_t a = mix64(seed + kGoldenGamma);
  const uint64_t b = mix64(seed + 2 * kGoldenGamma);
  const uint64_t c = mix64(seed + 3 * kGoldenGamma);
  Cursor cursor;
  cursor.random[0] = static_cast<uint32_t>(a);
  cursor.random[1] = static_cast<uint32_t>(a >> 32U);
  cursor.random[2] = static_cast<uint32_t>(b);
  cursor.random[3] = static_cast<uint32_t>(b >> 32U) | 1U;  // the all-zero state would stay there
  cursor.position = static_cast<uint32_t>(c);
  uint64_t further = seed + 4 * kGoldenGamma;
  for (uint32_t& position : cursor.further_positions) {
    position = static_cast<uint32_t>(mix64(further));
    further += kGoldenGamma;
  }
  return cursor;
}

inline uint32_t next_random(Cursor& cursor) {
  uint32_t* s = cursor.random;
  const uint32_t result = std::rotl(s[0] + s[3], 7) + s[0];
  const uint32_t shifted = s[1] << 9U;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = std::rotl(s[3], 11);
  return result;
}

// Maps 32 random bits onto [0, bound) by multiply and shift: no division, and a bias of at most
// bound / 2^32, far below what a balancer could show.
constexpr uint32_t scaled(uint32_t random, uint32_t bound) {
  return static_cast<uint32_t>((uint64_t{random} * bound) >> 32U);
}

}  // namespace sluice::policy
