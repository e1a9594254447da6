// CRC-32 eight bytes at a time (Kounavis and Berry's slicing-by-8): an image of 8 MiB must not hold
// up the coordinator, and one byte at a time takes 20 ms for it.
#include "table/crc32.h"

#include <array>
#include <bit>
#include <cstring>

namespace sluice::table {

namespace {

// The words below are read as the image's numbers are: little-endian.
static_assert(std::endian::native == std::endian::little);

using Slices = std::array<std::array<uint32_t, 256>, 8>;

constexpr Slices make_slices() {
  Slices slices{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
    slices[0][byte] = crc;
  }
  for (size_t slice = 1; slice < slices.size(); slice++) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      const uint32_t crc = slices[slice - 1][byte];
      slices[slice][byte] = (crc >> 8U) ^ slices[0][crc & 0xffU];
    }
  }
  return slices;
}

constexpr Slices kSlices = make_slices();

}  // namespace

uint32_t crc32(std::span<const std::byte> bytes, uint32_t previous) {
  uint32_t crc = ~previous;
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    uint32_t low = 0;
    uint32_t high = 0;
    std::memcpy(&low, bytes.data() + at, sizeof(low));
    std::memcpy(&high, bytes.data() + at + sizeof(low), sizeof(high));
    low ^= crc;
    crc = kSlices[7][low & 0xffU] ^ kSlices[6][(low >> 8U) & 0xffU] ^
          kSlices[5][(low >> 16U) & 0xffU] ^ kSlices[4][low >> 24U] ^ kSlices[3][high & 0xffU] ^
          kSlices[2][(high >> 8U) & 0xffU] ^ kSlices[1][(high >> 16U) & 0xffU] ^
          kSlices[0][high >> 24U];
  }
  for (; at < bytes.size(); at++) {
    crc = (crc >> 8U) ^ kSlices[0][(crc ^ std::to_integer<uint32_t>(bytes[at])) & 0xffU];
  }
  return ~crc;
}

}  // namespace sluice::table
