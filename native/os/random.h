// Bytes that nobody can guess: keys of hashes, starting places of cursors.
#pragma once

#include <cstddef>
#include <span>

namespace sluice::os {

// From the kernel's generator (getrandom). Waits only before that has been seeded at boot.
void fill_random(std::span<std::byte> into);

}  // namespace sluice::os
