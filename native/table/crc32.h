// crc32: the CRC-32 of IEEE 802.3 (reflected, polynomial 0xedb88320), equal to zlib's crc32().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::table {

// `previous`: the result for the bytes before these, 0 when there are none.
[[nodiscard]] uint32_t crc32(std::span<const std::byte> bytes, uint32_t previous = 0);

}  // namespace sluice::table
