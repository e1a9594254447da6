// What the addon tells TypeScript about the shared memory is what the structs are.
#include "engine/layout_export.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "shared/layout.h"
#include "table/table_image.h"

namespace sluice::engine {
namespace {

uint32_t bytes_of(std::string_view type) {
  if (type == "u8") return 1;
  if (type == "u16") return 2;
  if (type == "u32" || type == "i32") return 4;
  REQUIRE((type == "u64" || type == "f64"));
  return 8;
}

uint64_t value_of(std::span<const NamedNumber> numbers, std::string_view name) {
  const auto found = std::find_if(numbers.begin(), numbers.end(),
                                  [name](const NamedNumber& item) { return item.name == name; });
  REQUIRE(found != numbers.end());
  return found->value;
}

TEST_CASE("the fields of every record cover it without a gap or an overlap") {
  for (const RecordLayout& record : layout().records) {
    CAPTURE(record.name);
    uint32_t end = 0;
    for (const FieldLayout& field : record.fields) {
      CAPTURE(field.name);
      CHECK(field.offset == end);
      end = field.offset + bytes_of(field.type) * field.count;
    }
    CHECK(end == record.bytes);
  }
}

TEST_CASE("values of an enum and names of counters are unique") {
  for (const EnumLayout& item : layout().enums) {
    CAPTURE(item.name);
    std::set<uint64_t> values;
    for (const NamedNumber& value : item.values) CHECK(values.insert(value.value).second);
  }
  for (const CounterRowLayout& row : layout().counters) {
    CAPTURE(row.name);
    std::set<std::string_view> names;
    for (const CounterLayout& counter : row.counters) {
      CHECK(names.insert(counter.name).second);
      CHECK(counter.offset + sizeof(shared::Counter) <= row.bytes);
      CHECK_FALSE(counter.help.empty());
    }
  }
}

TEST_CASE("a counter is found where the export says that it is") {
  shared::TargetCounters row{};
  row.resets.store(42);
  for (const CounterLayout& counter : layout().counters[2].counters) {
    const auto* at = reinterpret_cast<const std::byte*>(&row) + counter.offset;
    const uint64_t value = reinterpret_cast<const shared::Counter*>(at)->load();
    CHECK(value == (counter.name == "resets" ? 42 : 0));
  }
}

TEST_CASE("the region's offsets are those of the region") {
  for (const uint32_t workers : {1U, 2U, shared::kWorkersMax}) {
    const shared::RegionOffsets offsets = shared::region_offsets(workers);
    const std::vector<NamedNumber> exported = region_layout(workers);
    CHECK(value_of(exported, "total_bytes") == offsets.total_bytes);
    CHECK(value_of(exported, "active") == offsets.active);
    CHECK(value_of(exported, "first_worker") == offsets.first_worker);
    CHECK(value_of(exported, "image_area_1") == offsets.image_area[1]);
    CHECK(value_of(exported, "first_explain") == offsets.first_explain);
    CHECK(value_of(exported, "explain_bytes") == offsets.explain_bytes);
  }
}

TEST_CASE("every close reason has its row in the listener's counters") {
  for (const EnumLayout& item : layout().enums) {
    if (item.name != "close_reason") continue;
    for (const NamedNumber& reason : item.values) {
      CHECK(reason.value < value_of(layout().constants, "close_reason_rows"));
    }
  }
}

}  // namespace
}  // namespace sluice::engine
