// StickyKey: what a client is known by, between one connection and the next.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

namespace sluice::sticky {

// Which part of a client a key is. Keys of two kinds are never equal. Values are kept over
// restarts.
enum class KeyKind : uint8_t {
  none = 0,  // an entry that is free
  source = 1,
};

// All bytes count, used or not, so that it can be compared and hashed whole. 32 bytes are room for
// more than an address: what a client says first, or its hash where that is longer.
struct StickyKey {
  static constexpr uint32_t kBytesMax = 32;
  uint8_t bytes[kBytesMax] = {};
  KeyKind kind = KeyKind::none;
  // source: leading bits that count, so that 10.0.0.0/8 is another client than 10.0.0.0/32.
  uint8_t length = 0;

  // `ip` is IPv6 or v4-mapped; of it the leading `prefix_bits` (0..128) count.
  [[nodiscard]] static StickyKey source(std::span<const uint8_t, 16> ip, uint32_t prefix_bits) {
    StickyKey key;
    key.kind = KeyKind::source;
    key.length = static_cast<uint8_t>(std::min<uint32_t>(prefix_bits, 128));
    std::copy_n(ip.data(), key.length / 8, key.bytes);
    const uint32_t rest = key.length % 8;
    if (rest != 0) {
      key.bytes[key.length / 8] = static_cast<uint8_t>(ip[key.length / 8] & 0xff00U >> rest);
    }
    return key;
  }

  friend bool operator==(const StickyKey& a, const StickyKey& b) {
    return std::memcmp(&a, &b, sizeof(StickyKey)) == 0;
  }
};
static_assert(sizeof(StickyKey) == StickyKey::kBytesMax + 2);  // no padding

}  // namespace sluice::sticky
