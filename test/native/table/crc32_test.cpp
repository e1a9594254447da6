// CRC-32: the known values, and the fast form against the definition.
#include "table/crc32.h"

#include <doctest/doctest.h>

#include <random>
#include <string_view>
#include <vector>

#include "support/seed.h"

namespace sluice::table {
namespace {

uint32_t crc_of(std::string_view text) {
  return crc32(std::as_bytes(std::span(text)));
}

uint32_t bit_by_bit(std::span<const std::byte> bytes) {
  uint32_t crc = 0xffffffffU;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<uint32_t>(byte);
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

TEST_CASE("crc32 gives zlib's values") {
  CHECK(crc_of("") == 0);
  CHECK(crc_of("123456789") == 0xcbf43926U);
  CHECK(crc_of("The quick brown fox jumps over the lazy dog") == 0x414fa339U);
}

TEST_CASE("crc32 equals its definition at every length, alignment and cut") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(200);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  for (size_t from = 0; from < 9; from++) {
    for (size_t to = from; to <= bytes.size(); to++) {
      const auto part = std::span(bytes).subspan(from, to - from);
      REQUIRE(crc32(part) == bit_by_bit(part));
      const size_t cut = random() % (part.size() + 1);
      REQUIRE(crc32(part.subspan(cut), crc32(part.first(cut))) == bit_by_bit(part));
    }
  }
}

}  // namespace
}  // namespace sluice::table
