// What layout.h and table/table_image.h define, as plain data: names, sizes, offsets, units. The
// addon hands it to TypeScript, which builds its readers and writers from it, so no number of the
// shared memory is written down twice.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::engine {

struct NamedNumber {
  std::string_view name;
  uint64_t value = 0;
};

struct FieldLayout {
  std::string_view name;
  std::string_view type;  // u8, u16, u32, u64, i32, f64
  uint32_t offset = 0;
  uint32_t count = 1;  // more than 1: an array
};

struct RecordLayout {
  std::string_view name;
  uint32_t bytes = 0;
  std::span<const FieldLayout> fields;
};

struct EnumLayout {
  std::string_view name;
  std::span<const NamedNumber> values;
};

struct CounterLayout {
  std::string_view name;
  std::string_view unit;
  std::string_view help;
  uint32_t offset = 0;  // within its row
};

// The counters of one kind of thing; `bytes` is the distance between two rows.
struct CounterRowLayout {
  std::string_view name;
  uint32_t bytes = 0;
  std::span<const CounterLayout> counters;
};

struct Layout {
  std::span<const NamedNumber> constants;
  std::span<const EnumLayout> enums;
  std::span<const RecordLayout> records;
  std::span<const CounterRowLayout> counters;
};

[[nodiscard]] const Layout& layout();

// Where things are in the region of an engine with so many workers, in bytes from its start.
[[nodiscard]] std::vector<NamedNumber> region_layout(uint32_t workers);

}  // namespace sluice::engine
