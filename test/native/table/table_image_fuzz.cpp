// libFuzzer: any bytes as a table image. Refused, or a table that can be picked from. The checksum
// is made right first, or nothing would ever get past it.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "policy/prng.h"
#include "shared/region.h"
#include "support/image_writer.h"
#include "table/table_builder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                          unsigned seed);
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_max);

namespace {

namespace table = sluice::table;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

void use(const table::Table& built) {
  static const sluice::shared::Region region = sluice::shared::Region::create(1);
  const sluice::os::ClientAddress nobody;
  for (const table::Listener& listener : built.listeners) {
    require(built.listener_at(listener.slot) == &listener);
    require(!listener.name.empty() && !listener.binds.empty());
    require(listener.pool_index < built.pools.size());
    const table::Pool& pool = built.pools[listener.pool_index];
    sluice::policy::Cursor cursor = sluice::policy::seeded_cursor(built.generation);
    table::TriedTargets tried;
    for (uint32_t retry = 0; retry <= pool.retries; retry++) {
      const uint32_t slot = pool.pick({nobody, nobody}, cursor, region.signals(), tried);
      if (slot == sluice::policy::kNoPick) break;
      require(!tried.contains(slot) && built.target_at(slot) != nullptr);
      tried.push(slot);
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sluice::test::Image image(size);
  if (size != 0) std::memcpy(image.data(), data, size);
  sluice::test::seal(image);
  const table::BuildResult result = table::build_table(image);
  require((result.table == nullptr) == result.fault.failed());
  if (result.table != nullptr) use(*result.table);
  return 0;
}

// Starts from a good image and keeps the header's size right, so that mutations reach the records.
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max, unsigned seed) {
  if (size < sizeof(table::ImageHeader)) {
    sluice::test::ImageWriter writer = sluice::test::sample_image();
    // Filling a Maglev table takes a millisecond of every run; one changed byte brings it back.
    writer.pools[0].policy = static_cast<uint32_t>(table::PolicyKind::weighted_round_robin);
    const sluice::test::Image sample = writer.finish();
    if (sample.size() > size_max) return size;
    std::memcpy(data, sample.data(), sample.size());
    return sample.size();
  }
  size = LLVMFuzzerMutate(data, size, size_max);
  if (seed % 8 != 0 && size >= sizeof(table::ImageHeader)) {
    table::ImageHeader header;
    std::memcpy(&header, data, sizeof(header));
    header.magic = table::kImageMagic;
    header.version = table::kImageVersion;
    header.total_bytes = static_cast<uint32_t>(size);
    std::memcpy(data, &header, sizeof(header));
  }
  return size;
}
