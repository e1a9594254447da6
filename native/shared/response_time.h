// How a target's shared response time changes: at once up to a peak, slowly down (Finagle's Peak
// EWMA, with an eighth of a sample's difference instead of a clock on the workers), and down with
// time when there are no samples. Pure but for the atomic.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sluice::shared {

// A failure counts as an answer that took at least this long, and twice as long as was known: who
// fails fast must not look fast, and who fails again looks worse.
inline constexpr uint32_t kFailureUs = 1'000'000;
inline constexpr uint32_t kResponseUsMax = 60'000'000;

// 0 stands for "not measured", so a measured one is at least 1.
constexpr uint32_t after_response(uint32_t known_us, uint64_t sample_us) {
  const auto sample = static_cast<uint32_t>(std::clamp<uint64_t>(sample_us, 1, kResponseUsMax));
  if (sample >= known_us) return sample;
  return known_us - std::max(1U, (known_us - sample) / 8);
}

constexpr uint32_t after_failure(uint32_t known_us) {
  return std::clamp(known_us * 2, kFailureUs, kResponseUsMax);
}

// After a second without a sample: a tenth less, so that a target that nobody is sent to because it
// was slow is tried again. A time constant of 10 s, as Finagle's.
constexpr uint32_t after_silence(uint32_t known_us) {
  return known_us <= 1 ? known_us : known_us - std::max(1U, known_us / 10);
}

// Any worker. Relaxed, and not one indivisible step: when two workers write at once, one sample is
// lost, and it orders nothing.
inline void note_response(std::atomic<uint32_t>& response_us, uint64_t sample_us) {
  const uint32_t known = response_us.load(std::memory_order_relaxed);
  response_us.store(after_response(known, sample_us), std::memory_order_relaxed);
}
inline void note_failure(std::atomic<uint32_t>& response_us) {
  const uint32_t known = response_us.load(std::memory_order_relaxed);
  response_us.store(after_failure(known), std::memory_order_relaxed);
}

}  // namespace sluice::shared
